"""The lint of stored notebooks finds every kind of violation, and none in a sound notebook."""

import copy

import pytest

from notebook_plugin.lint import count_cells, violations

PRINTED = {"output_type": "stream", "name": "stdout", "text": ["2\n"]}
FIGURE = {
    "output_type": "display_data",
    "data": {"image/png": "iVBORw0KGgo=", "text/plain": ["<Figure>"]},
    "metadata": {},
}
IGNORED = {"tags": ["nbval-ignore-output"]}
CELLS = [  # source, outputs, metadata
    ("import matplotlib.pyplot as plt", [], {}),
    ("print(1 + 1)", [PRINTED], {}),
    ("plt.plot([1, 2])\nplt.show()", [FIGURE], {"mystnb": {"image": {"alt": "a line"}}}),
    ("print(perf_counter())", [PRINTED], IGNORED),
    ("%%hy\n(setv x 1)", [], {}),
    ("def draw(k=1):\n    print(k)\n\n\ndraw()", [PRINTED], {}),
    ("interact(draw, k=(1, 3))", [], IGNORED),
]


def sound():
    """A small notebook without violations."""
    cells = [
        {
            "cell_type": "code",
            "source": [source],
            "outputs": outputs,
            "execution_count": number,
            "metadata": metadata,
        }
        for number, (source, outputs, metadata) in enumerate(CELLS, 1)
    ]
    return copy.deepcopy({"metadata": {"kernelspec": {"name": "python3"}}, "cells": cells})


def append(notebook, *sources, outputs=()):
    """Add cells to a notebook, which were executed after the others and have the same outputs."""
    for source in sources:
        number = 1 + len(notebook["cells"])
        cell = {"cell_type": "code", "source": source, "outputs": list(outputs)}
        notebook["cells"].append(cell | {"execution_count": number, "metadata": {}})


def test_sound_notebook_has_no_violations():
    assert violations(sound()) == []


def swap(cells):
    cells[1], cells[2] = cells[2], cells[1]


VIOLATIONS = {
    "foreign kernelspec": (
        lambda nb: nb["metadata"].update(kernelspec={"name": "conda-env"}),
        "kernelspec",
    ),
    "no kernelspec": (lambda nb: nb["metadata"].clear(), "kernelspec"),
    "no cells": (lambda nb: nb["cells"].clear(), "fresh kernel"),
    "not executed": (lambda nb: nb["cells"][0].update(execution_count=None), "executed"),
    "out of order": (lambda nb: swap(nb["cells"]), "in order"),
    "cell deleted": (lambda nb: nb["cells"].pop(1), "in order"),
    "empty cell": (lambda nb: nb["cells"][0].update(source=[" "]), "empty"),
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
    "figure that isn't compared": (
        lambda nb: nb["cells"][3]["outputs"].append(nb["cells"][2]["outputs"][0]),
        "not compared",
    ),
    "vector figure": (
        lambda nb: nb["cells"][2]["outputs"][0]["data"].update({"image/svg+xml": "<svg/>"}),
        "not a PNG",
    ),
    "sliders stored": (
        lambda nb: nb["cells"][6]["outputs"].append(nb["cells"][1]["outputs"][0]),
        "output of sliders is stored",
    ),
    "sliders compared": (lambda nb: nb["cells"][6]["metadata"].clear(), "sliders without the tag"),
    "sliders without a plain call": (
        lambda nb: nb["cells"][5].update(source=["draw = print"]),
        "never compared",
    ),
    "sliders whose plain call is ignored": (
        lambda nb: nb["cells"][5]["metadata"].update(tags=["nbval-ignore-output"]),
        "never compared",
    ),
    "warnings silenced": (
        lambda nb: nb["cells"][0].update(source=["np.seterr(all='ignore')"]),
        "silenced",
    ),
    "little compared": (
        lambda nb: append(nb, "x = 1", "x = 2", "x = 3"),
        "too few",
    ),
    "warnings caught": (
        lambda nb: nb["cells"][0].update(source=["with warnings.catch_warnings(): f()"]),
        "silenced",
    ),
    "error suppressed": (
        lambda nb: nb["cells"][0].update(source=["with suppress(Exception): f()"]),
        "silenced",
    ),
    "scratch folder": (
        lambda nb: nb["cells"][1]["outputs"][0].update(text=["in /scratch/me/x.py"]),
        "path",
    ),
    "blank alternative text": (
        lambda nb: nb["cells"][2]["metadata"].update(mystnb={"image": {"alt": " "}}),
        "alternative text",
    ),
    "may raise": (lambda nb: nb["cells"][1]["metadata"].update(tags=["raises-exception"]), "tag"),
    "marker": (
        lambda nb: nb["cells"][1].update(source=["# NBVAL_IGNORE_OUTPUT\nprint(2)"]),
        "marker",
    ),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_violation_is_found(name):
    inject, word = VIOLATIONS[name]
    notebook = sound()
    inject(notebook)
    assert any(word in sentence for sentence in violations(notebook))


def test_cells_are_counted_by_their_kind():
    assert count_cells(sound()) == {
        "compared": 3,
        "ignored": 2,
        "without output": 0,
        "definitions only": 2,
    }


def test_additional_cells_are_no_violation():
    notebook = sound()
    append(notebook, "import os", "def f():\n    return 1", "class A:\n    pass", "assert f() == 1")
    append(notebook, "print(2)", outputs=[PRINTED])
    notebook["cells"].append({"cell_type": "markdown", "source": "text", "metadata": {}})
    assert violations(notebook) == []
