#!/bin/bash
# Backs the tables up to the bucket. The machine may add files there, and read them, but change and delete none.
set -euo pipefail
cd "$(dirname "$0")/../../.."
# shellcheck source=/dev/null
. ./.env

data=${VM_DATA:-/mnt/data}
# The disk `backups` of deploy/clickhouse/server.xml.
folder="$data/clickhouse/backups"
name="logs-$(date --utc +%Y-%m-%dT%H-%M-%SZ).zip"
# Of a run that was cut off.
rm -f "$folder"/logs-*.zip

query() {
    docker compose exec -T clickhouse sh -c \
        "clickhouse-client --user \"\$CLICKHOUSE_USER\" --password \"\$CLICKHOUSE_PASSWORD\" --query \"$1\""
}

# A backup that fills the disk stops Kafka, which is on the same one.
size_of_tables="SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'logs' AND table IN ('logs', 'logs_removed')"
needed=$(query "$size_of_tables")
read -r size free < <(df --output=size,avail --block-size=1 "$data" | tail -n 1)
if [ $((free - needed)) -lt $((size / 10)) ]; then
    echo "No backup: it needs $((needed / 1000000)) MB, and a tenth of the disk has to stay free, of which $((free / 1000000)) MB are: resize it (README.md, More disk)" >&2
    exit 1
fi

tables="TABLE logs.logs"
# Where logs were deleted on request: without it a restore would bring them back.
[ "$(query "EXISTS TABLE logs.logs_removed")" = 0 ] || tables="$tables, TABLE logs.logs_removed"
query "BACKUP $tables TO Disk('backups', '$name')"
# In one piece: the parts of a parallel upload would have to be deleted afterwards, which this machine may not.
export CLOUDSDK_STORAGE_PARALLEL_COMPOSITE_UPLOAD_ENABLED=False
gcloud storage cp --no-clobber "$folder/$name" "gs://$BACKUP_BUCKET/clickhouse/$name"
rm "$folder/$name"
