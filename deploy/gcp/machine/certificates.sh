#!/bin/bash
# Makes a small CA and a certificate for this machine, in PEM. Says `changed` as long as the servers have to read new
# files: whoever has restarted them removes DIRECTORY/unread.
#   certificates.sh DIRECTORY ADDRESS
# The CA is made once. The certificate is made anew when less than 60 days are left, or for another address.
set -euo pipefail
umask 077

directory=$1
address=$2
ca_days=3650
certificate_days=365
renew_before_secs=$((60 * 86400))
# By their numbers, as the images have them: appuser of Kafka, clickhouse of ClickHouse.
kafka_user=1000
clickhouse_user=101

make_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -sha256 -days "$ca_days" \
        -subj "/CN=log-analytics $(hostname)" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout "$directory/ca.key" -out "$directory/ca.new" 2> /dev/null
    mv "$directory/ca.new" "$directory/ca.pem"
}

is_valid() {
    [ -s "$directory/server.pem" ] &&
        openssl x509 -in "$directory/server.pem" -noout -checkend "$renew_before_secs" > /dev/null &&
        openssl x509 -in "$directory/server.pem" -noout -ext subjectAltName | grep -qF "IP Address:$address," &&
        openssl verify -CAfile "$directory/ca.pem" "$directory/server.pem" > /dev/null 2>&1
}

make_certificate() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$address" \
        -keyout "$directory/server.key" -out "$directory/server.csr" 2> /dev/null
    printf '%s\n' "subjectAltName=IP:$address,IP:127.0.0.1,DNS:localhost,DNS:$(hostname -f)" \
        "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" "extendedKeyUsage=serverAuth" \
        > "$directory/server.ext"
    openssl x509 -req -in "$directory/server.csr" -CA "$directory/ca.pem" -CAkey "$directory/ca.key" \
        -set_serial "0x$(openssl rand -hex 16)" -sha256 -days "$certificate_days" -extfile "$directory/server.ext" \
        -out "$directory/server.pem" 2> /dev/null
    rm "$directory/server.csr" "$directory/server.ext"
}

# A folder for each container, with what it may read: Kafka wants key and certificate in one file.
hand_out() {
    mkdir -p "$directory/kafka" "$directory/clickhouse" "$directory/ca"
    cat "$directory/server.key" "$directory/server.pem" > "$directory/kafka/server.pem"
    cp "$directory/server.key" "$directory/server.pem" "$directory/clickhouse/"
    cp "$directory/ca.pem" "$directory/ca/"
    chmod 755 "$directory" "$directory/ca"
    chmod 644 "$directory/ca/ca.pem"
    if [ "$(id -u)" = 0 ]; then
        chown -R "$kafka_user" "$directory/kafka"
        chown -R "$clickhouse_user" "$directory/clickhouse"
    fi
}

mkdir -p "$directory"
[ -s "$directory/ca.pem" ] || make_ca
if ! is_valid; then
    touch "$directory/unread"
    make_certificate
fi
hand_out
[ ! -e "$directory/unread" ] || echo changed
