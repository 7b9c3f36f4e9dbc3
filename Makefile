# make help

.PHONY: help demo test test-topologies test-ganeti lint bench soak fuzz fuzz-smoke

help:
	@echo 'make demo   a guest gets its network from a daemon built from here (no root needed)'
	@echo 'make test   every test: unit, captures, real clients over NFQUEUE, a short run of the fuzzers'
	@echo 'make test-topologies   VLANs, a bond and private bridges, in an emulated machine (docs/topologies.md)'
	@echo 'make test-ganeti   both programs on a Ganeti cluster of two nodes, in namespaces (root; docs/ganeti.md)'
	@echo 'make deb, make rpm, make static   packages, and programs that need no libraries, in target/packages (packaging/README.md)'
	@echo 'make test-packages   all of them installed, used, upgraded and removed, in layers over this machine (root)'
	@echo 'make lint   format, clippy, documentation, the units of systemd'
	@echo 'make bench  the daemon beside the limit of NFQUEUE, dnsmasq and Kea; tables in some minutes (docs/performance.md)'
	@echo 'make soak   an hour of changing bindings, taps, floods and restarts, or SECONDS=60 of it; nothing may grow'
	@echo 'make fuzz   every fuzzer for ten minutes'

demo:
	@tests/install-tools.sh demo
	@cargo build --quiet --bin nfdhcpd
	@examples/demo.sh target/debug/nfdhcpd

test:
	@tests/install-tools.sh
	cargo test --quiet
	@$(MAKE) --silent fuzz-smoke

test-topologies:
	@tests/install-tools.sh guest
	cargo test --quiet --test topologies

test-ganeti:
	@tests/install-tools.sh guest
	NFDHCPD_GANETI=1 cargo test --quiet --test ganeti

lint:
	cargo fmt --check
	cargo clippy --quiet --all-targets --test topologies -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' cargo doc --quiet --no-deps
	@.ci/units

# BENCH='compare --help' tells what else there is.
BENCH = compare
bench:
	@tests/install-tools.sh demo
	@tests/install-tools.sh bench || echo 'going on without'
	@cargo bench --quiet --bench node -- $(BENCH)
ifeq ($(firstword $(BENCH)),compare)
	@printf "### Instructions of the daemon's own code\n\n"
	@cargo bench --quiet --bench instructions | sed 's/^/    /'
endif

# "soak --help" tells what else there is: SOAK='--seed 7' repeats a run.
SECONDS = 3600
soak:
	@tests/install-tools.sh demo
	@cargo bench --quiet --bench node -- soak --seconds $(SECONDS) $(SOAK)

fuzz-smoke: target/tools/bin/cargo-fuzz
	@if [ -x fuzz/smoke.sh ]; then fuzz/smoke.sh 10; fi

fuzz: target/tools/bin/cargo-fuzz
	fuzz/smoke.sh 600

# Built without optimization: they run for seconds.
target/tools/bin/cargo-%:
	CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
		cargo install --quiet --locked --root target/tools cargo-$*

include packaging/packages.mk
