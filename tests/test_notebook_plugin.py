"""One parallel run of small notebooks: each fault must fail, and nothing else."""

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
    """A notebook with `cells`, pairs of a source and outputs; those with a figure describe it."""
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
        "metadata": {"kernelspec": {"name": "python3"}},
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
    """The folder, the result of the run, and the outcome of each faulty cell."""
    folder = tmp_path_factory.mktemp("run")
    faulty = [(source, outputs(stored)) for source, stored, _ in CELLS.values()]
    (folder / "sound.ipynb").write_text(json.dumps(notebook(faulty[:2])), encoding="utf-8")
    few = [("x = 1", []), ("x == 1\nx = 2", []), faulty[0]]
    (folder / "few.ipynb").write_text(json.dumps(notebook(few)), encoding="utf-8")
    (folder / "faulty.ipynb").write_text(json.dumps(notebook(faulty)), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-rA"]
    command += ["-p", "notebook_plugin", "-n", "2", "--dist", "loadscope", f"--rootdir={folder}"]
    result = subprocess.run(
        [*command, folder],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
    )
    found = re.findall(r"^(PASSED|FAILED) faulty\.ipynb::Cell (\d+)", result.stdout, re.MULTILINE)
    outcomes = {list(CELLS)[int(number)]: outcome == "PASSED" for outcome, number in found}
    return folder, result, outcomes


@pytest.mark.parametrize("name", CELLS)
def test_only_faulty_cells_fail(run, name):
    _, _, outcomes = run
    assert outcomes[name] == CELLS[name][-1]


def test_sound_notebook_passes(run):
    _, result, _ = run
    passed = re.findall(r"^PASSED sound\.ipynb::(\w+ ?\d?)$", result.stdout, re.MULTILINE)
    assert sorted(passed) == ["Cell 0", "Cell 1", "lint"]


def test_lint_fails_where_too_few_cells_are_compared(run):
    _, result, _ = run
    assert "FAILED few.ipynb::lint - few.ipynb: too few of its cells" in result.stdout


def test_run_reports_how_many_cells_are_compared(run):
    _, result, _ = run
    counts = "compared, 0 ignored, {} without output, 0 definitions only"
    assert f"sound: 2 {counts.format(0)}" in result.stdout
    assert f"faulty: 7 {counts.format(5)}" in result.stdout


def test_report_describes_differing_figures(run):
    folder, result, _ = run
    number = 1 + list(CELLS).index("another figure")
    assert re.search(
        rf"faulty\.ipynb, code cell {number}, figure 1: RMS \d+\.\d\d over the whole, .* allowed; "
        rf"see figure-differences/faulty-cell-{number}-1-\*",
        result.stdout,
    )
    assert "1 figures are stored, 0 drawn now" in result.stdout
    assert "1 figures are stored, 2 drawn now" in result.stdout
    kinds = ("stored", "fresh", "difference")
    other = 1 + list(CELLS).index("another number before a figure")
    names = {f"faulty-cell-{n}-1-{kind}.png" for n in (number, other) for kind in kinds}
    assert {path.name for path in folder.glob("figure-differences/*")} == names
