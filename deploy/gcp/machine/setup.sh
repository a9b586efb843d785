#!/bin/bash
# Turns a new Debian machine into one with Kafka and ClickHouse, or brings it up to date. Run as root, as often as you
# like; vm.sh does that. Reads lines NAME=VALUE from standard input: the address, the bucket and the passwords.
set -euo pipefail
umask 077
cd "$(dirname "$0")/../../.."

disk=${VM_DISK:-/dev/disk/by-id/google-data}
data=${VM_DATA:-/mnt/data}
etc=${ETC:-/etc}
wanted=(VM_ADDRESS BACKUP_BUCKET KAFKA_PASSWORD CLICKHOUSE_PASSWORD CLICKHOUSE_READER_PASSWORD)
wanted+=(GRAFANA_CLICKHOUSE_PASSWORD GRAFANA_ADMIN_PASSWORD)

# `.env` is read by Compose and by bash, and Kafka's tool reads a password from a list: in any of them other characters
# would be a part of the notation, and the servers would get another password than the service, or a command.
check_values() {
    local name
    for name in "${wanted[@]}"; do
        grep -q "^$name=." <<< "$1" || { echo "setup.sh needs $name on its standard input" >&2; exit 1; }
        grep -qE "^$name=[A-Za-z0-9._+/:@%-]+=*$" <<< "$1" || {
            echo "$name may have letters, digits and . _ + / : @ % - only, and = at its end" >&2
            exit 1
        }
    done
}

# Debian's own Docker is too old for the compose files.
install_docker() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # A new machine is busy with its own updates.
    apt-get install -y -qq ca-certificates curl -o DPkg::Lock::Timeout=300 > /dev/null
    install -m 0755 -d "$etc/apt/keyrings"
    curl -fsSL https://download.docker.com/linux/debian/gpg -o "$etc/apt/keyrings/docker.asc"
    chmod 644 "$etc/apt/keyrings/docker.asc"
    # shellcheck source=/dev/null
    echo "deb [signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/debian $(. /etc/os-release && echo "$VERSION_CODENAME") stable" \
        > "$etc/apt/sources.list.d/docker.list"
    chmod 644 "$etc/apt/sources.list.d/docker.list"
    apt-get update -qq
    apt-get install -y -qq docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin \
        -o DPkg::Lock::Timeout=300 > /dev/null
}

# Formats the disk only if there is nothing on it, and grows what is there if the disk was made larger.
mount_disk() {
    blkid "$disk" > /dev/null || mkfs.ext4 -q -m 0 "$disk"
    mkdir -p "$data"
    mountpoint -q "$data" || mount -o discard,defaults "$disk" "$data"
    resize2fs "$disk" > /dev/null
    grep -qF " $data " "$etc/fstab" || echo "$disk $data ext4 discard,defaults,nofail 0 2" >> "$etc/fstab"
    # Without the disk, containers would write to an empty folder.
    mkdir -p "$etc/systemd/system/docker.service.d"
    printf '[Unit]\nRequiresMountsFor=%s\n' "$data" > "$etc/systemd/system/docker.service.d/disk.conf"
}

# Folders of the containers' users; ClickHouse takes its own.
make_folders() {
    mkdir -p "$data/kafka" "$data/clickhouse" "$data/grafana"
    chmod 755 "$data"
    chown 1000 "$data/kafka"
    chown 101 "$data/clickhouse"
    chown 472 "$data/grafana"
}

# A number that changes with the files in these folders: Compose does not look into what it mounts.
sum_of() { find "$@" -type f -print0 | sort -z | xargs -0 -r sha256sum | sha256sum | cut -c 1-16; }

write_env() {
    local given
    given=$(cat)
    check_values "$given"
    {
        echo "$given"
        echo "VM_DATA=$data"
        echo "KAFKA_EXTERNAL_HOST=$(sed -n 's/^VM_ADDRESS=//p' <<< "$given")"
        echo "COMPOSE_FILE=docker-compose.yml:deploy/gcp/docker-compose.vm.yml"
        echo "CLICKHOUSE_FILES=$(sum_of deploy/clickhouse deploy/gcp/clickhouse)"
        echo "GRAFANA_FILES=$(sum_of grafana/provisioning)"
        deploy/gcp/machine/memory.sh
    } > .env.new
    mv .env.new .env # as a whole or not at all
}

install_timer() {
    cat > "$etc/systemd/system/log-analytics.service" << END
[Unit]
Description=Certificates and backups of log-analytics
[Service]
Type=oneshot
ExecStart=$PWD/deploy/gcp/machine/daily.sh
END
    cat > "$etc/systemd/system/log-analytics.timer" << END
[Unit]
Description=Certificates and backups of log-analytics, each night
[Timer]
OnCalendar=*-*-* 01:00:00 UTC
RandomizedDelaySec=15m
Persistent=true
[Install]
WantedBy=timers.target
END
    systemctl daemon-reload
    systemctl enable --quiet --now log-analytics.timer
}

write_env
# Containers read these files as users of their own, whatever the umask was where they were checked out.
find . -mindepth 1 -maxdepth 1 ! -name '.env*' -exec chmod -R a+rX {} +
address=$(sed -n 's/^VM_ADDRESS=//p' .env)
deploy/check-docker > /dev/null 2>&1 || install_docker
deploy/check-docker
mount_disk
make_folders
changed=$(deploy/gcp/machine/certificates.sh "$data/tls" "$address")
docker compose pull --quiet
running=$(docker compose ps --quiet kafka)
docker compose up --detach --build --wait kafka clickhouse grafana
docker compose run --rm --no-deps kafka-init
if [ -n "$changed" ] && [ -n "$running" ]; then
    docker compose restart kafka clickhouse
fi
rm -f "$data/tls/unread"
install_timer
# The system's disk is small: images of earlier versions would fill it.
docker image prune --all --force --filter until=720h > /dev/null
docker compose ps
