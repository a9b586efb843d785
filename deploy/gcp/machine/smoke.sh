#!/bin/bash
# Checks this machine as a service on another one would use it: sends a log and reads it back, through TLS and passwords.
# It has a topic and a table of its own, so that it takes no partitions from the service.
set -euo pipefail
cd "$(dirname "$0")/../../.."

wait_secs=${SMOKE_WAIT_SECS:-120}
# `up` and `run` take an image that is there, be it one of the version before.
docker compose --profile smoke build --quiet app
text="smoke test $(openssl rand -hex 8)"

echo "The topic, the table and the settings of the service:"
docker compose run --rm --no-deps app python -m app check

export COMPOSE_PROFILES=smoke SMOKE_TOPIC=smoke-test SMOKE_GROUP=smoke-test SMOKE_TABLE=smoke_test
trap 'docker compose rm --stop --force app > /dev/null' EXIT
docker compose up --detach --no-deps --wait app
printf '{"service":"smoke-test","message":"%s"}\n' "$text" | docker compose exec -T app python -m app send -
for ((waited = 0; waited < wait_secs; waited += 2)); do
    if docker compose exec -T app python -m app query "\"$text\"" --since 15m -o raw | grep -F "$text"; then
        echo "A log was sent, stored and read back."
        exit 0
    fi
    sleep 2
done
echo "The log did not arrive within $wait_secs s. What the service says:" >&2
docker compose logs --tail 50 app >&2
exit 1
