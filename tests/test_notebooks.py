"""The stored notebooks: none may pass by having nothing to compare. nbval compares the rest."""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from guard import complaints

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").rglob("*.ipynb"))
NOTEBOOKS = [path for path in NOTEBOOKS if ".ipynb_checkpoints" not in path.parts]
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def prose(path):
    return ["".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "markdown"]


def test_there_are_five_notebooks():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@each
def test_the_guard_has_no_complaints(path):
    assert complaints(read(path)) == []


@each
def test_it_opens_with_what_it_teaches_where_it_comes_from_and_how_long_it_runs(path):
    opening = prose(path)[0]
    assert opening.startswith("# ")
    assert "**What you will see.**" in opening
    assert re.search(r"John Kitchin, \[.+\]\(https://kitchingroup\S+\).*\d+ (March|November) 2017", opening)
    assert "**How long it runs.**" in opening


@each
def test_it_ends_with_the_post_and_here(path):
    last_heading = re.findall(r"^## (.+)$", "\n".join(prose(path)), re.MULTILINE)[-1]
    assert last_heading == "The post and here"
    tables = [cell for cell in read(path)["cells"] if "post_and_here(" in "".join(cell["source"])]
    assert "text/markdown" in tables[-1]["outputs"][0]["data"]
    assert read(path)["cells"][-1] == tables[-1]


def sound():
    """A small notebook about which there is nothing to say."""
    shown = {"output_type": "stream", "name": "stdout", "text": ["2\n"]}
    figure = {
        "output_type": "display_data",
        "data": {"image/png": "iVBORw0KGgo=", "text/plain": ["<Figure>"]},
        "metadata": {},
    }
    cells = [
        ("import matplotlib.pyplot as plt", []),
        ("print(1 + 1)", [shown]),
        ("plt.plot([1, 2])\nplt.show()", [figure]),
        ("print(perf_counter())", [copy.deepcopy(shown)]),
        ("%%hy\n(setv x 1)", []),
    ]
    notebook = {
        "metadata": {"kernelspec": {"name": "python3"}},
        "cells": [
            {"cell_type": "code", "source": [source], "outputs": out, "execution_count": i, "metadata": {}}
            for i, (source, out) in enumerate(cells, 1)
        ],
    }
    notebook["cells"][3]["metadata"]["tags"] = ["nbval-ignore-output"]
    return notebook


def test_a_sound_notebook_passes():
    assert complaints(sound()) == []


def swap(cells):
    cells[1], cells[2] = cells[2], cells[1]


FAULTS = {
    "foreign kernelspec": (lambda nb: nb["metadata"].update(kernelspec={"name": "conda-env"}), "kernelspec"),
    "no kernelspec": (lambda nb: nb["metadata"].clear(), "kernelspec"),
    "no cells": (lambda nb: nb["cells"].clear(), "no code cells"),
    "not executed": (lambda nb: nb["cells"][0].update(execution_count=None), "executed"),
    "out of order": (lambda nb: swap(nb["cells"]), "in order"),
    "cell deleted": (lambda nb: nb["cells"].pop(1), "in order"),
    "empty cell": (lambda nb: nb["cells"][0].update(source=[" "]), "empty"),
    "error": (lambda nb: nb["cells"][0]["outputs"].append({"output_type": "error"}), "error"),
    "stderr": (lambda nb: nb["cells"][1]["outputs"][0].update(name="stderr"), "stderr"),
    "address": (lambda nb: nb["cells"][1]["outputs"][0].update(text=["<f at 0x7f3a1c2b>"]), "address"),
    "overstrike": (lambda nb: nb["cells"][1]["outputs"][0].update(text=["f\bfu\bu"]), "control character"),
    "path": (lambda nb: nb["cells"][1]["outputs"][0].update(text=["in /home/me/x.py"]), "path"),
    "path in a figure's text": (
        lambda nb: nb["cells"][2]["outputs"][0]["data"].update({"text/plain": ["C:\\me"]}),
        "path",
    ),
    "path in the source": (lambda nb: nb["cells"][0].update(source=["open('/tmp/x')"]), "path"),
    "output gone": (lambda nb: nb["cells"][1]["outputs"].clear(), "output is gone"),
    "ignored output gone": (lambda nb: nb["cells"][3]["outputs"].clear(), "output is gone"),
    "figure gone": (lambda nb: nb["cells"][2]["outputs"][0]["data"].pop("image/png"), "figure is gone"),
    "figure of a function gone": (
        lambda nb: nb["cells"][1]["outputs"].append(
            {"output_type": "display_data", "data": {"text/plain": ["<Figure>"]}}
        ),
        "figure is gone",
    ),
    "figure empty": (lambda nb: nb["cells"][2]["outputs"][0]["data"].update({"image/png": ""}), "figure is gone"),
    "warnings silenced": (lambda nb: nb["cells"][0].update(source=["np.seterr(all='ignore')"]), "silenced"),
    "figure's output gone": (lambda nb: nb["cells"][2]["outputs"].clear(), "figure is gone"),
    "ignored without reason": (lambda nb: nb["cells"][3].update(source=["print(1)"]), "reason"),
    "skipped": (lambda nb: nb["cells"][1]["metadata"].update(tags=["nbval-skip"]), "tag"),
    "may raise": (lambda nb: nb["cells"][1]["metadata"].update(tags=["raises-exception"]), "tag"),
    "marker": (lambda nb: nb["cells"][1].update(source=["# NBVAL_IGNORE_OUTPUT\nprint(2)"]), "marker"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_guard_sees(fault):
    plant, word = FAULTS[fault]
    notebook = sound()
    plant(notebook)
    assert any(word in complaint for complaint in complaints(notebook))


@pytest.mark.parametrize(
    ("source", "stored", "outcome"),
    [
        ("print(1)", ["1\n"], "1 passed"),
        ("print(1)", ["2\n"], "1 failed"),
        ("print(1)", [], "1 failed"),
        ("import warnings\nwarnings.warn('beware')", [], "1 failed"),
        ("import numpy\nnumpy.ones(1) / 0", [], "1 failed"),
    ],
)
def test_a_notebook_run_is_strict_and_its_warnings_are_errors(tmp_path, source, stored, outcome):
    """A notebook of one cell, run as pytest runs all of them."""
    output = {"output_type": "stream", "name": "stdout", "text": stored}
    cell = {"cell_type": "code", "source": source, "outputs": [output] if stored else [], "execution_count": 1}
    notebook = {"cells": [cell | {"metadata": {}, "id": "one"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path = tmp_path / "planted.ipynb"
    path.write_text(json.dumps(notebook))
    root = NOTEBOOKS[0].parents[1]
    command = [sys.executable, "-m", "pytest", "-c", root / "pyproject.toml", "-p", "conftest", path]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert outcome in run.stdout.splitlines()[-1]
