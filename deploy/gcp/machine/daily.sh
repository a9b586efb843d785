#!/bin/bash
# What log-analytics.timer runs each night: renews the certificate when it is time, and backs up.
set -euo pipefail
cd "$(dirname "$0")/../../.."
# shellcheck source=/dev/null
. ./.env

if [ "$(deploy/gcp/machine/certificates.sh "${VM_DATA:-/mnt/data}/tls" "$VM_ADDRESS")" = changed ]; then
    docker compose restart kafka clickhouse
fi
deploy/gcp/machine/backup.sh
