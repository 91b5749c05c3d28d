# What one does here. `make` alone lists it.

CARGO ?= cargo
# Events a second of the simulated programme of `make run`, and where its data lives.
RATE ?= 50
DATA ?= data
LISTEN ?= 127.0.0.1:8080
# Seconds that `make fuzz` takes for each target.
SECONDS_EACH ?= 60
# Schedules that `make sim` plays, from which seed on.
SEEDS ?= 20000
FIRST ?= 0

# Brokers and database nodes of `make services-up`: 1 or 3, kept until WIPE=1; SECURE=1 for TLS, users and passwords.
NODES ?=
SECURE ?=
WIPE ?=
SERVICES = scripts/services/services
# What Debian calls that which the C library in the client of Kafka is built with. The Dockerfile and .ci/run have the same.
BUILD_PACKAGES = gcc g++ libc6-dev make pkg-config libssl-dev zlib1g-dev

.DEFAULT_GOAL := help
.PHONY: help run test check tidy bench bench-cluster soak sim chaos fraud-report examples fuzz services-up services-down cargo

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: cargo ## build, then run with a simulated programme; the page's address is printed, with a key (RATE= DATA= LISTEN=)
	$(CARGO) build --release --locked --bin tributary
	@exec target/release/tributary --data-dir $(DATA) run --listen $(LISTEN) --simulate $(RATE) --show-key

test: cargo ## every quick test, on Kafka and a database too; with CI=true nothing is left out in silence
	scripts/test

check: cargo ## format, lints, docs, rules of the house
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps
	$(MAKE) --no-print-directory tidy

tidy: cargo ## the rules of the house alone
	$(CARGO) test --locked --test it -- tidy::

bench: cargo ## measure, and write benches/RESULTS.md
	$(CARGO) bench --locked --bench embedded

# A heap and a compiler as in production; the tests have neither.
bench-cluster: export SERVICES_DIR = $(CURDIR)/target/services-bench
bench-cluster: export SERVICES_JVM = -XX:+UseG1GC
bench-cluster: export KAFKA_HEAP = 1g
bench-cluster: export CASSANDRA_HEAP = 2g
bench-cluster: cargo ## measure on Kafka and Cassandra, which it starts, and write benches/CLUSTER.md (half an hour)
	$(CARGO) bench --locked --bench cluster --no-run
	$(SERVICES) up kafka cassandra
	eval "$$($(SERVICES) env)"; $(CARGO) bench --locked --bench cluster; status=$$?; $(SERVICES) down --wipe; exit $$status

# Long forms that need Kafka or the database are those of chaos and examples; bench-cluster measures.
soak: cargo ## the long forms: many kills, flipped bytes, evolved schemas, snapshots in S3 (an hour or so); what cannot run here fails
	python3 -m venv target/moto && target/moto/bin/pip install -q -r tests/requirements.txt
	CI=true $(CARGO) test --locked --release --test it -- --ignored --test-threads 1 \
	  --skip chaos:: --skip deploy::examples:: --skip store::scylla::rows_a_second_of_one_task

sim: cargo ## the worker in a simulated world, every night: SEEDS= schedules from FIRST= on
	FIRST=$(FIRST) SEEDS=$(SEEDS) $(CARGO) test --locked --test it -- --ignored --exact sim::many_seeds

chaos: cargo ## kill and pause workers, brokers and database nodes under load, half an hour; writes tests/CHAOS.md (CHAOS_FAULTS= CHAOS_SEED=)
	$(SERVICES) fetch kafka cassandra
	CI=true CHAOS_WATCH=1 $(CARGO) test --locked --test it -- --ignored --test-threads 1 --nocapture chaos::

fraud-report: cargo ## how much fraud of labelled traffic the rules find, and whom of the honest they hit; writes docs/FRAUD-REPORT.md
	$(CARGO) test --locked --test it -- --ignored --exact fraud::report::measured_on_seeds_and_families_that_were_held_out

examples: cargo ## the example producers against a real broker: what they send, and that figures are those of HTTP
	python3 -m venv target/examples && target/examples/bin/pip install -q -r deploy/examples/python/requirements.txt
	$(SERVICES) fetch kafka registry
	CI=true $(CARGO) test --locked --test it -- --ignored deploy::examples

fuzz: cargo ## feed hostile bytes to each fuzz target (needs cargo-fuzz and a nightly toolchain)
	scripts/fuzz $(SECONDS_EACH)

services-up: ## Kafka, Cassandra and a schema registry on this machine, without containers (NODES=1|3 SECURE=1)
	@$(SERVICES) up $(if $(NODES),--nodes $(NODES)) $(if $(SECURE),--secure)
	@$(SERVICES) env
	@echo 'for this shell: eval "$$($(SERVICES) env)"' >&2

services-down: ## stop them (WIPE=1 deletes their data too)
	@$(SERVICES) down $(if $(WIPE),--wipe)

cargo:
	@command -v $(CARGO) >/dev/null || { \
	  echo "Tributary is built with Rust, and cargo is not installed. Install it, then open a new shell:" >&2; \
	  echo "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y" >&2; \
	  exit 1; }
	@{ command -v cc && command -v make && pkg-config --exists openssl; } >/dev/null || { \
	  echo "Building needs a C compiler and OpenSSL: apt-get install -y $(BUILD_PACKAGES), or your system's own" >&2; exit 1; }
