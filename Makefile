# hxm: `make demo` shows what it does, `make test` shows that it does it.

PYTHON := $(or $(wildcard /usr/bin/python3),python3)
BIN := .venv/bin
# a script's first line cannot name an interpreter in a path with a blank: run modules instead
PYTEST := $(BIN)/python -m pytest
SUITES := bullseye bookworm trixie forky sid
TEST_PACKAGES := bash-completion busybox chromium logrotate man-db mandoc mksh sudo tcsh zsh fish
XEN_PACKAGES := qemu-system-x86 mmdebstrap openssh-client e2fsprogs
LAB_PACKAGES := pacemaker corosync resource-agents pacemaker-cli-utils iproute2 iputils-ping
MINUTES := 10
COUNT := 10000
CUTS := 20
# several labs wait more than they compute, but a cluster that gets no time fences its nodes
LABS := 5
# what a busy machine made of a live test is tried once more; a domU that ran twice never is
AGAIN := --reruns=1 --rerun-except=doubles
# the other tests start programs, and wait for them
JOBS := $(shell n=$$(nproc); echo $$(( n < 4 ? n * 3 : n + 8 )))

# thousands of hxm are started in a test run: each would compile all of it
unexport PYTHONDONTWRITEBYTECODE

.PHONY: deb bundle help demo lab xen xen-demo xen-test xen-cuts test test-generations test-packages coverage soak edits faults real-xl check format docs bench clean

help:
	@echo "make demo    a cluster of two hosts, listed, migrated, drained and cleaned, in a file"
	@echo "make lab     a shell on a real cluster: three nodes in namespaces on this machine"
	@echo "make xen     a shell on one of two real Xen hosts, emulated, with real fencing"
	@echo "make xen-demo  on them: a guest writes while it migrates, a drain, faults, a power cut"
	@echo "make test    all tests (installs what they need)"
	@echo "make test-generations   the real tools of Pacemaker 2.0, 2.1 and 3.0, unpacked beside yours"
	@echo "make soak    a random walk over a live cluster: MINUTES=10, SEED=, STEPS=, ONLY="
	@echo "make faults  every live test: every fault at every moment of every changing verb, every kill"
	@echo "make xen-test  what only a real hypervisor shows, on two emulated Xen hosts"
	@echo "make xen-cuts  their power, or network, cut again and again, no domU ever twice: CUTS=20"
	@echo "make edits   random edits behind hxm's back while domUs migrate, with the guard: MINUTES=30, SEED="
	@echo "make real-xl  hxm's reading of random configurations against that of the real xl: COUNT=, SEED="
	@echo "make check   lint, format and types; rewrites nothing"
	@echo "make format  rewrite what the formatter would"
	@echo "make coverage  the share of each file that the unit tests run"
	@echo "make bench   what hxm costs, against crm_mon, crm and pcs"
	@echo "make deb     a package for the Debian that this machine runs, in dist/"
	@echo "make bundle  a tarball with its own Python, for hosts that have none or an old one, in dist/"
	@echo "make test-packages  both of them in clean Debian hosts: installed, upgraded, purged"
	@echo "make docs    the man pages from man/*.rst, the completions from the table of commands"
	@echo "make clean   remove the virtual environment and the caches"

.venv/ready: pyproject.toml hxm/launcher .ci/prepare
	@.ci/prepare
	@echo "making a virtual environment in .venv"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: .venv/ready
	@tests/demo $(BIN)/python

test: .venv/ready
	@.ci/prepare $(TEST_PACKAGES) $(LAB_PACKAGES) openssh-server || echo "some tests will be skipped"
	@.ci/generations .cache/generations $(SUITES) || echo "some generations will be skipped"
	@$(PYTEST) -n $(JOBS) --dist loadgroup --ignore=tests/live
	@$(PYTEST) -n $(LABS) --dist loadgroup $(AGAIN) tests/live

lab: .venv/ready
	@.ci/prepare $(LAB_PACKAGES) || echo "trying without"
	@$(BIN)/python tests/live/shell.py

xen: .venv/ready
	@.ci/prepare $(XEN_PACKAGES)
	@$(BIN)/python tests/xen/xen_shell.py

xen-demo: .venv/ready
	@.ci/prepare $(XEN_PACKAGES)
	@$(BIN)/python tests/xen/demo.py

xen-test: .venv/ready
	@.ci/prepare $(XEN_PACKAGES)
	@$(PYTEST) -m "" tests/xen

xen-cuts: .venv/ready
	@.ci/prepare $(XEN_PACKAGES)
	@$(BIN)/python tests/xen/cuts.py $(CUTS)

soak: .venv/ready
	@.ci/prepare $(LAB_PACKAGES) || echo "trying without"
	@$(BIN)/python tests/live/soak.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) \
	    $(if $(STEPS),--steps $(STEPS)) $(if $(ONLY),--only $(ONLY))

test-generations: .venv/ready
	@.ci/generations .cache/generations $(SUITES) || echo "some generations will be skipped"
	@$(PYTEST) -n auto -m "" tests/generations

faults: .venv/ready
	@.ci/prepare $(LAB_PACKAGES) || echo "trying without"
	@.ci/corpus .cache/scheduler || echo "without Pacemaker's own CIBs"
	@$(PYTEST) -n $(JOBS) -m thorough tests/tools tests/unit
	@HXM_LAB_RAW=1000 $(PYTEST) -n $(LABS) --dist loadgroup -m "" $(AGAIN) tests/live
	@$(BIN)/python tests/xl/compare.py 100000 "$(SEED)"

edits: MINUTES = 30
edits: .venv/ready
	@.ci/prepare $(LAB_PACKAGES) || echo "trying without"
	@$(BIN)/python tests/live/raw_edits.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

real-xl: .venv/ready
	@$(BIN)/python tests/xl/compare.py $(COUNT) "$(SEED)"

check: .venv/ready
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy

format: .venv/ready
	@$(BIN)/python -m ruff check -q --fix .
	@$(BIN)/python -m ruff format -q .

# hxm leaves by os._exit, which no coverage survives: what tests/tools starts is not counted
coverage: .venv/ready
	@$(PYTEST) -n auto --cov=hxm --cov-report=term:skip-covered tests/unit

deb:
	@.ci/prepare binutils
	@.ci/deb $(PYTHON) dist

bundle:
	@.ci/prepare binutils patchelf
	@.ci/bundle $(PYTHON) dist

test-packages: .venv/ready
	@.ci/prepare debootstrap
	@.ci/hosts .cache/hosts bullseye bookworm trixie
	@$(PYTEST) -n auto --dist worksteal -m "" tests/packages

docs: .venv/ready
	@$(BIN)/python man/generate.py
	@$(BIN)/python completions/generate.py

bench: .venv/ready
	@$(BIN)/python tests/bench.py $(BIN)/hxm $(SIZES)

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
