"""Every fault of `make mutants` still applies: it changes the file that it names."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "mutants"))
from mutants import faults, first_to_look  # noqa: E402

FAULTS = faults()


@pytest.mark.parametrize("name", FAULTS)
def test_fault_changes_its_file(name):
    file, change = FAULTS[name]
    text = (ROOT / file).read_text(encoding="utf-8")
    faulty = change(text)
    assert faulty != text
    if file.endswith(".py"):
        ast.parse(faulty)


@pytest.mark.parametrize("file", {file for file, _ in FAULTS.values()})
def test_tests_to_run_first_exist(file):
    for path in first_to_look(file):
        assert (ROOT / path).is_file()
