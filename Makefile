# The one door for people. `make help` says what there is.

# Which configuration `make run` starts with.
CONFIG ?= config/porthole.toml

CARGO := scripts/cargo
NPM_QUIET := --no-audit --no-fund --no-update-notifier --loglevel=error
NPM := npm --prefix web-viewer $(NPM_QUIET)
GROUP_NPM := npm --prefix config/relay-group $(NPM_QUIET)
GROUP := config/relay-group/node_modules/.complete
VIEWER := web-viewer/dist/index.html
VIEWER_SOURCES := $(shell find web-viewer/src web-viewer/build.mjs web-viewer/lean.mjs web-viewer/privates.mjs web-viewer/tsconfig.json -type f)

# What the tests drive: the binary they build, and a clip that no encoder of ours has made.
export PORTHOLE_BIN := $(CURDIR)/target/debug/porthole
export PORTHOLE_CLIP := $(CURDIR)/target/clips/vtest.avi

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test check e2e bench soak chaos fuzz deb deb-test cross vm-test viewer clean setup-run setup-test setup-deb setup-cross setup-vm

help: ## Print this
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

run: setup-run viewer ## Install what is missing, build, and start the camera (CONFIG=file)
	$(CARGO) build --release --locked -p porthole
	@exec target/release/porthole run --config $(CONFIG)

# The core comes first, because it is quick and everything else stands on it.
test: setup-test web-viewer/node_modules/.complete ## Install what is missing and run every test there is
	$(CARGO) test --locked -p porthole-core
	$(NPM) test
	$(MAKE) viewer
	$(CARGO) test --locked --workspace --exclude porthole-core
	$(MAKE) e2e

e2e: setup-test viewer $(GROUP) ## Only the tests that drive the real binary with real browsers
	$(CARGO) build --locked -p porthole
	$(NPM) run e2e

check: web-viewer/node_modules/.complete ## Formatting, lints, house rules, and dependencies where cargo-deny is there
	$(CARGO) fmt --all --check
	$(MAKE) viewer
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(NPM) run check
	.ci/tidy
	@if ! command -v cargo-deny >/dev/null; then \
		echo "check: cargo-deny is not here, so licences and advisories were not looked at"; \
	elif getent hosts github.com >/dev/null; then $(CARGO) deny check; \
	else $(CARGO) deny check bans licenses sources && \
		echo "check: github.com is not reached, so advisories were not looked at"; fi

bench: setup-test viewer ## Measure cost per viewer and time to the first picture
	# Two builds: together, the tools would decide which features the measured program has.
	$(CARGO) build --release --locked -p porthole
	$(CARGO) build --release --locked -p porthole-bench
	target/release/porthole-bench

soak: setup-test viewer ## Calls that come and go for hours, beside one that stays (MINUTES=120)
	$(CARGO) build --release --locked -p porthole
	$(CARGO) build --release --locked -p porthole-bench
	target/release/porthole-bench --soak $(or $(MINUTES),120)

chaos: setup-test viewer ## Kill, stop, cut and drop a Node relay at random under running calls (FAULTS=100 SEED=n)
	PORTHOLE_CHAOS_STRICT=1 PORTHOLE_CHAOS_FAULTS=$(or $(FAULTS),100) $(if $(SEED),PORTHOLE_CHAOS_SEED=$(SEED)) \
		$(CARGO) test --locked -p porthole --test chaos -- --nocapture

fuzz: setup-test viewer ## Hand every reader of strangers' input what they could send, changed by chance (N=1000000 TARGET=wire SEED=n)
	$(CARGO) run --locked --profile fuzz -p porthole-fuzz -- --inputs $(or $(N),1000000) \
		$(if $(TARGET),--target $(TARGET)) $(if $(SEED),--seed $(SEED))

deb: setup-deb viewer ## Build the Debian package into target/debian (ARCH=arm64 or armhf: in a container, see cross/README.md)
	$(if $(filter arm64 armhf,$(ARCH)),@scripts/setup cross)
	scripts/deb $(ARCH) $(RELEASE)

deb-test: setup-deb ## Try the package in clean Debian 12 and 13 (as root; ARCH=arm64 or armhf: under qemu-user, RELEASE=bookworm)
	$(CARGO) build --locked -p porthole-peer --example look
	scripts/deb-test $(if $(ARCH),--arch $(ARCH)) $(RELEASE)

cross: setup-cross viewer ## Only compile for a board (ARCH=arm64 or armhf)
	scripts/cross $(or $(ARCH),arm64) $(RELEASE)

vm-test: setup-vm deb ## Boot a Debian with cameras made of software and watch it (SUITE=bookworm|trixie ARCH=amd64|arm64 SCENARIOS= CYCLES=)
	CYCLES=$(or $(CYCLES),10) vm/test $(or $(SUITE),bookworm) $(or $(ARCH),amd64) \
		"$$(ls -t target/debian/porthole_*_$(or $(ARCH),amd64).deb | head -n 1)" $(SCENARIOS)

viewer: $(VIEWER) ## Only build the web page

clean: ## Remove everything that was built or fetched into this folder
	rm -rf target bench-results web-viewer/dist web-viewer/.build web-viewer/node_modules config/relay-group/node_modules

setup-run:
	@scripts/setup run

setup-test:
	@scripts/setup test

setup-deb:
	@scripts/setup deb

setup-cross:
	@scripts/setup cross

setup-vm:
	@scripts/setup $(if $(filter arm64,$(ARCH)),vm-arm64,vm)

# esbuild's program comes in a package of its own, so no package's scripts need to run.
web-viewer/node_modules/.complete: web-viewer/package.json web-viewer/package-lock.json
	$(NPM) ci --ignore-scripts
	@touch $@

$(GROUP): config/relay-group/package.json config/relay-group/package-lock.json
	$(GROUP_NPM) ci --ignore-scripts
	@touch $@

$(VIEWER): web-viewer/node_modules/.complete $(VIEWER_SOURCES)
	$(NPM) run build
	@touch $@
