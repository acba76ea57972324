# Each target makes .venv from requirements.lock by itself. Needed beforehand: Python 3.11 or 3.12, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9

# Extracts of your own go into a home of their own: synthetic samples and real figures are never mixed.
RASSO_HOME ?= $(if $(EXTRACTS),.rasso-extracts,.rasso)
export RASSO_HOME

.PHONY: run test test-long check format bench lock clean help

help:  ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/installed  ## Start a local Airflow, deliver samples (or EXTRACTS=folder), serve scorecards
	@exec $(BIN)/rasso up $(if $(EXTRACTS),--extracts "$(EXTRACTS)")

test: $(VENV)/installed  ## Run every check and every test
	@$(MAKE) --no-print-directory check
	@# In the order in which they lie, the long ones (acceptance, end to end) first: else a worker is idle at the end.
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 15 --durations-min 5 $(TESTS)

test-long: $(VENV)/installed  ## Run the long fault loops: killed at every step, at random times
	$(BIN)/python -m pytest -m long --durations 5 $(TESTS)

check: $(VENV)/installed  ## Lint, types, import directions, SQL style
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd transforms && ../$(BIN)/sqlfluff lint --processes 2 models tests

format: $(VENV)/installed  ## Format Python and SQL
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	cd transforms && ../$(BIN)/sqlfluff fix models tests

bench: $(VENV)/installed  ## Measure speed and memory; prints ratios
	$(BIN)/python -m bench

lock: $(VENV)/installed  ## Resolve pyproject.toml anew into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra checks --python-version 3.11 --universal --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade --output-file requirements.lock

clean:  ## Remove the virtual environment and what tools left behind (never .rasso)
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache build *.egg-info

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' \
		|| { echo "Python 3.11 or 3.12 is needed; name one with: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "installing packages into $(VENV) (about a minute the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@# Compiled once here, and not by each process anew where PYTHONDONTWRITEBYTECODE is set: Airflow and dbt start many.
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
