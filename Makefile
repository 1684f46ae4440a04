# Everything runs in .venv, which each target makes when it is missing or older than its inputs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= demo

.PHONY: help demo test test-all lint format bench docs tutorials lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## simulate a fire month, map it, score the map, write a report to OUT (demo)
	$(BIN)/banet demo --out $(OUT)
	@echo "The command is $(BIN)/banet; 'source $(BIN)/activate' puts it on your path."

test: $(VENV)/.installed-dev ## run the tests that are fast
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "not slow"

test-all: $(VENV)/.installed-dev ## run all tests
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev ## mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev ## run the short benchmarks
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed-docs ## build the site into site/
	$(BIN)/mkdocs build --strict

tutorials: $(VENV)/.installed-dev ## run the notebooks of the docs and write their pages
	$(BIN)/python tools/tutorials.py

# Every version with its hashes, for all systems. Torch is left out: its CPU and CUDA builds have hashes of their own.
lock: constraints.txt pyproject.toml ## write requirements.lock anew; needs uv
	echo "torch; python_version < '3'" > build-no-torch.txt
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate \
		--constraint constraints.txt --override build-no-torch.txt --quiet --output-file requirements.lock \
		--custom-compile-command "make lock"
	rm build-no-torch.txt

# The CPU build of torch must be there before anything that asks for "some torch".
$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("banet needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: constraints.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,stac]'
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

clean: ## remove what was installed and built
	rm -rf $(VENV) build dist site
