"""One run of a small notebook: each fault must fail, and nothing else."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

ROOT = Path(__file__).parents[1]

DRAW = """import matplotlib.pyplot as plt
figure, axes = plt.subplots(num=1, clear=True)
axes.plot([0, 1, 2], [0, 1, 4])
plt.show()"""
CELLS = {  # source, stored text or figure, whether the cell passes
    "equal": ("print(1)", "1\n", True),
    "equal figure": (DRAW, DRAW, True),
    "another number": ("print(1)", "2\n", False),
    "no output stored": ("print(1)", "", False),
    "error": ("1 / 0", "", False),
    "warning": ("import warnings\nwarnings.warn('beware')", "", False),
    "warning of NumPy": ("import numpy\nnumpy.ones(1) / 0", "", False),
    "another figure": (DRAW.replace("4", "3"), DRAW, False),
    "no figure stored": (DRAW, "", False),
    "figure missing": (DRAW.replace("plt.show()", "plt.close()"), DRAW, False),
    "two figures": (f"{DRAW}\n{DRAW}", DRAW, False),
    "another number before a figure": (f"print(1)\n{DRAW.replace('4', '3')}", DRAW, False),
}


def notebook(cells):
    """A notebook with `cells`, pairs of a source and outputs, and with a foreign kernel."""
    return {
        "cells": [
            {
                "cell_type": "code",
                "source": source,
                "outputs": outputs,
                "execution_count": number,
                "metadata": {"mystnb": {"image": {"alt": "a curve"}}},
                "id": f"c{number}",
            }
            for number, (source, outputs) in enumerate(cells, 1)
        ],
        "metadata": {"kernelspec": {"name": "conda-env"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def outputs(stored):
    """The outputs of a cell that prints the text `stored`, or that draws by the code `stored`."""
    if stored != DRAW:
        return [{"output_type": "stream", "name": "stdout", "text": stored}] if stored else []
    file = BytesIO()
    with plt.rc_context():
        exec(DRAW.replace("plt.show()", ""), {})
        plt.savefig(file, format="png", bbox_inches="tight")
        text = repr(plt.gcf())
        plt.close()
    data = {"image/png": b64encode(file.getvalue()).decode(), "text/plain": text}
    return [{"output_type": "display_data", "data": data, "metadata": {}}]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder, the printed report of the run, and whether each cell has passed."""
    folder = tmp_path_factory.mktemp("run")
    cells = [(source, outputs(stored)) for source, stored, _ in CELLS.values()]
    (folder / "faulty.ipynb").write_text(json.dumps(notebook(cells)), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-rA"]
    command += ["-p", "notebook_plugin", f"--rootdir={folder}", folder]
    report = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
    ).stdout
    found = re.findall(r"^(PASSED|FAILED) faulty\.ipynb::Cell (\d+)", report, re.MULTILINE)
    passed = {list(CELLS)[int(number)]: outcome == "PASSED" for outcome, number in found}
    return folder, report, passed


@pytest.mark.parametrize("name", CELLS)
def test_only_faulty_cells_fail(run, name):
    _, _, passed = run
    assert passed[name] == CELLS[name][-1]


def test_lint_of_the_notebook_fails(run):
    _, report, _ = run
    assert "FAILED faulty.ipynb::lint - faulty.ipynb: the kernelspec is not python3" in report


def test_run_reports_how_many_cells_are_compared(run):
    _, report, _ = run
    counts = "7 compared, 0 ignored, 5 without output, 0 definitions only"
    assert f"faulty: {counts}" in report


def test_report_describes_differing_figures(run):
    folder, report, _ = run
    number = 1 + list(CELLS).index("another figure")
    assert re.search(
        rf"faulty\.ipynb, code cell {number}, figure 1: RMS \d+\.\d\d over the whole, .* allowed; "
        rf"see figure-differences/faulty-cell-{number}-1-\*",
        report,
    )
    assert "1 figures are stored, 0 drawn now" in report
    assert "1 figures are stored, 2 drawn now" in report
    kinds = ("stored", "fresh", "difference")
    other = 1 + list(CELLS).index("another number before a figure")
    names = {f"faulty-cell-{n}-1-{kind}.png" for n in (number, other) for kind in kinds}
    assert {path.name for path in folder.glob("figure-differences/*")} == names
