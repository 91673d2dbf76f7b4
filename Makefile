# Two commands are enough: `make drill` and `make test`. Every target sets up .venv by itself.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SCENARIO ?= gateway_failover

.PHONY: drill test test-slow lint bench report lock clean

drill: $(READY)                 ## play the failover drill and say the verdict (about 90 s)
	$(BIN)/paydrill run $(SCENARIO)

test: $(READY)                  ## all tests but the slow ones
	$(BIN)/python -m pytest

test-slow: $(READY)             ## whole drills, kills, large journals
	$(BIN)/python -m pytest -m slow --timeout=600

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)                 ## make bench ONLY=name runs one
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

report: $(READY)                ## rebuild the report of the newest run, or of RUN=folder
	$(BIN)/paydrill report $(if $(RUN),$(RUN),--latest)

lock:                           ## renew requirements.lock (needs pip-tools)
	pip-compile --quiet --upgrade --extra dev --generate-hashes --strip-extras --allow-unsafe --no-annotate \
	  --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	  --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info

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
