# ClientComm: `make help` lists what there is. Nothing here needs root; Python 3.11 or newer and make are enough.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

PORT ?= 8000
PHONES_PORT ?= 8001
export PORT PHONES_PORT

VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE ?=

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9_-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: environment  ## Start ClientComm and the pocket phones (Ctrl+C stops both)
	@exec $(BIN)/python -m clientcomm.run

.PHONY: demo
demo: environment  ## Fill the database with demo data (safe to repeat)
	DEBUG=$${DEBUG:-1} $(BIN)/python manage.py migrate --verbosity 0
	DEBUG=$${DEBUG:-1} $(BIN)/python manage.py createcachetable
	DEBUG=$${DEBUG:-1} $(BIN)/python manage.py seed_demo

.PHONY: test
test: environment-dev  ## Run the tests (ARGS="-k name" for some of them)
	$(BIN)/python -m pytest -n auto $(ARGS)

.PHONY: e2e
e2e: environment-dev  ## Run only the journeys in a browser
	$(BIN)/python -m pytest -m browser $(ARGS)

.PHONY: coverage
coverage: environment-dev  ## Run the tests and show which lines and branches none of them takes
	$(BIN)/python -m pytest -n auto --cov --cov-report=term-missing --cov-report=html $(ARGS)

.PHONY: bench
bench: environment-dev  ## Measure texts and pages a second on servers of its own (ARGS="--help")
	@$(BIN)/python -m bench $(ARGS)

.PHONY: chaos
chaos: environment-dev  ## Break things under load on servers of its own and count the texts (ARGS="--help")
	@exec $(BIN)/python -m chaos --full --log var/chaos.log $(ARGS)

.PHONY: check
check: environment-dev  ## Everything that finds faults without running the product
	@VENV=$(VENV) bash .ci/check

.PHONY: format
format: environment-dev  ## Put code and templates into their usual shape
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .
	find . \( -path './.*' -o -path ./telephony/simulator \) -prune -o -path '*/templates/*' -name '*.html' -print0 | xargs -0 -r $(BIN)/djade --target-version 5.2

.PHONY: lock
lock: environment-dev  ## Compile requirements.txt and requirements-dev.txt from their .in files
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 requirements-dev.in -o requirements-dev.txt

.PHONY: clean
clean:  ## Remove the environment and caches; data in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is made anew, or brought up to date, only when the locked requirements changed.
.PHONY: environment environment-dev
environment:
	@sh .ci/environment $(VENV) requirements.txt
environment-dev:
	@sh .ci/environment $(VENV) requirements.txt requirements-dev.txt
