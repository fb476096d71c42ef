"""Count the cells that a run has checked in each notebook, and compare with the stored counts."""

import ast
import tomllib
from collections import Counter
from pathlib import Path

from guard import running, statements

KINDS = ("compared", "asserted", "ignored", "not checked")
COLUMNS = (*KINDS, "assertions")  # a cell can have several assertions
FILE = Path(__file__).parent / "shares.toml"


def kind(source, outputs, checked):
    """How a code cell that has run was checked; `checked` is False if nbval ignores its output."""
    if not checked:
        return "ignored"
    if outputs:
        return "compared"
    return "asserted" if _assertions(running(source)) else "not checked"


def assertions(source):
    """The number of assertions in a code cell, including those in its functions."""
    return _assertions(statements(source))


def cells(counts):
    """The number of code cells in the `counts` of a notebook."""
    return sum(counts[kind] for kind in KINDS)


def complaints(counts):
    """What is wrong with the `counts` of notebooks that have run in full: a list of sentences."""
    expected = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [
        sentence
        for name in counts
        if (sentence := complaint(name, counts[name], expected.get(name)))
    ]


def complaint(name, counts, expected):
    """What is wrong with the `counts` of one notebook, or None."""
    entries = ", ".join(f'"{column}" = {counts[column]}' for column in COLUMNS)
    line = f"{name} = {{ {entries} }}"
    if expected is None:
        return f"{name} is not in {FILE.name}; add the line: {line}"
    expected = Counter(expected)  # zero for a missing entry
    if expected == counts:
        return None
    if counts["compared"] / cells(counts) < expected["compared"] / cells(expected):
        what = "a smaller share of its cells is compared than before"
    elif counts["assertions"] < expected["assertions"]:
        what = "fewer assertions are made than before"
    else:
        what = "its cells are not those of before"
    return f"{name}: {what}; if that is meant, write into {FILE.name}: {line}"


def table(counts):
    """The `counts` of each notebook and of all, as a text of one line each."""
    rows = {"": ["code cells", *COLUMNS]}
    for name, found in {**counts, "in all": sum(counts.values(), Counter())}.items():
        rows[name] = [cells(found), *(found[column] for column in COLUMNS)]
    return "\n".join(
        f"{name:30s}" + "".join(f"{entry:>13}" for entry in row) for name, row in rows.items()
    )


def _assertions(parts):
    return sum(isinstance(node, ast.Assert) for part in parts for node in ast.walk(part))
