#!/bin/bash
# Prints how a machine's memory is shared among the containers, as lines for .env.
#   memory.sh          of this machine
#   memory.sh 4096     of one with that many MB
set -euo pipefail

# The system, Docker, Grafana (448 MB), and a smoke test beside them.
kept_mb=1100
least_mb=3600

total_mb=${1:-$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)}
if [ "$total_mb" -lt "$least_mb" ]; then
    echo "This machine has $total_mb MB of memory, and at least $least_mb are needed: e2-medium or larger." >&2
    exit 1
fi

# Kafka needs little but for the page cache, which counts towards its limit too; ClickHouse has what is left.
kafka_mb=$((total_mb / 5))
[ "$kafka_mb" -ge 768 ] || kafka_mb=768
[ "$kafka_mb" -le 6144 ] || kafka_mb=6144
heap_mb=$((kafka_mb / 2))
[ "$heap_mb" -le 2048 ] || heap_mb=2048

echo "KAFKA_MEMORY=${kafka_mb}m"
echo "KAFKA_HEAP=${heap_mb}m"
echo "CLICKHOUSE_MEMORY=$((total_mb - kept_mb - kafka_mb))m"
