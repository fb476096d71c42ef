"""The notebooks follow one plan, and their tables are those of the published values."""

import json
import re
from base64 import b64decode
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from helpers.checks import checks_table
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


def code(path):
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


def stored_markdown(cell):
    (output,) = cell["outputs"]
    return "".join(output["data"]["text/markdown"])


def is_number(text):
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


@each
def test_notebook_opens_with_contents_source_and_duration(path):
    opening = prose(path)[0]
    assert opening.startswith("# ")
    for entry in ("What you will learn", "What you need to know", "How long it takes"):
        assert f"**{entry}.**" in opening
    assert re.search(
        r"John Kitchin, \[.+\]\(https://kitchingroup\S+\).*\d+ (March|November) 2017", opening
    )


@each
def test_notebook_ends_with_the_sections_that_all_have(path):
    headings = re.findall(r"^## (.+)$", "\n".join(prose(path)), re.MULTILINE)
    last = "Explore, Exercises, Your own data, What to remember, References"
    assert headings[-7:] == [*last.split(", "), "The original post and this work", "Checks"]


@each
def test_every_exercise_has_a_solution_that_runs(path):
    exercises = re.findall(r"^\*\*Exercise (\d+)\.\*\*", "\n".join(prose(path)), re.MULTILINE)
    solutions = [
        cell["source"][0].strip()
        for cell in code(path)
        if "hide-cell" in cell["metadata"].get("tags", [])
    ]
    assert len(exercises) >= 4
    assert solutions == [f"# Solution to exercise {number}" for number in exercises]


@each
def test_stored_checks_are_all_assertions_of_the_notebook(path):
    """So that an assertion that is lost from a notebook changes one of its compared outputs."""
    transform = TransformerManager().transform_cell
    cells = ["", *(transform("".join(cell["source"])) for cell in code(path))]
    assert code(path)[-1]["source"] == ["Markdown(checks_table(In))"]
    assert stored_markdown(code(path)[-1]) == checks_table(cells)


@each
def test_stored_table_matches_published_values(path):
    """nbval compares two tables as texts, and would not see that both are wrong."""
    (cell,) = [cell for cell in code(path) if "comparison_table(" in "".join(cell["source"])]
    header, rule, *lines = stored_markdown(cell).splitlines()
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
    assert f"notebooks/pictures/{picture.name}" in (path.parents[1] / "README.md").read_text(
        encoding="utf-8"
    )
