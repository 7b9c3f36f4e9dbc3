# Packages, and what they have in common: "make install". packaging/README.md says what is in them.

.PHONY: install deb rpm static packages test-packages programs static-programs package-tools

# With PROFILE=dev nothing is optimized: for work on the packages themselves.
PROFILE = release
BUILT = $(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p;T;q' Cargo.toml)
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
# Static programs may be for another processor (TARGET=aarch64-unknown-linux-musl): Rust brings a linker for those.
TARGET = $(shell uname -m)-unknown-linux-musl
is-foreign = $(filter-out $(shell uname -m)-%,$(TARGET))
STATIC = target/packages/static$(if $(is-foreign),-$(firstword $(subst -, ,$(TARGET))))
with-own-linker = --config 'target.$(TARGET).linker="rust-lld"' \
	--config 'target.$(TARGET).rustflags=["-Clinker-flavor=ld.lld", "-Clink-self-contained=yes", "-Cstrip=symbols"]'
# What licences want to go along with programs. It stays beside them.
NOTICES = THIRD-PARTY-NOTICES
collect-notices = packaging/notices/collect $(1) >$(2)/$(NOTICES).new && mv $(2)/$(NOTICES).new $(2)/$(NOTICES)

# The same sources make the same packages.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || date +%s)
export SOURCE_DATE_EPOCH

# Where distributions differ.
DESTDIR =
UNITDIR = /usr/lib/systemd/system
ZSHDIR = /usr/share/zsh/site-functions
DOCDIR = /usr/share/doc/nfdhcpd
PROGRAMS = target/$(BUILT)

# Files into a directory, if there are any.
install = $(if $(2),install -D --mode=644 --target-directory=$(DESTDIR)$(1) $(2))
# One file under a name of its own, unless it is there: it is the administrator's then.
install-config = [ -e $(DESTDIR)$(2) ] || install -D --mode=644 $(1) $(DESTDIR)$(2)

# All that belongs onto a node, for packages and for who has none.
install:
	install -D --strip --target-directory=$(DESTDIR)/usr/sbin $(PROGRAMS)/nfdhcpd $(PROGRAMS)/snf-network
	$(call install-config,config/nfdhcpd.conf,/etc/nfdhcpd/nfdhcpd.conf)
	$(call install-config,config/snf-network.default,/etc/default/snf-network)
	$(call install-config,packaging/logrotate/nfdhcpd,/etc/logrotate.d/nfdhcpd)
	$(call install,$(UNITDIR),$(wildcard packaging/*.service packaging/*.timer))
	$(call install,/usr/lib/sysusers.d,packaging/sysusers.d/nfdhcpd.conf)
	$(call install,/usr/lib/tmpfiles.d,packaging/tmpfiles.d/nfdhcpd.conf)
	$(call install,/usr/share/man/man5,$(wildcard packaging/man/*.5))
	$(call install,/usr/share/man/man8,$(wildcard packaging/man/*.8))
	$(foreach file,$(wildcard packaging/completions/*.bash),install -D --mode=644 $(file) \
		$(DESTDIR)/usr/share/bash-completion/completions/$(basename $(notdir $(file))) &&) true
	$(call install,$(ZSHDIR),$(wildcard packaging/completions/_*))
	$(call install,/usr/share/fish/vendor_completions.d,$(wildcard packaging/completions/*.fish))
	$(call install,$(DOCDIR),README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md $(wildcard $(PROGRAMS)/$(NOTICES)))
	$(call install,$(DOCDIR)/docs,$(wildcard docs/*.md))
	cp -r packaging/examples $(DESTDIR)$(DOCDIR)
	cp -r packaging/grafana packaging/prometheus $(DESTDIR)$(DOCDIR)/examples

# With Debian's own tools: what "make install" does not do, they do as for all packages.
deb: programs
	@packaging/debian/build $(VERSION) $(PROGRAMS)

rpm: programs
	@packaging/rpm/build $(VERSION) $(PROGRAMS)

# Programs that need nothing of a machine but its kernel.
static: static-programs
	@mkdir -p $(STATIC)
	@for program in nfdhcpd snf-network; do \
		$(if $(is-foreign),cp -t $(STATIC),strip -o $(STATIC)/$$program) target/$(TARGET)/$(BUILT)/$$program; \
	done
	@cp target/$(TARGET)/$(BUILT)/$(NOTICES) $(STATIC)
	@stat --format='%s bytes  %n' $(STATIC)/nfdhcpd $(STATIC)/snf-network
	@$(if $(is-foreign),exit;) TIMEFORMAT='%R s for a hundred starts of nfdhcpd --version'; \
		time for run in {1..100}; do $(STATIC)/nfdhcpd --version >/dev/null; done
static: SHELL = bash

# All of them, and an upgrade for the tests.
packages: deb rpm static
	@packaging/rpm/build $(VERSION) $(PROGRAMS) 2

# Where the package has to make do with what it depends on. Made once for each list of that.
target/minimal.tar: packaging/debian/control tests/packages/minimal.sh | deb
	@tests/packages/minimal.sh target/packages/nfdhcpd_*.deb $@

test-packages: packages target/minimal.tar
	NFDHCPD_PACKAGES=$(CURDIR)/target/packages cargo test --quiet --test packages

programs: package-tools
	+cargo build --quiet --profile $(PROFILE) --locked --bins
	@$(call collect-notices,$(HOST),target/$(BUILT))

static-programs: package-tools
	@[ -d "$$(MAKEFLAGS= rustc --print target-libdir --target $(TARGET))" ] || { \
		echo 'Rust lacks its libraries for $(TARGET), which linking statically takes: rustup adds them'; \
		command -v rustup >/dev/null || { \
			echo 'There is no rustup: Rust of a distribution rarely has them. With Rust from rustup ("apt install rustup",' \
				'or https://rustup.rs) this works; "make deb" and "make rpm" do without'; \
			exit 1; \
		} >&2; \
		rustup target add $(TARGET); \
	}
	+cargo build --quiet --profile $(PROFILE) --locked --bins --target $(TARGET) $(if $(is-foreign),$(with-own-linker))
	@$(call collect-notices,$(TARGET),target/$(TARGET)/$(BUILT))

# Who makes one package needs neither the other's tools nor those of the tests.
package-tools:
	@command -v cargo >/dev/null || { echo 'Rust is missing: "apt install rustup", or https://rustup.rs; which version, Cargo.toml says' >&2; exit 1; }
	@tests/install-tools.sh build $(if $(filter-out deb rpm static,$(MAKECMDGOALS)),deb rpm package,$(MAKECMDGOALS))
