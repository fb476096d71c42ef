"""The README says nothing that the project does not bear out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = README.split("## The post and here")[1].split("\n## ")[0]
ROWS = [row.strip("| ").split(" | ") for row in RESULTS.splitlines() if re.match(r"\| \d", row)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}")
def test_every_number_in_the_table_of_results_stands_in_its_notebook(row):
    (notebook,) = (ROOT / "notebooks").glob(f"{row[0]}-*.ipynb")
    text = notebook.read_text(encoding="utf-8")
    for number in re.findall(r"\d+\.\d+(?:e-\d+)?|\de-\d+", " ".join(row[1:])):
        assert number in text


def test_it_names_every_notebook_every_helper_and_every_command():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"(notebooks/{path.name})" in README
    for path in (ROOT / "helpers").iterdir():
        name = f"`helpers.{path.stem}`" if path.suffix == ".py" else f"`helpers/{path.name}`"
        assert path.suffix not in (".py", ".hy") or path.stem == "__init__" or name in README
    for command in re.search(
        r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )[1].split():
        assert f"make {command}" in README


@pytest.mark.parametrize("target", set(re.findall(r"\]\(([^)#]+)\)", README)))
def test_its_links_within_the_project_lead_somewhere(target):
    assert target.startswith("https://") or (ROOT / target).exists()
