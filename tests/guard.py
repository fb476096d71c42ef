"""Check stored notebooks for faults that nbval does not report."""

import ast
import re

from IPython.core.inputtransformer2 import TransformerManager

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
MACHINE_PATH = re.compile(
    r"(?:^|[\s'\"(=:,\[`]|file://)"
    r"(?:/(?:home|root|Users|tmp|work|opt|var|usr|mnt)/|[A-Za-z]:\\)"
    r"|site-packages"
)
SILENCED = re.compile(r"simplefilter|filterwarnings|seterr|errstate|%%capture|raises-exception")
PNG = "iVBORw0KGgo"  # how every PNG begins, in base64
IGNORED = "nbval-ignore-output"
PICTURE = "picture"  # the tag of the cell whose figure the README shows
REASON = re.compile(r"perf_counter|timeit|# not compared: \w+|\binteract\(")
INTERACT = re.compile(r"^interact\(\s*(\w+)", re.MULTILINE)
SHOWN_BY = {"print", "show", "help", "display", "Markdown"}


def complaints(notebook):
    """What is wrong with `notebook`, a dict: a list of sentences, empty if nothing is wrong."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in cells]
    found = []
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        found.append("the kernelspec is not python3")
    if not cells:
        found.append("there are no code cells")
    if counts != list(range(1, len(cells) + 1)):
        found.append(
            f"cells were not executed once each, in order, from a fresh kernel: counts {counts}"
        )
    for number, cell in enumerate(cells, 1):
        found += [f"code cell {number}: {complaint}" for complaint in _of_cell(cell)]
        moved = INTERACT.search("".join(cell["source"]))
        if moved and not any(_shows(moved[1], one) for one in cells):
            found.append(
                f"code cell {number}: what {moved[1]} shows is compared nowhere; "
                "call it in a cell before"
            )
    return found


def _shows(function, cell):
    """Whether the cell's outputs are compared, and come from a plain call of `function`."""
    tags = cell["metadata"].get("tags", [])
    calls = _top_level("".join(cell["source"]))
    return (
        IGNORED not in tags
        and cell["outputs"]
        and any(call.startswith(f"{function}(") for call in calls)
    )


def _of_cell(cell):
    source = "".join(cell["source"])
    outputs = cell["outputs"]
    tags = cell["metadata"].get("tags", [])
    text = "\n".join(map(_text, outputs))
    moves = INTERACT.search(source)
    checks = {
        "it is empty": not source.strip(),
        "an error is stored": any(output["output_type"] == "error" for output in outputs),
        "stderr is stored": any(output.get("name") == "stderr" for output in outputs),
        "a memory address is stored": ADDRESS.search(text),
        "a control character is stored": CONTROL.search(text),
        "a path of a machine": MACHINE_PATH.search(text + "\n" + source),
        f"a tag other than {IGNORED} and {PICTURE}": set(tags) - {IGNORED, PICTURE},
        "a marker of nbval in the source; use a tag": re.search(
            r"#\s*(?:NBVAL_|PYTEST_VALIDATE)", source
        ),
        "ignored without a reason; time something, or write '# not compared: why'": (
            IGNORED in tags and not REASON.search(source)
        ),
        "its output is gone": not outputs
        and not moves
        and (IGNORED in tags or _shows_something(source)),
        "sliders are not kept; make notebooks leaves them out": moves and outputs,
        f"sliders without the tag {IGNORED}": moves and IGNORED not in tags,
        "its figure is gone": any(
            "<Figure" in _text(output) and not _has_picture(output) for output in outputs
        )
        or ("plt.show()" in _top_level(source) and not any(map(_has_picture, outputs))),
        "a picture that is no PNG isn't compared": any(
            kind.startswith("image/") and kind != "image/png"
            for output in outputs
            for kind in output.get("data", {})
        ),
        "a figure where nothing is compared": IGNORED in tags and any(map(_has_picture, outputs)),
        "warnings or errors are silenced": SILENCED.search(source),
    }
    return [complaint for complaint, wrong in checks.items() if wrong]


def _text(output):
    """All text of an output, whatever its kind."""
    data = output.get("data", {})
    parts = [
        output.get("text", ""),
        *(value for kind, value in data.items() if kind.startswith("text/")),
    ]
    return "\n".join("".join(part) for part in parts)


def _has_picture(output):
    """Whether an output contains the data of a PNG."""
    return "".join(output.get("data", {}).get("image/png", "")).startswith(PNG)


def statements(source):
    """The top-level statements of a cell, or none if it begins with a cell magic, %%."""
    if source.lstrip().startswith("%%"):
        return []
    return ast.parse(TransformerManager().transform_cell(source)).body


def running(source):
    """The statements of a cell other than definitions of functions and classes."""
    return [
        part for part in statements(source) if not isinstance(part, ast.FunctionDef | ast.ClassDef)
    ]


def _shows_something(source):
    """Whether the cell prints, shows or ends in a value.

    A call of any other function at the end of a cell is left to nbval.
    """
    parts = running(source)
    if parts and isinstance(parts[-1], ast.Expr) and not isinstance(parts[-1].value, ast.Call):
        return True
    calls = [node.func for part in parts for node in ast.walk(part) if isinstance(node, ast.Call)]
    return any(getattr(call, "id", getattr(call, "attr", None)) in SHOWN_BY for call in calls)


def _top_level(source):
    """The expressions that are statements of their own at the top level of a cell."""
    return {
        ast.unparse(statement)
        for statement in statements(source)
        if isinstance(statement, ast.Expr)
    }
