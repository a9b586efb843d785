#!/bin/bash
# Backs the table up to the bucket. The machine may add files there, and read them, but change and delete none.
set -euo pipefail
cd "$(dirname "$0")/../../.."
# shellcheck source=/dev/null
. ./.env

# The disk `backups` of deploy/clickhouse/server.xml.
folder="${VM_DATA:-/mnt/data}/clickhouse/backups"
name="logs-$(date --utc +%Y-%m-%dT%H-%M-%SZ).zip"
# Of a run that was cut off.
rm -f "$folder"/logs-*.zip

docker compose exec -T clickhouse sh -c \
    "clickhouse-client --user \"\$CLICKHOUSE_USER\" --password \"\$CLICKHOUSE_PASSWORD\" --query \"BACKUP TABLE logs.logs TO Disk('backups', '$name')\""
gcloud storage cp --no-clobber "$folder/$name" "gs://$BACKUP_BUCKET/clickhouse/$name"
rm "$folder/$name"
