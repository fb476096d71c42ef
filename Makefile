# make lab        set up .venv and open JupyterLab on the first notebook
# make test       set up .venv, run the helpers' tests and every notebook, and tell how much of the helpers is tested
# make notebooks  re-execute the notebooks and store their outputs: how a change is accepted
# make pages      the executed notebooks as pages to read, in the folder pages
# make lint       ruff, notebooks included
# make browser    run the notebooks in JupyterLab in Chromium and move their sliders, in an environment of its own
# make mutants    plant faults, one at a time, and see whether the tests notice (15 minutes)
# make elsewhere  run the notebooks as other processors, BLAS kernels, Pythons and releases would (20 minutes)
# make benchmark  time the helpers against their peers, in an environment of its own
# make lock       compile requirements.txt from pyproject.toml, with newer releases where there are some

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
ONLY :=  # of make mutants and make elsewhere: words, one of which the name has to contain
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
unexport MPLBACKEND  # set to Agg, as it often is in CI, it would take the figures out of the notebooks

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

mutants: $(READY)
	$(BIN)/python tests/mutants/mutants.py $(ONLY)

elsewhere: $(READY)
	$(BIN)/python tests/elsewhere/elsewhere.py $(ONLY)

benchmark: $(READY)
	$(PYTHON) -m venv .venv-benchmark
	$(BIN)/uv pip install --quiet --python .venv-benchmark --requirement requirements.txt --group benchmarks --editable .
	.venv-benchmark/bin/python tests/benchmarks/benchmark.py

browser: $(READY)
	$(PYTHON) -m venv .venv-browser
	$(BIN)/uv pip install --quiet --python .venv-browser --group browser
	.venv-browser/bin/python tests/browser/browser.py $(BIN)/jupyter $(NOTEBOOKS)

lock: $(READY)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group notebooks --group tests \
	    --custom-compile-command "make lock" --output-file requirements.txt pyproject.toml

# An environment knows its folder: one that was moved or copied is made anew.
$(shell [ "$$(cat $(READY) 2>/dev/null)" = "$(CURDIR)" ] || rm -f $(READY))

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
	    f"$(PYTHON) is Python {v.major}.{v.minor}; 3.11 or later is needed. Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
	    echo "no virtual environment: install your system's package for it (Debian, Ubuntu: python3-venv)" >&2; exit 1; }
	@echo "Installing the locked packages into .venv: about a minute."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt --editable .
	@echo "$(CURDIR)" > $@

.PHONY: lab test notebooks pages lint browser mutants elsewhere benchmark lock
