# Etalon. `make help` lists what can be made.

PYTHON ?= python3
PORT ?= 8000
venv := .venv/bin/python
install := $(PYTHON) config/local/install.py

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run check test clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:
	@$(install) requirements.txt --no-deps requirements-example.txt

setup-dev:
	@$(install) requirements-dev.txt --no-deps requirements-example.txt

run: setup ## start everything on this machine with the example company (PORT=8000)
	@PORT=$(PORT) exec $(venv) -m config.local.run

check: setup-dev ## formatting, imports, templates, types, settings, migrations, compose file
	@exec $(venv) -m config.local.check

test: setup-dev ## the whole test suite on servers of its own, browser tests included
	@exec $(venv) -m config.local.test $(ARGS)

ifneq ($(wildcard tests/bench/__main__.py tests/bench.py),)
.PHONY: bench
bench: setup-dev ## the figures of docs/reference/benchmarks.md, measured now
	@exec $(venv) -m tests.bench $(ARGS)
endif

ifneq ($(wildcard tests/soak/__main__.py tests/soak.py),)
.PHONY: soak
soak: setup-dev ## long campaigns of kills and races, up to an hour
	@exec $(venv) -m tests.soak $(ARGS)
endif

clean: ## remove what was installed and built; the data in var/ stays
	@rm -rf .venv staticfiles test-results .pytest_cache .ruff_cache .mypy_cache \
		.import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
	@if [ -d var ]; then echo "  The data of make run is kept in var/. Remove that folder to start anew."; fi
