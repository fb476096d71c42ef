"""The faults of make mutants still apply: each changes the file that it names. Whether they are seen, it tells."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "mutants"))
from mutants import faults, first_to_look  # noqa: E402

FAULTS = faults()


def test_there_are_enough_and_every_helper_has_one():
    assert len(FAULTS) >= 100
    files = {file for file, _ in FAULTS.values()}
    helpers = {f"helpers/{path.name}" for path in (ROOT / "helpers").iterdir() if path.is_file()}
    assert helpers - {"helpers/__init__.py"} <= files


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_changes_its_file(name):
    file, change = FAULTS[name]
    text = (ROOT / file).read_text(encoding="utf-8")
    faulty = change(text)
    assert faulty != text
    if file.endswith(".py"):
        ast.parse(faulty)


@pytest.mark.parametrize("file", {file for file, _ in FAULTS.values()})
def test_the_tests_that_look_first_are_there(file):
    for path in first_to_look(file):
        assert (ROOT / path).is_file()
