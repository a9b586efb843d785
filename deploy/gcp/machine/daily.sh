#!/bin/bash
# What log-analytics.timer runs each night: renews the certificate when it is time, and backs up.
set -euo pipefail
cd "$(dirname "$0")/../../.."
# shellcheck source=/dev/null
. ./.env

tls=${VM_DATA:-/mnt/data}/tls
if [ "$(deploy/gcp/machine/certificates.sh "$tls" "$VM_ADDRESS")" = changed ]; then
    docker compose restart kafka clickhouse
    rm "$tls/unread"
fi
deploy/gcp/machine/backup.sh
