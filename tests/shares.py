"""How much of each notebook a run has checked, and how much it should check."""

import ast
import tomllib
from collections import Counter
from pathlib import Path

from guard import running

KINDS = ("compared", "asserted", "ignored", "not checked")
FILE = Path(__file__).parent / "shares.toml"


def kind(source, outputs, checked):
    """How a code cell was checked that ran to its end; `checked` is False where nbval was told to ignore it."""
    if not checked:
        return "ignored"
    if outputs:
        return "compared"
    asserts = any(isinstance(node, ast.Assert) for part in running(source) for node in ast.walk(part))
    return "asserted" if asserts else "not checked"


def complaints(counts):
    """What is wrong with the `counts` of notebooks that have run in full: a list of sentences."""
    expected = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [sentence for name in counts if (sentence := complaint(name, counts[name], expected.get(name)))]


def complaint(name, counts, expected):
    """What is wrong with the `counts` of one notebook, or None."""
    line = f"{name} = {{ " + ", ".join(f'"{kind}" = {counts[kind]}' for kind in KINDS) + " }"
    if expected is None:
        return f"{name} is not in {FILE.name}; add the line: {line}"
    if Counter(expected) == counts:
        return None
    fell = counts["compared"] / counts.total() < expected["compared"] / sum(expected.values())
    what = "a smaller share of its cells is compared than before" if fell else "its cells are not those of before"
    return f"{name}: {what}; if that is meant, write into {FILE.name}: {line}"


def table(counts):
    """The `counts` of each notebook and of all, as a text of one line each."""
    rows = {"": ["code cells", *KINDS]}
    for name, found in {**counts, "in all": sum(counts.values(), Counter())}.items():
        rows[name] = [found.total(), *(found[kind] for kind in KINDS)]
    return "\n".join(f"{name:30s}" + "".join(f"{entry:>13}" for entry in row) for name, row in rows.items())
