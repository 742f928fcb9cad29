# Feiqian: `make demo` and `make test` set up everything that they need; `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ROUNDS ?= 10
MINUTES ?= 30
SEED ?= 1
SECONDS ?= 60
EXAMPLES ?= 200
PAYMENTS ?= 10000
ON_POSTGRES := tests/integration --ignore-glob=*/test_chain_* tests/unit/test_bridge_migrations.py \
	tests/property/test_node_book.py tests/property/test_compliance_totals.py
ANVIL := tests/contract/anvil
PEERS := tests/peers
RUNS ?= 1000000
NPM := $(shell command -v npm 2>/dev/null)
NO_NPM := Skipped: npm is absent, so anvil cannot be installed
SOURCES := contracts serving compliance bridge audit nodes devnet tests feiqian.py

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-parts test-networks test-postgres test-anvil test-peers bench fuzz soak soak-crashes \
	soak-faults soak-power soak-simulation soak-contracts check clean lock

help: ## say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## virtual environment, pinned dependencies, compiled contracts; then .venv/bin/feiqian is the command

demo: $(READY) ## a whole network on this machine settles real QR payments
	@$(BIN)/feiqian demo $(ARGS)

# Side by side: whole networks wait most of the time, and the rest gives way to them, because their payments have
# deadlines. What the networks' tests print is shown when they have ended.
test: $(READY) ## all tests
	@$(MAKE) --no-print-directory --jobs=2 test-networks test-parts

test-parts: $(READY) ## all tests without whole networks, the longest first
	@nice $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m "not soak" \
		tests/simulation tests/power tests/integration tests/unit tests/contract tests/property

test-networks: $(READY) ## the tests of whole networks, one after the other
	@mkdir -p build
	@$(BIN)/python -m pytest -m "not soak" tests/crashes tests/end_to_end tests/faults >build/networks.txt 2>&1; \
		ended=$$?; cat build/networks.txt; exit $$ended

# Without ARGS, the tests that a database has a part in, and of whole networks one file.
test-postgres: $(READY) ## the services' tests on a throw-away PostgreSQL server; ARGS="tests" for all there are
	@$(BIN)/python -m tests.postgresql $(BIN)/python -m pytest $(or $(ARGS),-n 2 --dist loadgroup $(ON_POSTGRES))
	@$(if $(ARGS),,$(BIN)/python -m tests.postgresql $(BIN)/python -m pytest -m "not soak" tests/power tests/crashes tests/end_to_end/test_kill.py)

test-anvil: $(READY) $(if $(NPM),$(ANVIL)/node_modules/.ready) ## the contract tests on anvil, another EVM (needs npm)
	@$(if $(NPM),$(BIN)/python -m pytest -n 2 --dist loadgroup --engine anvil tests/contract,echo "$(NO_NPM)")

test-peers: $(READY) $(if $(NPM),$(PEERS)/node_modules/.ready) ## other readers of payment codes agree with ours (needs npm)
	@$(if $(NPM),$(BIN)/python -m pytest -s $(PEERS),echo "$(subst anvil,the peers,$(NO_NPM))")

bench: $(READY) ## gas, times, doors by length of list, codes, growth, a network under load for SECONDS=60; ARGS="network" for one
	@$(BIN)/python -m tests.benchmarks --seconds $(SECONDS) $(ARGS)

fuzz: $(READY) ## RUNS=1000000 mutated payment codes; what each service's OpenAPI document allows, EXAMPLES=200 an operation
	@$(BIN)/python -m tests.fuzz --runs $(RUNS) --seed $(SEED)
	@EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -o timeout=0 tests/integration/doors/test_openapi.py $(ARGS)

soak: $(READY) ## kill -9 each process alone, and all, under load: ROUNDS=10 times each, from SEED=1 on; then the next four
	@ROUNDS=$(ROUNDS) SEED=$(SEED) $(BIN)/python -m pytest -m soak -s tests/end_to_end $(ARGS)
	@$(MAKE) --no-print-directory soak-crashes soak-power soak-faults soak-simulation

soak-crashes: $(READY) ## kill -9 at every crash point, and again while recovering, on SQLite and PostgreSQL; POINTS="accept" for some
	@$(BIN)/python -m pytest -m soak -s tests/crashes $(ARGS)
	@$(BIN)/python -m tests.postgresql $(BIN)/python -m pytest -m soak -s tests/crashes $(ARGS)

soak-power: $(READY) ## CUTS=10000 power cuts from SEED=1 on; then PostgreSQL's postmaster killed twenty times under load
	@CUTS=$(or $(CUTS),10000) SEED=$(SEED) $(BIN)/python -m pytest -o timeout=0 tests/power $(ARGS)
	@$(BIN)/python -m tests.postgresql $(BIN)/python -m pytest tests/power $(ARGS)

soak-faults: $(READY) ## PAYMENTS=10000 through a proxy that fails in every way between all parts, from SEED=1 on
	@PAYMENTS=$(PAYMENTS) SEED=$(SEED) $(BIN)/python -m pytest -m soak -s tests/faults $(ARGS)

soak-simulation: $(READY) ## SEEDS=2000 runs of a simulated network from SEED=1 on, then all planted bugs are found
	@SEEDS=$(or $(SEEDS),2000) SEED=$(SEED) $(BIN)/python -m pytest -m soak -s tests/simulation $(ARGS)

soak-contracts: $(READY) ## MINUTES=30 of contracts beside their model, then thirty bugs planted into them are found
	@MINUTES=$(MINUTES) SEED=$(SEED) $(BIN)/python -m pytest -m soak -s tests/contract/beside $(ARGS)

check: $(READY) ## style, types, the floors of the house, tidiness
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest tests/unit/test_tidy.py

clean: ## remove the virtual environment
	rm -rf $(VENV) $(ANVIL)/node_modules $(PEERS)/node_modules build *.egg-info

lock: $(READY) ## pin all dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url requirements/lock.in -o requirements/lock.txt

# Installed once for each lock file; offline afterwards. pip's own upgrade notices and warnings help nobody here.
$(READY): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed; say PYTHON=python3.11")'
	@echo "Setting up $(VENV) (once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'from contracts.chain.compile import compiled; [compiled(name) for name in ("Council", "Participants", "Ledger", "Settlement")]'
	@touch $@

# Not `npm ci`: it wants the hashes of all platforms' programs, and not every registry has all of them. Each is pinned
# by its exact version, those in the lock file also by their hash.
$(ANVIL)/node_modules/.ready: $(ANVIL)/package.json $(ANVIL)/package-lock.json
	@echo "Installing anvil (once)"
	@npm install --prefix $(ANVIL) --no-save --ignore-scripts --no-fund --no-audit --loglevel error
	@touch $@

$(PEERS)/node_modules/.ready: $(PEERS)/package.json $(PEERS)/package-lock.json
	@echo "Installing the peers (once)"
	@npm install --prefix $(PEERS) --no-save --ignore-scripts --no-fund --no-audit --loglevel error
	@touch $@
