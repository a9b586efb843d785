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

query() {
    docker compose exec -T clickhouse sh -c \
        "clickhouse-client --user \"\$CLICKHOUSE_USER\" --password \"\$CLICKHOUSE_PASSWORD\" --query \"$1\""
}

# What is remembered of deleted logs is restored only if it is lost: the table that is there knows more.
what="TABLE logs.logs"
[ "$(query "EXISTS TABLE logs.logs_removed")" = 1 ] || what=ALL
query "RESTORE $what FROM Disk('backups', '$name')"
rm "$folder/$name"
