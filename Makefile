# Two commands: `make demo` and `make test`. Both install what is missing into .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
EDITABLE := $(foreach plugin,$(PLUGINS),-e $(plugin))

# Real data for running and testing, where it lies beside the checkout.
ifneq ($(wildcard ../shared/data),)
export BENCH_DATA ?= $(abspath ../shared/data)
endif
ifneq ($(wildcard ../shared/golden),)
export BENCH_GOLDEN ?= $(abspath ../shared/golden)
endif

.PHONY: demo test long lint slow browser downstream docs site stranger install clean

demo: install
	$(BIN)/bench demo

test: install
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto -m "not slow and not long" --durations=5 -q

# Processes that are started, killed and started again.
long: install
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto -m "long and not slow" -q

slow: install
	$(BIN)/pytest -m slow -q

# A Chromium for tests of pages, where the machine has none.
browser: install
	for name in "$$BENCH_CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable; do \
	  test -n "$$name" && command -v "$$name" && exit; done; $(BIN)/playwright install --with-deps chromium

# Two plugins as others would write them, installed with bench's wheel into a fresh environment.
downstream: install
	$(BIN)/pytest tests/downstream -q

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: install
	$(BIN)/mkdocs build --strict --quiet --site-dir build/docs

# Boards and documentation as one site in build/site, with one header and one search; PICTURES=--pictures draws twins first.
site: install
	BENCH_SITE=.. $(BIN)/mkdocs build --strict --quiet --site-dir build/site-docs
	$(BIN)/bench board site --out build/site --with-docs build/site-docs --repository "$(BENCH_REPOSITORY)" $(PICTURES)

stranger: install
	$(BIN)/python tests/strangers_path.py

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml $(wildcard plugins/*/pyproject.toml)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e ".[dev,docs]" $(EDITABLE)
	touch $@

clean:
	rm -rf $(VENV)
