# hxm: `make demo` shows what it does, `make test` shows that it does it.

PYTHON := $(or $(wildcard /usr/bin/python3),python3)
BIN := .venv/bin
SUITES := bullseye bookworm trixie forky sid
TEST_PACKAGES := bash-completion man-db mandoc zsh fish

.PHONY: help demo test test-generations check format docs bench clean

help:
	@echo "make demo    the seed guide's cluster, listed, migrated, drained and cleaned, in a file"
	@echo "make test    all tests (installs what they need)"
	@echo "make test-generations   the real tools of Pacemaker 2.0, 2.1 and 3.0, unpacked beside yours"
	@echo "make check   format, lint, types and tests"
	@echo "make bench   what hxm costs, against crm_mon, crm and pcs"
	@echo "make docs    the man page and the completions, from the table of commands"
	@echo "make clean   remove the virtual environment and the caches"

.venv/ready: pyproject.toml hxm/launcher .ci/prepare
	@.ci/prepare
	@echo "making a virtual environment in .venv"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: .venv/ready
	@tests/demo $(BIN)/hxm

test: .venv/ready
	@.ci/prepare $(TEST_PACKAGES) || echo "some tests will be skipped"
	@.ci/generations .cache/generations $(SUITES) || echo "some generations will be skipped"
	@$(BIN)/pytest -n auto

test-generations: .venv/ready
	@.ci/generations .cache/generations $(SUITES) || echo "some generations will be skipped"
	@$(BIN)/pytest -n auto tests/generations

check: .venv/ready format
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(MAKE) -s test

format: .venv/ready
	@$(BIN)/ruff format -q .

docs: .venv/ready
	@$(BIN)/python man/generate.py
	@$(BIN)/python completions/generate.py

bench: .venv/ready
	@$(BIN)/python tests/bench.py $(BIN)/hxm

clean:
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
