"""Run a small notebook with faults under the project's pytest settings: each fault must fail."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.pylabtools import print_figure
from matplotlib import image

import shares
from figures import largest_difference

ROOT = Path(__file__).parents[1]

DRAW = """import matplotlib.pyplot as plt
plt.style.use("helpers.figures")
plt.plot([0, 1, 2], [0, 1, 4], label="measured")
plt.plot([0, 1, 2], [1, 2, 2], label="model 0.5")
plt.xlabel("time / s")
plt.legend()
plt.show()"""
TEXTS = {
    "equal": ("print(1)", ["1\n"], "PASSED"),
    "another number": ("print(1)", ["2\n"], "FAILED"),
    "no output stored": ("print(1)", [], "FAILED"),
    "warning": ("import warnings\nwarnings.warn('beware')", [], "FAILED"),
    "NumPy's warning": ("import numpy\nnumpy.ones(1) / 0", [], "FAILED"),
}
FIGURES = {  # what is drawn now, in place of the code that drew what is stored
    "equal figure": (DRAW, "PASSED"),
    "rounding": (DRAW.replace("[0, 1, 4]", "[0, 1 + 1e-9, 4 - 1e-9]"), "PASSED"),
    "one glyph": (DRAW.replace("/ s", "/ h"), "FAILED"),
    "no label": (DRAW.replace('plt.xlabel("time / s")\n', ""), "FAILED"),
    "no legend": (DRAW.replace("plt.legend()\n", ""), "FAILED"),
    "legend without a name": (DRAW.replace('"model 0.5"', '"_model"'), "FAILED"),
    "no second curve": (DRAW.replace("plt.plot([0, 1, 2], [1, 2, 2]", "plt.plot([], []"), "FAILED"),
    "a curve moved by a thousandth": (DRAW.replace("[1, 2, 2]", "[1.004, 2.004, 2.004]"), "FAILED"),
    "a comma for a point": (DRAW.replace("model 0.5", "model 0,5"), "FAILED"),
    "no point": (DRAW.replace("model 0.5", "model 0 5"), "FAILED"),
    "other colour": (DRAW.replace("[1, 2, 2],", "[1, 2, 2], color='C2',"), "FAILED"),
    "another size": (
        DRAW.replace(
            "plt.plot([0, 1, 2], [0, 1, 4]",
            "plt.figure(figsize=(6, 3))\nplt.plot([0, 1, 2], [0, 1, 4]",
        ),
        "FAILED",
    ),
    "no figure": (DRAW.replace("plt.show()", "plt.close()"), "FAILED"),
    "two figures": (DRAW + "\n" + DRAW, "FAILED"),
}


def run(folder, cells, *options):
    """Run pytest on a notebook in `folder` that is made of `cells`, pairs of (source, outputs)."""
    notebook = {
        "cells": [
            {
                "cell_type": "code",
                "source": source,
                "outputs": outputs,
                "execution_count": i,
                "metadata": {},
                "id": f"c{i}",
            }
            for i, (source, outputs) in enumerate(cells, 1)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / "planted.ipynb").write_text(json.dumps(notebook))
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml"]
    command += [f"--rootdir={folder}", "-p", "conftest", *options, folder / "planted.ipynb"]
    path = os.pathsep.join(map(str, [ROOT, ROOT / "tests"]))
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def stream(text):
    return [{"output_type": "stream", "name": "stdout", "text": text}] if text else []


def drawn(source):
    """The outputs that a kernel stores for a cell that draws."""
    with plt.rc_context():
        exec(source.replace("plt.show()", ""), {})
        png, text = b64encode(print_figure(plt.gcf(), "png")).decode(), repr(plt.gcf())
    plt.close()
    return [
        {
            "output_type": "display_data",
            "data": {"image/png": png, "text/plain": text},
            "metadata": {},
        }
    ]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """The folder, the report and the outcome of each cell, from one run of all faults."""
    folder = tmp_path_factory.mktemp("planted")
    stored = drawn(DRAW)
    cells = [(source, stream(text)) for source, text, _ in TEXTS.values()]
    cells += [(source, stored) for source, _ in FIGURES.values()]
    report = run(folder, cells, "-rA").stdout
    found = re.findall(r"^(PASSED|FAILED) \S+::Cell (\d+)", report, re.MULTILINE)
    outcomes = {list(TEXTS | FIGURES)[int(number)]: outcome for outcome, number in found}
    return folder, report, outcomes


@pytest.mark.parametrize("fault", TEXTS | FIGURES)
def test_only_faults_fail(planted, fault):
    _, _, outcomes = planted
    assert outcomes[fault] == (TEXTS | FIGURES)[fault][-1]


def test_report_locates_and_measures_differing_figures(planted):
    _, report, _ = planted
    number = 1 + list(TEXTS | FIGURES).index("one glyph")
    assert re.search(
        rf"planted\.ipynb, code cell {number}, figure 1: "
        r"RMS \d+\.\d\d over all pixels, \d+\.\d\d in the 16 x 16 at \(\d+, \d+\); "
        r"1\.0 and 4\.0 are allowed; "
        r"see figure-differences/planted-cell",
        report,
    )
    assert re.search(
        r"figure 1: stored with \d+ x \d+ pixels, drawn with \d+ x \d+ now, RMS", report
    )
    assert "1 figures are stored, 0 drawn now" in report
    assert "1 figures are stored, 2 drawn now" in report


def test_three_pictures_of_a_difference_are_saved(planted):
    folder, _, _ = planted
    number = 1 + list(TEXTS | FIGURES).index("no second curve")
    stored, fresh, difference = (
        255
        * image.imread(folder / "figure-differences" / f"planted-cell-{number}-1-{kind}.png")[
            ..., :3
        ]
        for kind in ("stored", "fresh", "difference")
    )
    assert largest_difference(stored, fresh)[0] > 50
    between = np.abs(stored - fresh)
    assert np.allclose(255 - between * 255 / between.max(), difference, atol=1)


def test_largest_difference_has_correct_size_and_place():
    page = np.full((100, 150, 3), 255.0)
    spotted = page.copy()
    spotted[40:42, 70:72] = 0
    size, (x, y) = largest_difference(page, spotted)
    assert size == pytest.approx(np.sqrt(4 * 255**2 / 16**2))
    assert (x, y) == (64, 32)
    assert largest_difference(page, spotted[:90, :140]) == (size, (x, y))


def test_marker_may_move_by_a_pixel_but_not_vanish():
    page = np.full((100, 150, 3), 255.0)
    marked = page.copy()
    marked[40:45, 70:75] = 0
    moved = page.copy()
    moved[41:46, 69:74] = 0
    assert largest_difference(marked, moved)[0] == 0
    assert largest_difference(marked, page)[0] > 50
    assert largest_difference(page, marked)[0] > 50


def test_no_pictures_of_equal_figures_are_saved(planted):
    folder, _, _ = planted
    failed = sum(
        outcome == "FAILED" and source.count("show") == 1 for source, outcome in FIGURES.values()
    )
    assert len(list(folder.glob("figure-differences/*.png"))) == 3 * failed


def test_notebook_without_stored_counts_fails_the_run(tmp_path):
    cells = [("x = 1", []), ("print(x)", stream("1\n")), ("assert x == 1", [])]
    whole = run(tmp_path, cells)
    assert whole.returncode == 1
    line = (
        'planted = { "compared" = 1, "asserted" = 1, "ignored" = 0, "not checked" = 1, '
        '"assertions" = 1 }'
    )
    assert f"planted is not in shares.toml; add the line: {line}" in whole.stdout
    assert re.search(r"^planted +3 +1 +1 +0 +1 +1$", whole.stdout, re.MULTILINE)
    part = run(tmp_path, cells, "--deselect", "planted.ipynb::Cell 2")
    assert part.returncode == 0
    assert "2 passed" in part.stdout
    assert "add the line" not in part.stdout


EXPECTED = {"compared": 6, "asserted": 2, "ignored": 1, "not checked": 1, "assertions": 7}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({}, None),
        ({"compared": -1, "ignored": 1}, "a smaller share of its cells is compared than before"),
        (
            {"compared": -1, "not checked": 1},
            "a smaller share of its cells is compared than before",
        ),
        ({"not checked": 1}, "a smaller share of its cells is compared than before"),
        ({"assertions": -1}, "fewer assertions are made than before"),
        ({"assertions": 1}, "its cells are not those of before"),
        ({"compared": 1}, "its cells are not those of before"),
        ({"asserted": -1, "not checked": 1}, "its cells are not those of before"),
    ],
)
def test_changed_counts_are_reported(change, complaint):
    counts = Counter(EXPECTED)
    counts.update(change)
    found = shares.complaint("nb", counts, EXPECTED)
    assert found is complaint or found.startswith(
        f"nb: {complaint}; if that is meant, write into shares.toml: nb = {{"
    )


@pytest.mark.parametrize(
    ("source", "outputs", "checked", "kind"),
    [
        ("1", ["1"], True, "compared"),
        ("1", ["1"], False, "ignored"),
        ("x = 1\nassert x", [], True, "asserted"),
        ("for x in (1, 2):\n    assert x", [], True, "asserted"),
        ("def f():\n    assert x", [], True, "not checked"),
        ("%%hy\n(assert x)", [], True, "not checked"),
        ("import os", [], True, "not checked"),
    ],
)
def test_kind_of_check_of_a_cell(source, outputs, checked, kind):
    assert shares.kind(source, outputs, checked) == kind


def test_assertions_inside_functions_and_loops_are_counted():
    source = "assert x\nfor y in z:\n    assert y\n\n\ndef f(t):\n    assert t\n    return t"
    assert shares.assertions(source) == 3
    assert shares.assertions("%%hy\n(assert x)") == 0
