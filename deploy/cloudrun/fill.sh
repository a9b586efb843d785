#!/bin/sh
# Fills in a file of this folder: every ${NAME} in it becomes the value of the environment variable NAME.
#   sh deploy/cloudrun/fill.sh deploy/cloudrun/service.yaml > service.yaml
set -eu

program=
# shellcheck disable=SC2016 # the names are wanted, and not their values
for name in $(grep -o '\${[A-Z_][A-Z_]*}' "$1" | tr -d '${}' | sort -u); do
    if ! value=$(printenv "$name") || [ -z "$value" ]; then
        echo "$1 needs $name: export $name=... (step 1 of deploy/cloudrun/README.md)" >&2
        exit 1
    fi
    # What sed would read as its own in the new text.
    value=$(printf '%s' "$value" | sed 's/[\\&|]/\\&/g')
    program="$program;s|\${$name}|$value|g"
done
exec sed "$program" "$1"
