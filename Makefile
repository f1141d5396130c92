# The same commands that CI runs. Needs Python 3.11 or later and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps

.PHONY: demo test check format bench bench-plots bench-page bench-quick bench-peers docs pictures lock clean help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(STAMPS)/run ## Install, then see it work: 20 seconds, no server needed
	@$(BIN)/rrcli demo

test: $(STAMPS)/dev ## The whole test suite, real MongoDB and Valkey included
	@$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

faults: $(STAMPS)/dev ## Break everything on purpose, for ten minutes; writes docs/reliability.md
	@rm -rf build/faults
	@FAULTS=long FAULTS_RECORDS=build/faults $(BIN)/pytest tests/faults $(ARGS)
	@$(BIN)/python -m tests.faults.report build/faults

check: $(STAMPS)/dev ## Linters, types, import rules, docs
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --verbose > $(VENV)/lint-imports.log || (cat $(VENV)/lint-imports.log; exit 1)
	@$(BIN)/python docs/generate.py --check
	@$(BIN)/sphinx-build -q -E -W --keep-going -b html docs build/site

format: $(STAMPS)/dev ## Mend what the linters can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMPS)/dev ## Measure everything; writes docs/performance.md and docs/capacity.md
	@$(BIN)/python -m tests.benchmarks; code=$$?; $(BIN)/python -m tests.benchmarks.page && exit $$code

bench-plots: $(STAMPS)/dev ## Cost against work, 10^3 to 10^6 and more, as curves; then the page
	@$(BIN)/python -m tests.benchmarks growth
	@$(BIN)/python -m tests.benchmarks.page

bench-page: $(STAMPS)/dev ## Write the pages from tests/benchmarks/records
	@$(BIN)/python -m tests.benchmarks.page

bench-quick: $(STAMPS)/dev ## The short form of all benchmarks, as CI runs it: fails when one breaks
	@$(BIN)/python -m tests.benchmarks --quick

bench-peers: $(STAMPS)/dev ## Beside other schedulers, 15 minutes; their PyPI and npm packages go into build/peers
	@$(BIN)/python -m tests.benchmarks.peers $(ARGS)

docs: $(STAMPS)/dev ## Write the generated pages anew, build the site into build/site
	@$(BIN)/python docs/generate.py
	@$(BIN)/sphinx-build -q -E -W --keep-going -b html docs build/site
	@echo "The site: build/site/index.html"

pictures: $(STAMPS)/dev ## Draw the pictures in the docs from real runs
	@$(BIN)/python docs/pictures.py
	@$(BIN)/python docs/cli_pictures.py
	@$(BIN)/python docs/diagrams.py
	@$(BIN)/python docs/screenshots.py

lock: $(STAMPS)/dev ## Pin the newest allowed versions in requirements*.lock
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		pyproject.toml -o requirements.lock $(LOCK_ARGS)
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--extra test --extra check pyproject.toml -o requirements-dev.lock $(LOCK_ARGS)

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(STAMPS)/run: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "Installing into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	@echo "Installing test and check tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/run
