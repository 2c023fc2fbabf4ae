# Every target works on a fresh clone by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test check gate bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

demo: setup
	$(BIN)/harness demo

# a worker on every core; libraries that take all cores for one of them would only wait for each other
test: setup
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_ladder.py

# Our own regression gate: the embedded models against the recorded run in results/reference.
GATED := arithmetic/addition arithmetic/subtraction winograd/en
gate: setup
	rm -rf build/gate
	$(BIN)/harness run $(GATED) --model embedded/mini --limit 300 --out build/gate
	$(BIN)/harness gate build/gate/2* --baseline results/reference/2*

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
