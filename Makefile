# One word for each thing to do; CI runs the same ones. `make` alone lists them.
PYTHON ?= python3
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install check format test demo bench reference lock pin sbom

help: ## list these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## put fb-qbo and its tools into .venv (Python 3.11 to 3.13; PYTHON=python3.12 names another one)

# constraints.txt is complete (dependencies of dependencies and the build backend too), pinned and hashed: nothing is resolved,
# and nothing else is fetched. `pip check` proves that it fits this Python.
$(INSTALLED): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Python 3.11, 3.12 or 3.13 is needed; name one: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) comes without venv; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@

check: install ## lint, formatting, types, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## put imports and layout in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: install ## the tests; ARGS='-k name' narrows them
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

demo: install ## a sample company synced between both sandboxes; ARGS=--exit does not serve the UI
	$(BIN)/fb-qbo demo $(ARGS)

bench: install ## speed, calls and memory against the sandbox; ARGS=--full for the published figures (an hour)
	@$(BIN)/python -m benchmarks $(ARGS)

reference: install ## write the configuration reference into README.md
	$(BIN)/python -m fb_qbo_pipeline.settings.reference README.md

lock: ## renew constraints.txt from pyproject.toml, and the image's own sets in deploy/ (needs uv)
	@command -v uv >/dev/null || { echo "uv is needed: pip install uv" >&2; exit 1; }
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade \
		--extra dev --output-file constraints.txt pyproject.toml
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --quiet \
		--constraint constraints.txt --output-file $(VENV)/kubernetes.txt pyproject.toml deploy/kubernetes.in
	$(PYTHON) -m deploy.locks $(VENV)/kubernetes.txt

pin: ## write the digests of the base images into deploy/ (needs docker and its registry)
	$(PYTHON) -m deploy.pin

sbom: install ## a bill of materials of what runs in production: dist/fb-qbo-pipeline.cdx.json (CycloneDX)
	$(BIN)/python -m deploy.sbom dist/fb-qbo-pipeline.cdx.json
