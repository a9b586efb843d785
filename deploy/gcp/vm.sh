#!/bin/bash
# A machine on Google Cloud with Kafka and ClickHouse, for the service on Cloud Run. README.md beside this file explains it.
#   deploy/gcp/vm.sh [--dry-run] up         makes what is missing, and brings the machine up to date
#   deploy/gcp/vm.sh [--dry-run] smoke      sends a log through Kafka and reads it back from ClickHouse
#   deploy/gcp/vm.sh settings               prints what step 1 of deploy/cloudrun/README.md needs
#   deploy/gcp/vm.sh [--dry-run] destroy [--with-data]    deletes it; data, backups and secrets only if that is said
# --dry-run shows the commands that would change something, and runs none of them.
# The environment names PROJECT_ID, and perhaps REGION, ZONE, MACHINE_TYPE, DISK_GB.
set -euo pipefail
cd "$(dirname "$0")/../.."

PROJECT_ID=${PROJECT_ID:?export PROJECT_ID=the id of your project on Google Cloud}
ZONE=${ZONE:-${REGION:-europe-west1}-b}
REGION=${REGION:-${ZONE%-*}}
MACHINE_TYPE=${MACHINE_TYPE:-e2-medium}
DISK_GB=${DISK_GB:-50}
# A network of its own: the default one lets ssh and remote desktops in from everywhere.
SUBNET_RANGE=${SUBNET_RANGE:-10.80.0.0/24}
# Google's Identity-Aware Proxy, which lets in who may, and nobody else: https://cloud.google.com/iap/docs/using-tcp-forwarding
IAP_RANGE=35.235.240.0/20

NAME=log-analytics
VM=$NAME-vm
ACCOUNT=$VM@$PROJECT_ID.iam.gserviceaccount.com
BUCKET=$PROJECT_ID-$NAME-backups
PASSWORDS=(kafka clickhouse reader grafana grafana-admin)
# What the machine gets of this repository.
FILES=(docker-compose.yml schema.sql requirements.txt Dockerfile .dockerignore LICENSE app migrations grafana)
FILES+=(prometheus.yml prometheus producer.py sending deploy/check-docker deploy/clickhouse deploy/gcp)

export CLOUDSDK_CORE_PROJECT=$PROJECT_ID CLOUDSDK_CORE_DISABLE_PROMPTS=1
dry_run=
with_data=

say() { echo "$*" >&2; }

# Names that would fail only after half of it is made, and then for a reason that says little.
check_names() {
    # The account's address is made of it: https://cloud.google.com/resource-manager/docs/creating-managing-projects
    if ! [[ $PROJECT_ID =~ ^[a-z][a-z0-9-]{4,28}[a-z0-9]$ ]]; then
        say "PROJECT_ID is '$PROJECT_ID'. It has to be a project's id, not its name or number: gcloud projects list"
        exit 1
    fi
    if [ "${ZONE%-*}" != "$REGION" ]; then
        say "ZONE is '$ZONE', which is not in REGION '$REGION': gcloud compute zones list"
        exit 1
    fi
}

show() {
    printf '+'
    printf ' %q' "$@"
    echo
}

# A command that changes something.
run() {
    if [ -n "$dry_run" ]; then show "$@"; else "$@"; fi
}

# Whether the command behind the name, a list, does not print it. What cannot be listed yet, because its API is not
# enabled, is missing in a dry run.
missing() {
    local name=$1 listed
    shift
    if ! listed=$("$@" 2> /dev/null); then
        [ -n "$dry_run" ] && return 0
        "$@" > /dev/null || { say "Cannot tell whether $name is there."; exit 1; }
    fi
    ! grep -qxF -- "$name" <<< "$listed"
}

has() { ! missing "$@"; }

on_vm() {
    run gcloud compute ssh "$VM" --zone="$ZONE" --tunnel-through-iap --command="$1"
}

make_network() {
    if missing "$NAME" gcloud compute networks list --format="value(name)"; then
        run gcloud compute networks create "$NAME" --subnet-mode=custom
    fi
    if missing "$NAME" gcloud compute networks subnets list --regions="$REGION" --format="value(name)"; then
        run gcloud compute networks subnets create "$NAME" --network="$NAME" --region="$REGION" --range="$SUBNET_RANGE" \
            --enable-private-ip-google-access
    fi
    # The machine has no address on the internet; this lets it fetch packages and images.
    if missing "$NAME" gcloud compute routers list --regions="$REGION" --format="value(name)"; then
        run gcloud compute routers create "$NAME" --network="$NAME" --region="$REGION"
    fi
    if missing "$NAME" gcloud compute routers nats list --router="$NAME" --region="$REGION" --format="value(name)"; then
        run gcloud compute routers nats create "$NAME" --router="$NAME" --region="$REGION" \
            --auto-allocate-nat-external-ips --nat-all-subnet-ip-ranges
    fi
}

# What is not allowed here is refused, as everywhere on Google Cloud.
make_firewall() {
    if missing "$NAME-ssh" gcloud compute firewall-rules list --format="value(name)"; then
        run gcloud compute firewall-rules create "$NAME-ssh" --network="$NAME" --direction=INGRESS --allow=tcp:22 \
            --source-ranges="$IAP_RANGE" --target-service-accounts="$ACCOUNT"
    fi
    # Cloud Run's instances have addresses of the subnet.
    if missing "$NAME-data" gcloud compute firewall-rules list --format="value(name)"; then
        run gcloud compute firewall-rules create "$NAME-data" --network="$NAME" --direction=INGRESS \
            --allow=tcp:9092,tcp:8443 --source-ranges="$SUBNET_RANGE" --target-service-accounts="$ACCOUNT"
    fi
}

make_account() {
    if missing "$ACCOUNT" gcloud iam service-accounts list --format="value(email)"; then
        run gcloud iam service-accounts create "$VM" --display-name="Kafka and ClickHouse of $NAME"
    fi
}

# The machine may add backups and read them, and neither change nor delete one.
make_bucket() {
    local role
    if missing "$BUCKET" gcloud storage buckets list --format="value(name)"; then
        run gcloud storage buckets create "gs://$BUCKET" --location="$REGION" --uniform-bucket-level-access \
            --public-access-prevention
    fi
    run gcloud storage buckets update "gs://$BUCKET" --lifecycle-file=deploy/gcp/bucket-lifecycle.json
    for role in roles/storage.objectCreator roles/storage.objectViewer; do
        run gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" --member="serviceAccount:$ACCOUNT" --role="$role"
    done
}

make_disk() {
    if missing "$NAME-daily" gcloud compute resource-policies list --regions="$REGION" --format="value(name)"; then
        run gcloud compute resource-policies create snapshot-schedule "$NAME-daily" --region="$REGION" --daily-schedule \
            --start-time=02:00 --max-retention-days=14 --on-source-disk-delete=keep-auto-snapshots
    fi
    if missing "$NAME-data" gcloud compute disks list --zones="$ZONE" --format="value(name)"; then
        run gcloud compute disks create "$NAME-data" --zone="$ZONE" --type=pd-balanced --size="${DISK_GB}GB" \
            --resource-policies="$NAME-daily"
    fi
}

# The internal address is reserved first and given to the machine as it is made: clients and certificates name it.
make_machine() {
    if missing "$VM" gcloud compute addresses list --regions="$REGION" --format="value(name)"; then
        run gcloud compute addresses create "$VM" --region="$REGION" --subnet="$NAME"
    fi
    if missing "$VM" gcloud compute instances list --zones="$ZONE" --format="value(name)"; then
        run gcloud compute instances create "$VM" --zone="$ZONE" --machine-type="$MACHINE_TYPE" \
            --image-project=debian-cloud --image-family=debian-12 --boot-disk-size=20GB --boot-disk-type=pd-balanced \
            --network-interface="subnet=$NAME,private-network-ip=$VM,no-address" \
            --disk="name=$NAME-data,device-name=data,mode=rw,auto-delete=no" \
            --service-account="$ACCOUNT" --scopes=storage-rw \
            --shielded-secure-boot --shielded-vtpm --shielded-integrity-monitoring --metadata=enable-oslogin=TRUE
    fi
}

address() {
    if [ -n "$dry_run" ] && missing "$VM" gcloud compute addresses list --regions="$REGION" --format="value(name)"; then
        echo ADDRESS
    else
        gcloud compute addresses describe "$VM" --region="$REGION" --format="value(address)"
    fi
}

# Made once; the passwords exist in Secret Manager and on the machine only.
make_passwords() {
    local name secret
    for name in "${PASSWORDS[@]}"; do
        secret=$NAME-$name-password
        if missing "$secret" gcloud secrets list --format="value(name.basename())"; then
            password_into gcloud secrets create "$secret" --data-file=- --replication-policy=automatic
        elif is_empty "$secret"; then
            say "$secret holds nothing, as after a run that was cut off: it gets a password."
            password_into gcloud secrets versions add "$secret" --data-file=-
        fi
    done
}

# Whether the secret of that name has no version.
is_empty() {
    local versions
    versions=$(gcloud secrets versions list "$1" --limit=1 --format="value(name)") || exit 1
    [ -z "$versions" ]
}

# Hands a new password to the command behind it.
password_into() {
    if [ -n "$dry_run" ]; then
        printf '%s |' "$(show openssl rand -hex 24)"
        show "$@" | sed 's/^+//'
    else
        openssl rand -hex 24 | tr -d '\n' | "$@"
    fi
}

wait_for_ssh() {
    local tries
    [ -z "$dry_run" ] || return 0
    for tries in 1 2 3 4 5 6 7 8 9 10; do
        say "Waiting for ssh ($tries) ..."
        on_vm true 2> /dev/null && return 0
        sleep "${SSH_WAIT_SECS:-15}"
    done
    on_vm true || { say "The machine does not answer over ssh. May you use the tunnel? README.md, Rights."; exit 1; }
}

password() { gcloud secrets versions access latest --secret="$NAME-$1-password"; }

# What setup.sh reads, so that no password is on a command line.
machine_settings() {
    echo "VM_ADDRESS=$(address)"
    echo "BACKUP_BUCKET=$BUCKET"
    echo "KAFKA_PASSWORD=$(password kafka)"
    echo "CLICKHOUSE_PASSWORD=$(password clickhouse)"
    echo "CLICKHOUSE_READER_PASSWORD=$(password reader)"
    echo "GRAFANA_CLICKHOUSE_PASSWORD=$(password grafana)"
    echo "GRAFANA_ADMIN_PASSWORD=$(password grafana-admin)"
}

set_up_machine() {
    local given unpack="sudo mkdir -p /opt/$NAME && sudo tar --extract --gzip --file=- --no-same-owner --directory=/opt/$NAME"
    local set_up="sudo /opt/$NAME/deploy/gcp/machine/setup.sh"
    wait_for_ssh
    if [ -n "$dry_run" ]; then
        on_vm "$unpack"
        on_vm "$set_up"
    else
        # A Mac's tar writes to a tape unless it is told otherwise.
        COPYFILE_DISABLE=1 tar --create --gzip --file=- --exclude=__pycache__ "${FILES[@]}" | on_vm "$unpack"
        given=$(machine_settings) # setup.sh refuses a value that could not be read
        on_vm "$set_up" <<< "$given"
    fi
}

# The certificate of the machine's CA, which the service trusts. It changes only with the data's disk.
keep_ca() {
    local certificate=
    if [ -z "$dry_run" ]; then
        certificate=$(on_vm "cat /mnt/data/tls/ca/ca.pem")
    fi
    if missing "$NAME-ca" gcloud secrets list --format="value(name.basename())"; then
        run gcloud secrets create "$NAME-ca" --data-file=- --replication-policy=automatic <<< "$certificate"
    elif [ -z "$dry_run" ] && [ "$(gcloud secrets versions access latest --secret="$NAME-ca")" != "$certificate" ]; then
        run gcloud secrets versions add "$NAME-ca" --data-file=- <<< "$certificate"
        say "The CA has changed: name the new version of $NAME-ca where the service is deployed."
    fi
}

up() {
    run gcloud services enable compute.googleapis.com iam.googleapis.com iap.googleapis.com \
        secretmanager.googleapis.com storage.googleapis.com
    make_network
    make_account
    make_firewall
    make_bucket
    make_disk
    make_machine
    make_passwords
    set_up_machine
    keep_ca
    settings
}

smoke() { on_vm "sudo /opt/$NAME/deploy/gcp/machine/smoke.sh"; }

settings() {
    local found
    found=$(address)
    cat << END
export NETWORK=$NAME SUBNET=$NAME
export KAFKA_SERVERS=$found:9092 CLICKHOUSE_URL=https://$found:8443
END
}

destroy_machine() {
    if has "$VM" gcloud compute instances list --zones="$ZONE" --format="value(name)"; then
        run gcloud compute instances delete "$VM" --zone="$ZONE"
    fi
    if has "$VM" gcloud compute addresses list --regions="$REGION" --format="value(name)"; then
        run gcloud compute addresses delete "$VM" --region="$REGION"
    fi
}

destroy_data() {
    local name
    if has "$NAME-data" gcloud compute disks list --zones="$ZONE" --format="value(name)"; then
        run gcloud compute disks delete "$NAME-data" --zone="$ZONE"
    fi
    if has "$NAME-daily" gcloud compute resource-policies list --regions="$REGION" --format="value(name)"; then
        run gcloud compute resource-policies delete "$NAME-daily" --region="$REGION"
    fi
    if has "$BUCKET" gcloud storage buckets list --format="value(name)"; then
        run gcloud storage rm --recursive "gs://$BUCKET"
    fi
    for name in "${PASSWORDS[@]/%/-password}" ca; do
        if has "$NAME-$name" gcloud secrets list --format="value(name.basename())"; then
            run gcloud secrets delete "$NAME-$name"
        fi
    done
}

destroy_network() {
    local rule
    for rule in "$NAME-ssh" "$NAME-data"; do
        if has "$rule" gcloud compute firewall-rules list --format="value(name)"; then
            run gcloud compute firewall-rules delete "$rule"
        fi
    done
    # Its NAT goes with it.
    if has "$NAME" gcloud compute routers list --regions="$REGION" --format="value(name)"; then
        run gcloud compute routers delete "$NAME" --region="$REGION"
    fi
    if has "$NAME" gcloud compute networks subnets list --regions="$REGION" --format="value(name)"; then
        run gcloud compute networks subnets delete "$NAME" --region="$REGION"
    fi
    if has "$NAME" gcloud compute networks list --format="value(name)"; then
        run gcloud compute networks delete "$NAME"
    fi
    if has "$ACCOUNT" gcloud iam service-accounts list --format="value(email)"; then
        run gcloud iam service-accounts delete "$ACCOUNT"
    fi
}

confirm() {
    local what="the machine" typed
    [ -z "$with_data" ] || what="the machine, ITS DATA, BACKUPS AND SECRETS"
    [ -z "$dry_run" ] || return 0
    printf 'This deletes %s. Type the id of the project to go on: ' "$what" >&2
    read -r typed
    [ "$typed" = "$PROJECT_ID" ] || { say "Nothing was deleted."; exit 1; }
}

destroy() {
    confirm
    destroy_machine
    [ -z "$with_data" ] || destroy_data
    destroy_network
}

usage() {
    sed -n '2,8s/^# \{0,1\}//p' deploy/gcp/vm.sh >&2
    exit 2
}

command=
for word; do
    case $word in
        --dry-run) dry_run=1 ;;
        --with-data) with_data=1 ;;
        up | smoke | settings | destroy) [ -z "$command" ] || usage; command=$word ;;
        *) usage ;;
    esac
done
[ -z "$with_data" ] || [ "$command" = destroy ] || usage
[ -z "$command" ] || check_names
"${command:-usage}"
