#!/bin/bash
# Restores the table from a backup of the bucket, into a database that has no such table.
#   restore.sh              lists the backups
#   restore.sh NAME.zip     restores one
set -euo pipefail
cd "$(dirname "$0")/../../.."
# shellcheck source=/dev/null
. ./.env

bucket="gs://$BACKUP_BUCKET/clickhouse"
if [ $# = 0 ]; then
    exec gcloud storage ls "$bucket/"
fi
name=$1
folder="${VM_DATA:-/mnt/data}/clickhouse/backups"
mkdir -p "$folder"
gcloud storage cp "$bucket/$name" "$folder/$name"
chown 101 "$folder" "$folder/$name"
docker compose exec -T clickhouse sh -c \
    "clickhouse-client --user \"\$CLICKHOUSE_USER\" --password \"\$CLICKHOUSE_PASSWORD\" --query \"RESTORE TABLE logs.logs FROM Disk('backups', '$name')\""
rm "$folder/$name"
