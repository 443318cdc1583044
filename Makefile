# The same few verbs for a laptop and for CI. Needs Python 3.11 or newer, make and git; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
VAR_DIR ?= var
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
export VAR_DIR
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo run test quick check lint bench security texts

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: .venv/installed ## Install into .venv, nothing else

demo: .venv/installed ## The whole product on practice data: one report, then serving until Ctrl-C (ONCE=1: only the report)
	@exec $(BIN)/python -m synkro.demo

run: .venv/installed ## Web, worker and scheduler against .env
	$(BIN)/flask --app wsgi db upgrade
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/honcho start

test: .venv/installed-dev ## All tests, the browser ones included (BROWSER=skip leaves them out)
	@tests/ensure_chromium.sh
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

quick: .venv/installed-dev ## The tests that run what you changed in Python since the last time (the first time: all)
	BROWSER=skip $(BIN)/pytest -n $(WORKERS) --dist worksteal --testmon $(ARGS)

check: lint ## Lint, format, types, catalogues, models = migrations
	$(BIN)/pytest -q tests/test_imports.py tests/test_migrations.py tests/test_texts.py

lint: .venv/installed-dev ## Lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/installed-dev ## Measure, as ratios in one run (about ten minutes)
	$(BIN)/python -m benchmarks

security: .venv/installed .venv-security/installed ## Scanners against the running product, and against planted flaws (about six minutes)
	$(BIN)/python -m security.scan

texts: .venv/installed-dev ## Collect the texts of the code into the catalogues
	$(BIN)/python -m synkro.translations.collect

.venv/installed: requirements.txt constraints.txt $(wildcard synkro/translations/*/LC_MESSAGES/messages.po)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Synkro needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet -r requirements.txt
	$(BIN)/pybabel -q compile -d synkro/translations
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet -r requirements-dev.txt
	@touch $@

.venv-security/installed: requirements-security.txt requirements-wapiti.txt
	@test -x .venv-security/bin/python || $(PYTHON) -m venv .venv-security
	.venv-security/bin/pip install --quiet -r requirements-security.txt
	@test -x .venv-security/wapiti/bin/python || $(PYTHON) -m venv .venv-security/wapiti
	.venv-security/wapiti/bin/pip install --quiet -r requirements-wapiti.txt
	@touch $@
