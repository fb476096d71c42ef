"""What holds for every test run, notebooks included."""

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, NbCellError

import figures
import shares

STARTUP = """
import warnings

get_ipython().events.register("pre_run_cell", lambda _: warnings.simplefilter("error"))
"""
KIND = pytest.StashKey()  # of a cell: how it was checked
COUNTS = pytest.StashKey()  # of a run: how many cells of each kind, per notebook
COMPLAINTS = pytest.StashKey()  # of a run: notebooks with unexpected counts


def pytest_configure(config):
    """Give the notebooks' kernels a profile of their own, in which a warning is an error.

    The filter is set before the first cell runs. PYTHONWARNINGS, or a filter that is set while the
    kernel starts, would turn a deprecation in the kernel's own modules into an error that ends it.
    """
    profile = tempfile.TemporaryDirectory(prefix="ipython-")
    config.add_cleanup(profile.cleanup)
    startup = Path(profile.name, "profile_default", "startup", "warnings_are_errors.py")
    startup.parent.mkdir(parents=True)
    startup.write_text(STARTUP)
    os.environ["IPYTHONDIR"] = profile.name
    os.environ.pop("MPLBACKEND", None)  # with Agg, as is usual in CI, there would be no figures


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Once nbval has run a cell and compared its texts, compare its pictures too."""
    try:
        result = yield
    except NbCellError as error:  # the pictures may show why
        parts = [error.inner_traceback or "", *_differing_pictures(item)]
        error.inner_traceback = "\n".join(parts)
        raise
    if isinstance(item, IPyNbCell):
        if complaints := _differing_pictures(item):
            raise NbCellError(
                item.cell_num, "Cell figures differ", item.cell.source, "\n".join(complaints)
            )
        item.stash[KIND] = shares.kind(item.cell.source, item.cell.outputs, item.options["check"])
    return result


def _differing_pictures(item):
    """Complaints about the pictures of a cell that has run, unless its outputs are ignored."""
    if not item.options["check"]:
        return []
    number = item.cell_num + 1
    stored = figures.pictures(item.cell.outputs)
    fresh = figures.pictures(item.test_outputs or [])
    folder = item.config.rootpath / "figure-differences"
    complaints = figures.differences(stored, fresh, folder, f"{item.path.stem}-cell-{number}")
    return [f"{item.path.name}, code cell {number}, {complaint}" for complaint in complaints]


def pytest_sessionfinish(session):
    """Count how the cells were checked, and fail if the counts are not the expected ones."""
    if session.config.option.collectonly:
        return
    cells = [item for item in session.items if isinstance(item, IPyNbCell)]
    counts = {item.path.stem: Counter() for item in cells}
    sizes = {
        item.path.stem: sum(cell.cell_type == "code" for cell in item.parent.nb.cells)
        for item in cells
    }
    for item in cells:
        counts[item.path.stem][item.stash.get(KIND, "not checked")] += 1
        counts[item.path.stem]["assertions"] += shares.assertions(item.cell.source)
    in_full = {name: found for name, found in counts.items() if shares.cells(found) == sizes[name]}
    complaints = [] if session.testsfailed else shares.complaints(in_full)
    session.config.stash[COUNTS] = counts
    session.config.stash[COMPLAINTS] = complaints
    if complaints:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    """Write how many cells of each notebook the run has checked, and how."""
    if config.stash.get(COUNTS, None):
        terminalreporter.section("code cells")
        terminalreporter.write_line(shares.table(config.stash[COUNTS]))
    for complaint in config.stash.get(COMPLAINTS, []):
        terminalreporter.write_line(complaint, red=True)
