"""Look for what would pass in a stored notebook because nothing compares it."""

import ast
import re

from IPython.core.inputtransformer2 import TransformerManager

IGNORE = "nbval-ignore-output"
TAGS = {IGNORE, "picture", "hide-input", "hide-cell"}  # the README's picture, and what pages fold
COMPARED = 0.5  # of the cells that do more than define names, at least
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
MACHINE_PATH = re.compile(
    r"(?:^|[\s'\"(=:,\[`]|file://)"
    r"(?:/(?:home|root|Users|tmp|work|opt|var|usr|mnt|scratch|srv|private|Volumes)/|[A-Za-z]:\\)"
    r"|site-packages"
)
SILENCED = re.compile(
    r"simplefilter|filterwarnings|catch_warnings|showwarning|warnings\.filters|seterr|errstate"
    r"|suppress\(|%%capture|raises-exception"
)
MARKER = re.compile(r"#\s*(?:NBVAL_|PYTEST_VALIDATE)")
REASON = re.compile(r"perf_counter|timeit|# not compared: \w+|\binteract\(")
SLIDERS = re.compile(r"^interact\(\s*(\w+)", re.MULTILINE)
DEFINITIONS = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


def violations(notebook):
    """What is wrong with `notebook`, a dict or NotebookNode: a list of sentences."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in cells]
    found = []
    if notebook["metadata"].get("kernelspec", {}).get("name") != "python3":
        found.append("the kernelspec is not python3")
    if counts != list(range(1, len(cells) + 1)) or not cells:
        found.append(f"its cells were not executed in order from a fresh kernel: counts {counts}")
    compared = ["".join(cell["source"]) for cell in cells if _kind(cell) == "compared"]
    for number, cell in enumerate(cells, 1):
        found += [f"code cell {number}: {sentence}" for sentence in _cell_violations(cell)]
        sliders = SLIDERS.search("".join(cell["source"]))
        call = re.compile(rf"^{sliders[1]}\(", re.MULTILINE) if sliders else None
        if sliders and not any(map(call.search, compared)):
            found.append(
                f"code cell {number}: the output of {sliders[1]} is never compared; "
                f"call {sliders[1]}() in a cell before"
            )
    kinds = count_cells(notebook)
    if kinds["compared"] < COMPARED * (len(cells) - kinds["definitions only"]):
        found.append(f"too few of its cells have an output that is compared: {kinds}")
    return found


def count_cells(notebook):
    """How many code cells have a compared output, an ignored one, none, or only define names."""
    kinds = dict.fromkeys(("compared", "ignored", "without output", "definitions only"), 0)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            kinds[_kind(cell)] += 1
    return kinds


def _kind(cell):
    if IGNORE in _tags(cell):
        return "ignored"
    if cell["outputs"]:
        return "compared"
    source = "".join(cell["source"])
    if source.lstrip().startswith("%%"):  # another language
        return "definitions only"
    statements = ast.parse(TransformerManager().transform_cell(source)).body
    runs = any(not isinstance(statement, DEFINITIONS) for statement in statements)
    return "without output" if runs else "definitions only"


def _tags(cell):
    return set(cell["metadata"].get("tags", []))


def _cell_violations(cell):
    source = "".join(cell["source"])
    outputs = cell["outputs"]
    texts = "\n".join(map(_text, outputs))
    pictures = {
        kind for output in outputs for kind in output.get("data", {}) if kind.startswith("image/")
    }
    ignored = IGNORE in _tags(cell)
    sliders = SLIDERS.search(source)
    alternative_text = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
    rules = {
        "it is empty": not source.strip(),
        "stderr is stored": any(output.get("name") == "stderr" for output in outputs),
        "a memory address is stored": ADDRESS.search(texts),
        "a control character is stored": CONTROL.search(texts),
        "the path of a machine": MACHINE_PATH.search(f"{texts}\n{source}"),
        f"a tag other than {', '.join(sorted(TAGS))}": _tags(cell) - TAGS,
        "a marker of nbval in the source; use a tag": MARKER.search(source),
        "it is ignored without a reason; time something, or write '# not compared: why'": (
            ignored and not REASON.search(source)
        ),
        "its output is missing": ignored and not sliders and not outputs,
        "the output of sliders is stored; make notebooks leaves it out": sliders and outputs,
        f"sliders without the tag {IGNORE}": sliders and not ignored,
        "a figure without alternative text": pictures and not alternative_text.strip(),
        "a picture that is not a PNG is not compared": pictures - {"image/png"},
        "a figure in a cell that is not compared": ignored and pictures,
        "warnings or errors are silenced": SILENCED.search(source),
    }
    return [sentence for sentence, violated in rules.items() if violated]


def _text(output):
    """All text of an output, whatever its kind."""
    data = output.get("data", {})
    texts = [data[kind] for kind in data if kind.startswith("text/")]
    return "\n".join("".join(text) for text in [output.get("text", ""), *texts])
