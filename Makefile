# Everything here works on a machine that has Python 3.11 or newer, and make. Packages are installed into
# .venv: with uv where it is there, with pip otherwise.

PYTHON ?= python3
STORE ?= chdb:./sightline-data
CLICKHOUSE_URL ?=

BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
ifdef UV
INSTALL = $(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt
else
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
endif
SOURCES := pyproject.toml constraints.txt

.PHONY: demo up test types suite test-clickhouse bench clean
.DEFAULT_GOAL := demo

demo: .venv/installed  ## a week of an instrumented agent, and what the views say about it
	@$(BIN)/sightline demo

up: .venv/installed  ## a collector that runs until Ctrl-C; STORE=... says where it keeps spans
	@$(BIN)/sightline up --store $(STORE)

test: .venv/tested  ## style, types, and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	@$(MAKE) --no-print-directory --jobs 2 types suite

# The checker has but one process, and a first test run waits for imports: each fills the other's gaps.
types: .venv/tested
	$(BIN)/mypy

# The limit ends what hangs: how fast a shared machine is today says nothing of the code.
suite: .venv/tested
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --session-timeout 1500

test-clickhouse: .venv/tested  ## the tests of the store on CLICKHOUSE_URL=clickhouse://user:password@host:8123[?cluster=NAME]
	$(BIN)/python -m tests.servers --url '$(CLICKHOUSE_URL)'

bench: .venv/tested  ## the figures that the README claims, as medians beside other systems
	$(BIN)/python -m tests.bench

clean:  ## the environment and what the demo left
	rm -rf .venv sightline-demo

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Sightline needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12") if sys.version_info < (3, 11) else 0'
ifdef UV
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
else
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
endif

.venv/installed: .venv/bin/python $(SOURCES)
	@echo "Installing Sightline into .venv (once)"
	@$(INSTALL) --editable '.[collector,demo]'
	@touch $@

.venv/tested: .venv/installed
	@$(INSTALL) --group test
	@touch $@
