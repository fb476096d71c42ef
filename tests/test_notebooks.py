"""The stored notebooks: their structure, their last table, and what nbval does not compare."""

import copy
import json
import re
from base64 import b64decode
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from guard import complaints
from helpers.published import agrees, published_values

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").rglob("*.ipynb"))
NOTEBOOKS = [path for path in NOTEBOOKS if ".ipynb_checkpoints" not in path.parts]
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def prose(path):
    return [
        "".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "markdown"
    ]


def is_number(text):
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def test_there_are_five_notebooks():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@each
def test_stored_notebook_has_no_faults(path):
    assert complaints(read(path)) == []


@each
def test_notebook_opens_with_contents_source_and_duration(path):
    opening = prose(path)[0]
    assert opening.startswith("# ")
    assert "**What you will see.**" in opening
    assert re.search(
        r"John Kitchin, \[.+\]\(https://kitchingroup\S+\).*\d+ (March|November) 2017", opening
    )
    assert "**How long it runs.**" in opening


@each
def test_notebook_ends_with_comparison_table(path):
    last_heading = re.findall(r"^## (.+)$", "\n".join(prose(path)), re.MULTILINE)[-1]
    assert last_heading == "The original post and this work"
    tables = [
        cell for cell in read(path)["cells"] if "comparison_table(" in "".join(cell["source"])
    ]
    assert "text/markdown" in tables[-1]["outputs"][0]["data"]
    assert read(path)["cells"][-1] == tables[-1]


@each
def test_stored_table_matches_published_values(path):
    """nbval compares two tables as texts, and would not see that both are wrong."""
    table = "".join(read(path)["cells"][-1]["outputs"][0]["data"]["text/markdown"])
    header, rule, *lines = table.splitlines()
    assert header == "| quantity | published | this work | matching digits | reason |"
    assert rule == "|:--|--:|--:|:-:|:--|"
    rows = {}
    for line in lines:
        name, *rest = (cell.strip() for cell in line[1:-1].split(" | "))
        assert name not in rows
        rows[name] = rest
    published = published_values(path.stem[3:])
    assert list(rows) == list(published)
    for name, (text, digits, reason) in published.items():
        shown, reproduced, matching, why = rows[name]
        assert shown == text
        assert why == reason
        if digits == 0:
            assert matching == "–"
        elif matching == "all":
            assert reproduced == text
            assert not is_number(text)
        else:
            significant = len(Decimal(text).as_tuple().digits)
            assert matching == f"{digits or significant} of {significant}"
            assert agrees(text, float(reproduced), digits or significant)


@each
def test_readme_shows_the_tagged_figure(path):
    tagged = [cell for cell in read(path)["cells"] if "picture" in cell["metadata"].get("tags", [])]
    (png,) = [output["data"]["image/png"] for cell in tagged for output in cell["outputs"]]
    picture = path.parent / "pictures" / f"{path.stem}.png"
    assert picture.read_bytes() == b64decode(png)
    assert f"](notebooks/pictures/{picture.name})" in (path.parents[1] / "README.md").read_text(
        encoding="utf-8"
    )


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
        ("def draw(k=1):\n    print(k)\n\n\ndraw()", [copy.deepcopy(shown)]),
        ("interact(draw, k=(1, 3))", []),
    ]
    notebook = {
        "metadata": {"kernelspec": {"name": "python3"}},
        "cells": [
            {
                "cell_type": "code",
                "source": [source],
                "outputs": out,
                "execution_count": i,
                "metadata": {},
            }
            for i, (source, out) in enumerate(cells, 1)
        ],
    }
    for ignored in (3, 6):
        notebook["cells"][ignored]["metadata"]["tags"] = ["nbval-ignore-output"]
    return notebook


def test_sound_notebook_has_no_faults():
    assert complaints(sound()) == []


def swap(cells):
    cells[1], cells[2] = cells[2], cells[1]


FAULTS = {
    "foreign kernelspec": (
        lambda nb: nb["metadata"].update(kernelspec={"name": "conda-env"}),
        "kernelspec",
    ),
    "no kernelspec": (lambda nb: nb["metadata"].clear(), "kernelspec"),
    "no cells": (lambda nb: nb["cells"].clear(), "no code cells"),
    "not executed": (lambda nb: nb["cells"][0].update(execution_count=None), "executed"),
    "out of order": (lambda nb: swap(nb["cells"]), "in order"),
    "cell deleted": (lambda nb: nb["cells"].pop(1), "in order"),
    "empty cell": (lambda nb: nb["cells"][0].update(source=[" "]), "empty"),
    "error": (lambda nb: nb["cells"][0]["outputs"].append({"output_type": "error"}), "error"),
    "stderr": (lambda nb: nb["cells"][1]["outputs"][0].update(name="stderr"), "stderr"),
    "address": (
        lambda nb: nb["cells"][1]["outputs"][0].update(text=["<f at 0x7f3a1c2b>"]),
        "address",
    ),
    "overstrike": (
        lambda nb: nb["cells"][1]["outputs"][0].update(text=["f\bfu\bu"]),
        "control character",
    ),
    "path": (lambda nb: nb["cells"][1]["outputs"][0].update(text=["in /home/me/x.py"]), "path"),
    "path in a figure's text": (
        lambda nb: nb["cells"][2]["outputs"][0]["data"].update({"text/plain": ["C:\\me"]}),
        "path",
    ),
    "path in the source": (lambda nb: nb["cells"][0].update(source=["open('/tmp/x')"]), "path"),
    "output gone": (lambda nb: nb["cells"][1]["outputs"].clear(), "output is gone"),
    "ignored output gone": (lambda nb: nb["cells"][3]["outputs"].clear(), "output is gone"),
    "figure gone": (
        lambda nb: nb["cells"][2]["outputs"][0]["data"].pop("image/png"),
        "figure is gone",
    ),
    "figure of a function gone": (
        lambda nb: nb["cells"][1]["outputs"].append(
            {"output_type": "display_data", "data": {"text/plain": ["<Figure>"]}}
        ),
        "figure is gone",
    ),
    "figure empty": (
        lambda nb: nb["cells"][2]["outputs"][0]["data"].update({"image/png": ""}),
        "figure is gone",
    ),
    "figure that isn't compared": (
        lambda nb: nb["cells"][3]["outputs"].append(nb["cells"][2]["outputs"][0]),
        "nothing is compared",
    ),
    "vector figure": (
        lambda nb: nb["cells"][2]["outputs"][0]["data"].update({"image/svg+xml": "<svg/>"}),
        "no PNG",
    ),
    "sliders kept": (
        lambda nb: nb["cells"][6]["outputs"].append(nb["cells"][1]["outputs"][0]),
        "sliders are not kept",
    ),
    "sliders compared": (lambda nb: nb["cells"][6]["metadata"].clear(), "sliders without the tag"),
    "sliders without a plain call": (
        lambda nb: nb["cells"][5].update(source=["draw = print"]),
        "compared nowhere",
    ),
    "sliders whose plain call is ignored": (
        lambda nb: nb["cells"][5]["metadata"].update(tags=["nbval-ignore-output"]),
        "compared nowhere",
    ),
    "warnings silenced": (
        lambda nb: nb["cells"][0].update(source=["np.seterr(all='ignore')"]),
        "silenced",
    ),
    "figure's output gone": (lambda nb: nb["cells"][2]["outputs"].clear(), "figure is gone"),
    "ignored without reason": (lambda nb: nb["cells"][3].update(source=["print(1)"]), "reason"),
    "skipped": (lambda nb: nb["cells"][1]["metadata"].update(tags=["nbval-skip"]), "tag"),
    "may raise": (lambda nb: nb["cells"][1]["metadata"].update(tags=["raises-exception"]), "tag"),
    "marker": (
        lambda nb: nb["cells"][1].update(source=["# NBVAL_IGNORE_OUTPUT\nprint(2)"]),
        "marker",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found(fault):
    plant, word = FAULTS[fault]
    notebook = sound()
    plant(notebook)
    assert any(word in complaint for complaint in complaints(notebook))
