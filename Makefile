# Everything a person types. Each target makes the environment first if there is none.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
UV     := uv>=0.9,<1
TESTS  ?= tests
# A file of tests to each core, on one thread each: threads without a core of their own wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
# uv compiles nothing: unless the first import keeps what it compiles, every process compiles torch and Ray again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-fast test-slow test-gpu chaos lint bench calibrate docs format requirements wheel clean
.DEFAULT_GOAL := test

# Made once, and again when a dependency moves. uv does in under a minute what takes pip several.
$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
		{ echo "gensweep needs Python 3.10 or newer; '$(PYTHON)' is not: try 'make PYTHON=/path/to/python3 $(MAKECMDGOALS)'"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' cannot make an environment: install its venv module (Debian: apt-get install python3-venv)"; exit 1; }
	@echo "making $(VENV): a minute or two and 6 GB, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(UV)'
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.txt && \
		$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . || \
		{ echo "uv could not install (it does not read the settings of pip): trying pip, which takes some minutes"; \
		$(BIN)/python -m pip install --quiet --requirement requirements.txt --editable .; }
	@touch $@

# Pins what pyproject.toml asks for; `make requirements UPGRADE=1` takes the newest versions of everything.
requirements: $(READY)
	@$(BIN)/python scripts/requirements.py $(if $(UPGRADE),--upgrade)

demo: $(READY)
	@$(BIN)/python scripts/demo.py

test: $(READY)
	@start=$$(date +%s); \
	$(MAKE) --no-print-directory lint && $(PYTEST) --durations 15 $(TESTS); code=$$?; \
	end=$$(date +%s); echo "make test: $$(( (end - start) / 60 )) min $$(( (end - start) % 60 )) s"; exit $$code

test-fast: $(READY)
	@$(PYTEST) -m "not ray and not long and not slow and not gpu and not cluster" $(TESTS)

# Tests that start several Ray nodes have a process of their own: they fail after another Ray in the same process.
test-slow: $(READY)
	@$(PYTEST) -m "slow and not gpu and not cluster" $(TESTS); code=$$?; \
	$(BIN)/python -m pytest -m "slow and cluster" $(TESTS) && exit $$code

test-gpu: $(READY)
	$(BIN)/python -m pytest -m gpu $(TESTS)

chaos: $(READY)
	@$(BIN)/python scripts/chaos.py --runs 20 --seed 0 --out docs/chaos.md

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python tests/test_layers.py
	@$(BIN)/python scripts/lint_names.py
	@$(BIN)/python scripts/requirements.py --check

bench: $(READY)
	@for file in $(filter-out benchmarks/calibration.py benchmarks/scale.py,$(sort $(wildcard benchmarks/*.py))); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

calibrate: $(READY)
	@$(BIN)/python benchmarks/calibration.py

# The site of docs/, in build/site; a broken link or a name that is gone is an error.
docs: $(READY)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

format: $(READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/python scripts/generate_docs.py

wheel: $(READY)
	rm -rf dist
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
