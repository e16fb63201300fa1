# What a developer may do here; `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin

help: ## say what can be done
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet torch torchvision
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

app: .venv/.installed ## install and start the studio on 127.0.0.1
	$(BIN)/deepclust studio

test: .venv/.installed ## install and run every test, the browser tests too
	# one thread each, or they would wait for one another (numba would set torch's to all cores again); three for
	# two cores: many tests wait for a worker of the studio, which is as polite as they are with nice
	OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 nice -n 19 $(BIN)/pytest -n 3 -m "not browser"
	OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/pytest tests/browser

check: .venv/.installed ## format, lint, types and the house's walls
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.installed ## put the code in its usual shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.installed ## measure first paint, page switches and lasso against the budgets
	$(BIN)/python benchmarks/map_paint.py

bench-methods: .venv/.installed ## run all methods on all data sets with five seeds and print the tables; goes on where it was stopped
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/all_methods.py $(OPTIONS)  # e.g. OPTIONS="--only digits --workers 2"

clean: ## remove what was built
	rm -rf .venv dist build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help app test check format bench bench-methods clean
