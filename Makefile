# Everything here sets itself up in .venv; a second run is quick.
# Any Python from 3.11 on will do: make test PYTHON=python3.13
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
SAM := .venv-sam/bin

.DEFAULT_GOAL := help
.PHONY: help demo up test mutants vendor-clients check sbom audit format simulate bench e2e lock clean

help: ## Show what there is
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Trainbell needs Python 3.11 or newer")'
	@$(PYTHON) -m venv $(VENV)

# A stamp per set of requirements, so that set-up runs once. The larger set contains the smaller.
# The files are complete locks, so pip has nothing to resolve (--no-deps).
$(VENV)/.demo: $(VENV)/bin/python requirements/demo.txt pyproject.toml
	@echo "Setting up $(VENV) (once) ..."
	@test -e $(VENV)/.dev || $(PIP) install --no-deps --require-hashes -r requirements/demo.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements/dev.txt pyproject.toml
	@echo "Setting up $(VENV) for development (once) ..."
	@$(PIP) install --no-deps --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.demo

.venv-sam/.done: requirements/sam.txt
	@echo "Setting up .venv-sam for the SAM tools (once) ..."
	@$(PYTHON) -m venv .venv-sam
	@.venv-sam/bin/python -m pip --disable-pip-version-check -q install --no-deps --require-hashes -r requirements/sam.txt
	@touch $@

.venv-supply/.done: requirements/supply.txt
	@echo "Setting up .venv-supply for what is known of the packages (once) ..."
	@$(PYTHON) -m venv .venv-supply
	@.venv-supply/bin/python -m pip --disable-pip-version-check -q install --no-deps --require-hashes -r requirements/supply.txt
	@touch $@

dist/sbom-embedded.json: requirements/runtime.txt
dist/sbom-cloud.json: shared/requirements.txt
# A lock is a list: what needs what is not in it, of which the tool warns.
dist/sbom-%.json: .venv-supply/.done
	@mkdir -p dist
	@PYTHONWARNINGS=ignore .venv-supply/bin/cyclonedx-py requirements $(filter %.txt,$^) --pyproject pyproject.toml \
		--output-reproducible --of JSON -o $@

demo: $(VENV)/.demo ## Watch real trainings end, on this machine, without any account
	@$(BIN)/python -m trainbell.demo

up: $(VENV)/.demo ## Run Trainbell on this machine
	@$(BIN)/trainbell up

test: $(VENV)/.dev ## All tests: unit, contract, workflow, infra, end to end
	@$(BIN)/python -m pytest -n 2 --dist loadfile

# PROVIDER=einstein for one service's; ONLY=status, bound, pattern or header.
mutants: $(VENV)/.dev ## Plant each small fault in the providers' tables, bounds, patterns and headers
	@$(BIN)/python -m tests.mutation $(if $(PROVIDER),--provider $(PROVIDER)) $(if $(ONLY),--kind $(ONLY))

vendor-clients: $(VENV)/.dev ## Hold the simulators against the vendors' own clients
	@$(BIN)/python -m pytest -m vendor tests/vendor

e2e: $(VENV)/.dev ## The end-to-end tests only
	@$(BIN)/python -m pytest tests/e2e

check: $(VENV)/.dev .venv-sam/.done sbom ## Lint, types, architecture, templates, licences
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@PATH="$(CURDIR)/$(SAM):$$PATH" infra/check.sh
	@infra/licences.sh $(BIN)/python .venv-supply/bin/pip-licenses
	@$(BIN)/python -m pytest tests/workflow/test_graph.py tests/infra tests/architecture

sbom: .venv-supply/.done dist/sbom-embedded.json dist/sbom-cloud.json ## List what is shipped, in dist/ (CycloneDX)

audit: .venv-supply/.done ## Ask PyPI what is known against what is shipped
	@.venv-supply/bin/pip-audit --strict --disable-pip --require-hashes -r requirements/runtime.txt
	@.venv-supply/bin/pip-audit --strict --disable-pip --no-deps -r shared/requirements.txt

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# SEED=123 replays one with every event; FAULT=one-refusal plants a rule of the first version;
# STORE=dynamodb stands on the other store, which is slower.
simulate: $(VENV)/.dev ## Simulate thousands of bad days: SEEDS=2000, or SEED=123 with its whole story
	@PYTHONPATH=. $(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000)) \
		$(if $(FAULT),--fault $(FAULT)) $(if $(STORE),--store $(STORE))

bench: $(VENV)/.dev ## Measure against peers and limits (about half an hour)
	@for each in benchmarks/[a-z]*.py; do echo "== $$each"; $(BIN)/python $$each || exit 1; done

lock: $(VENV)/bin/python ## Renew the requirements files from pyproject.toml
	@$(PIP) install uv
	@requirements/lock.sh $(BIN)/uv

clean: ## Remove what the other targets made
	@rm -rf $(VENV) .venv-sam .venv-supply .venv-vendor dist .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
