# make lab        set up .venv and open JupyterLab on the first notebook
# make test       set up .venv, run all tests and notebooks, and report the coverage of the helpers
# make notebooks  re-execute the notebooks and store their outputs, to accept a change
# make pages      build pages to read from the executed notebooks, in the folder pages
# make lint       run ruff, notebooks included
# make browser    run the notebooks in JupyterLab in Chromium and move their sliders
# make mutation   change the helpers' code in every way that mutmut knows, and list what no test notices
# make mutants    make faults in notebooks, data and settings, and list what no test notices (15 minutes)
# make elsewhere  run the notebooks as other processors, BLAS kernels, Pythons and releases would (20 minutes)
# make benchmark  time the helpers against other packages
# make lock       compile requirements.txt from pyproject.toml, with newer releases if there are any

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
# ONLY chooses a part of the work. make mutation ONLY=helpers/eos.py changes that module and runs its
# own tests; make mutants and make elsewhere take words, one of which a name has to contain.
ONLY :=
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
MUTATED = $(or $(ONLY),$(wildcard helpers/*.py))
unexport MPLBACKEND  # with Agg, as is usual in CI, the notebooks would have no figures

lab: $(READY)
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --LabApp.default_url=/lab/tree/$(firstword $(NOTEBOOKS))

test: $(READY)
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

notebooks: $(READY)
	$(BIN)/python tests/execute.py $(NOTEBOOKS)

pages: $(READY)
	$(BIN)/python tests/pages.py

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

mutation: $(READY)
	$(PYTHON) -m venv .venv-mutation
	$(BIN)/uv pip install --quiet --python .venv-mutation --requirement requirements.txt --group mutation
	rm -rf mutants
	PYTEST_ADDOPTS="-o 'testpaths=$(wildcard $(MUTATED:helpers/%.py=tests/test_%.py))'" \
	    .venv-mutation/bin/mutmut run $(MUTATED:helpers/%.py="helpers.%.*")
	.venv-mutation/bin/mutmut results | grep --invert-match ": not checked" || true

mutants: $(READY)
	$(BIN)/python tests/mutants/mutants.py $(ONLY)

elsewhere: $(READY)
	$(BIN)/python tests/elsewhere/elsewhere.py $(ONLY)

benchmark: $(READY)
	$(PYTHON) -m venv .venv-benchmark
	$(BIN)/uv pip install --quiet --python .venv-benchmark --requirement requirements.txt --group benchmarks --editable .
	PYTHONPATH=tests .venv-benchmark/bin/python tests/benchmarks/benchmark.py
	PYTHONPATH=tests .venv-benchmark/bin/python tests/benchmarks/rate_equations.py

browser: $(READY)
	$(PYTHON) -m venv .venv-browser
	$(BIN)/uv pip install --quiet --python .venv-browser --group browser
	.venv-browser/bin/python tests/browser/browser.py $(BIN)/jupyter $(NOTEBOOKS)

lock: $(READY)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group notebooks --group tests \
	    --custom-compile-command "make lock" --output-file requirements.txt pyproject.toml

# An environment that was moved or copied is made again, because it contains the path of its folder.
$(shell [ "$$(cat $(READY) 2>/dev/null)" = "$(CURDIR)" ] || rm -f $(READY))

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
	    f"$(PYTHON) is Python {v.major}.{v.minor}; 3.11 or later is needed. Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
	    echo "the virtual environment was not made: install your system's package for it (Debian, Ubuntu: python3-venv)" >&2; exit 1; }
	@echo "Installing the locked packages into .venv: about a minute."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt --editable .
	@echo "$(CURDIR)" > $@

.PHONY: lab test notebooks pages lint browser mutation mutants elsewhere benchmark lock
