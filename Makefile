# make run: set up, rebuild the main job, print its results.   make test: set up, run the tests.
# make ui: the Dagster web UI with its daemon.   make mlflow: the trainings.
# make docs: the documentation site in build/site; its pictures: python -m docs.pictures.
# make check: lint, types and tests, as CI (tests run on every core).   make hooks: lint and types before each commit.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
HOST := 127.0.0.1

.PHONY: run test check lint types hooks docs ui mlflow bench lock clean

run: .venv/.run
	$(BIN)/faint rebuild 'group:exoplanets'
	@echo
	@echo "The exoplanet study is rebuilt: five models that look for transiting planets in the light of"
	@echo "stars. They were trained on real Kepler noise with planets put in, and tested on other stars."
	@echo "Each row below is a model, with 95 % intervals; 'published' are the figures of the study."
	@echo "Precision: share of the flagged stars that have a planet. Recall: share of the planets found."
	@echo "Run 'make run' again and nothing runs; change a setting, and only what it changes does."
	@echo
	@$(BIN)/faint compare exoplanets
	@echo
	@$(BIN)/faint report exoplanets
	@echo "Where to look now: open that report in a browser; 'make ui' shows every step with its pictures;"
	@echo "'$(BIN)/faint detect exoplanets FILE' asks the models about a light curve of yours (README.md)."

test: .venv/.dev
	$(BIN)/python -m pytest -n logical --dist loadfile

check: lint types test

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev
	$(BIN)/mypy

hooks: .venv/.dev
	$(BIN)/pre-commit install

docs: .venv/.dev
	$(BIN)/mkdocs build --quiet

ui: .venv/.run
	$(BIN)/faint ui --host $(HOST)

mlflow: .venv/.run
	$(BIN)/mlflow ui --host $(HOST) --port 5000 --backend-store-uri sqlite:///$(CURDIR)/.faint/mlflow/mlflow.db

# Locked with hashes for Python 3.11 and 3.12; needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate pyproject.toml -o requirements/run.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --no-annotate --group dev -c requirements/run.lock pyproject.toml -o requirements/dev.lock

clean:
	rm -rf .venv .faint reports

.venv/.python:
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 13) else f"Python 3.11 or 3.12 is needed, this is {v[0]}.{v[1]}; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/.run: .venv/.python requirements/run.lock pyproject.toml
	@echo "Installing what is locked in requirements/run.lock (some minutes the first time) ..."
	$(PIP) --require-hashes -r requirements/run.lock
	$(PIP) --no-build-isolation --editable .
	touch $@

.venv/.dev: .venv/.run requirements/dev.lock
	$(PIP) --require-hashes -r requirements/dev.lock
	touch $@
