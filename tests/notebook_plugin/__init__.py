"""A pytest plugin for executed notebooks: what nbval leaves out.

nbval executes each notebook again and compares the texts of its outputs. This plugin turns warnings
in the kernels into errors, compares the figures, and adds an item `lint` to each notebook.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbCell, NbCellError

from notebook_plugin.figures import describe_differences, pictures
from notebook_plugin.lint import count_cells, violations

STARTUP = """
import warnings


def prepare(cell):
    warnings.simplefilter("error")
    if not cell.store_history:  # as nbval asks; a notebook may look at In, as in JupyterLab
        In.append(get_ipython().transform_cell(cell.raw_cell))


get_ipython().events.register("pre_run_cell", prepare)
"""


def pytest_configure():
    """Give the notebooks' kernels a profile in which a warning is an error and `In` has the cells.

    The filter is set before the first cell runs. PYTHONWARNINGS, or a filter that is set while the
    kernel starts, would turn a deprecation in the kernel's own modules into an error that ends it.
    """
    profile = tempfile.mkdtemp(prefix="ipython-")
    atexit.register(shutil.rmtree, profile, ignore_errors=True)
    startup = Path(profile, "profile_default", "startup", "warnings_are_errors.py")
    startup.parent.mkdir(parents=True)
    startup.write_text(STARTUP)
    os.environ["IPYTHONDIR"] = profile
    os.environ.pop("MPLBACKEND", None)  # with Agg, as is usual in CI, there would be no figures


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """Let coverage, which has started, look at the tests alone: nbval would start it in kernels."""
    session.config.option.cov_source = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Once nbval has run a cell and compared its texts, compare its figures too."""
    try:
        result = yield
    except NbCellError as error:  # the figures may show why
        error.inner_traceback = "\n".join([error.inner_traceback or "", *_differing_figures(item)])
        raise
    if isinstance(item, IPyNbCell) and (differences := _differing_figures(item)):
        text = "\n".join(differences)
        raise NbCellError(item.cell_num, "Cell figures differ", item.cell.source, text)
    return result


def _differing_figures(item):
    """Sentences about the figures of a cell that has run, unless its outputs are ignored."""
    if not item.options["check"]:
        return []
    number = item.cell_num + 1
    stored = pictures(item.cell.outputs)
    fresh = pictures(item.test_outputs or [])
    stem = item.config.rootpath / "figure-differences" / f"{item.path.stem}-cell-{number}"
    differences = describe_differences(stored, fresh, stem)
    return [f"{item.path.name}, code cell {number}, {sentence}" for sentence in differences]


def pytest_collect_file(file_path, parent):
    """Beside nbval's items, one for each cell, collect one that looks at the stored notebook."""
    if file_path.suffix == ".ipynb" and parent.config.option.nbval:
        return _StoredNotebook.from_parent(parent, path=file_path)
    return None


class _StoredNotebook(pytest.File):
    def collect(self):
        yield _Lint.from_parent(self, name="lint")


class _Lint(pytest.Item):
    """Fails if the stored notebook has a violation; reports how many of its cells are compared."""

    def runtest(self):
        notebook = nbformat.read(self.path, as_version=4)
        self.user_properties.append(("code cells", [self.path.stem, count_cells(notebook)]))
        found = violations(notebook)
        assert not found, "\n".join(found)

    def repr_failure(self, excinfo):
        return f"{self.path.name}: {excinfo.value}"

    def reportinfo(self):
        return self.path, None, f"{self.path.name}::lint"


def pytest_terminal_summary(terminalreporter):
    """Write how many cells of each notebook are compared."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    counts = [
        value
        for report in reports
        for name, value in report.user_properties
        if name == "code cells"
    ]
    if counts:
        terminalreporter.section("code cells")
    for name, found in sorted(counts):
        entries = [f"{number} {kind}" for kind, number in found.items()]
        terminalreporter.write_line(f"{name}: {', '.join(entries)}")
