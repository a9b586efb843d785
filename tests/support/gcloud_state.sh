#!/bin/sh
# Stands in for gcloud: writes down its calls, and remembers what was created, so that lists show it.
# $CALLS is the file of calls, $STATE a folder: things, one `kind|name` a line, and the values of secrets.
{
    printf gcloud
    for word; do printf '\t%s' "$word"; done
    echo
} >> "$CALLS"

arguments=
secret=
command=
for word; do
    case $word in
        --secret=*) secret=${word#--secret=} ;;
        --command=*) command=${word#--command=} ;;
        -*) ;;
        *) arguments="$arguments $word" ;;
    esac
done
name=${arguments##* }
name=${name#gs://}
touch "$STATE/things"

case $arguments in
    *" snapshot-schedule "*) kind="compute resource-policies" ;;
    " storage rm "*) kind="storage buckets" ;;
    *" versions "*) kind="secrets" ;;
    *)
        kind=${arguments% create *}
        kind=${kind% delete *}
        kind=${kind% list}
        kind=${kind# }
        ;;
esac

if [ -e "$STATE/broken" ] && [ "$arguments" != " services enable" ]; then
    echo "ERROR: you may not" >&2
    exit 1
fi

case $arguments in
    *" list") sed -n "s/^$kind|//p" "$STATE/things" ;;
    *" add-iam-policy-binding "* | *" update "* | " services enable "*) ;;
    *" create "*)
        [ "$kind" != "iam service-accounts" ] || name="$name@$PROJECT_ID.iam.gserviceaccount.com"
        grep -qx "$kind|$name" "$STATE/things" && { echo "ERROR: $name already exists" >&2; exit 1; }
        echo "$kind|$name" >> "$STATE/things"
        [ "$kind" != secrets ] || cat > "$STATE/$name"
        ;;
    *" delete "* | " storage rm "*)
        grep -qx "$kind|$name" "$STATE/things" || { echo "ERROR: no $name" >&2; exit 1; }
        grep -vx "$kind|$name" "$STATE/things" > "$STATE/left"
        # A router's NAT goes with it.
        [ "$kind" != "compute routers" ] || sed -i '/^compute routers nats/d' "$STATE/left"
        mv "$STATE/left" "$STATE/things"
        ;;
    *" versions access latest") cat "$STATE/$secret" ;;
    *" versions list "*) if [ -s "$STATE/$name" ]; then echo 1; fi ;;
    *" versions add "*) cat > "$STATE/$name" ;;
    " compute addresses describe "*) echo 10.80.0.2 ;;
    " compute ssh "*)
        case $command in
            *setup.sh) cat > "$STATE/setup-input" ;;
            *tar*) cat > "$STATE/files.tar.gz" ;;
            cat*) echo "-----BEGIN CERTIFICATE----- ${CA:-first}" ;;
        esac
        ;;
esac
