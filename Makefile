# Every target is described in CONTRIBUTING.md; `make` alone is `make lab`.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
ONLY :=
MUTATED = $(or $(ONLY),$(wildcard helpers/*.py))
unexport MPLBACKEND  # with Agg, as is usual in CI, the notebooks would have no figures

lab: $(READY)
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --LabApp.default_url=/lab/tree/$(firstword $(NOTEBOOKS))

# Each worker has one BLAS thread, because the workers share the cores.
test: export OPENBLAS_NUM_THREADS = 1
test: $(READY)
	$(BIN)/pytest --numprocesses auto --dist loadscope --cov

notebooks: $(READY)
	$(BIN)/python tools/execute_notebooks.py $(NOTEBOOKS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

pages: .venv-pages/ready
	rm -rf pages
	.venv-pages/bin/sphinx-build --quiet --fail-on-warning --fresh-env --conf-dir tools/pages \
	    --doctree-dir .venv-pages/doctrees . pages

browser: .venv-browser/ready
	.venv-browser/bin/pytest tools/browser $(if $(ONLY),-k $(ONLY))

dask: .venv-dask/ready
	.venv-dask/bin/pytest tools/dask

benchmark: .venv-benchmark/ready
	PYTHONPATH=tests .venv-benchmark/bin/python -W ignore tools/benchmark

mutants: .venv-mutants/ready
	rm -rf mutants
	PYTEST_ADDOPTS="-o 'testpaths=$(wildcard $(MUTATED:helpers/%.py=tests/test_%.py))'" \
	    .venv-mutants/bin/mutmut run $(MUTATED:helpers/%.py="helpers.%.*")
	.venv-mutants/bin/mutmut results | grep --invert-match ": not checked" || true

platforms: .venv-platforms/ready
	.venv-platforms/bin/nox $(if $(ONLY),--keywords "$(ONLY)")

lock: $(READY)
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --group notebooks --group tests \
	    --custom-compile-command "make lock" --output-file requirements.txt pyproject.toml

# An environment contains the path of its folder: one that was moved or copied is made again.
MOVED := $(if $(subst $(CURDIR),,$(shell cat $(READY) 2>/dev/null)),moved)

# The packages of the lock, installed by the uv on the PATH, or else by one that pip installs.
$(READY): requirements.txt $(MOVED)
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
	    f"$(PYTHON) is Python {v.major}.{v.minor}; 3.11 or later is needed. Try: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; \
	    echo "the virtual environment was not made: install your system's package for it (Debian, Ubuntu: python3-venv)" >&2; exit 1; }
	@echo "Installing the locked packages into .venv: about half a minute."
	@command -v uv >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep ^uv== requirements.txt)
	@PATH="$$PATH:$(CURDIR)/$(BIN)" uv pip install --quiet --python .venv --requirement requirements.txt --editable .
	@echo "$(CURDIR)" > $@

# Environments of their own: the same packages and a group of pyproject.toml.
.venv-%/ready: $(READY) pyproject.toml
	$(PYTHON) -m venv --clear $(@D)
	$(BIN)/uv pip install --quiet --python $(@D) --requirement requirements.txt --group $* --editable .
	touch $@

.PHONY: lab test notebooks lint pages browser dask benchmark mutants platforms lock moved
