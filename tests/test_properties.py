"""Properties that hold for every input. HYPOTHESIS_PROFILE=search tries more of them."""

import csv
import inspect
import io
import os
import re
import tempfile
from pathlib import Path
from textwrap import indent
from typing import Annotated

import autograd.numpy as np
import hy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from typing_extensions import Doc

from helpers.autodiff import model_jacobian, tanh
from helpers.documented import documented
from helpers.least_squares import Fit, fit
from helpers.tables import read_columns

settings.register_profile("test", derandomize=True, database=None, deadline=None, max_examples=60)
settings.register_profile("search", deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def read(content, *names):
    """The columns `names` of a file that holds the bytes `content`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mine.csv"
        path.write_bytes(content)
        return read_columns(path, *names)


def answer(work, *refusals):
    """What `work()` returns and None, or None and the message if it raises one of `refusals`."""
    try:
        return work(), None
    except refusals as refusal:
        return None, str(refusal)


@given(st.binary() | st.text().map(str.encode), st.lists(st.text(), max_size=3))
def test_any_file_is_read_or_refused_by_name(content, names):
    found, refusal = answer(lambda: read(content, *names), ValueError)
    if refusal:
        assert refusal.startswith("mine.csv")
    else:
        assert len(found) == len(names) > 0
        assert all(
            len(column) == len(found[0]) > 0 and np.all(np.isfinite(column)) for column in found
        )


ODD = re.compile(
    r"[\r\n\v\f\x00\x1c-\x1e\x85\u2028\u2029\ud800-\udfff\ufeff]"
)  # ends of lines, and no characters
NAMES = st.lists(
    st.text(min_size=1).filter(lambda name: name == name.strip() and "\x00" not in name),
    min_size=1,
    max_size=4,
    unique=True,
)


@st.composite
def tables(draw):
    """Names of columns, and rows of finite numbers below them."""
    names = draw(NAMES)
    rows = draw(
        st.lists(st.lists(FINITE, min_size=len(names), max_size=len(names)), min_size=1, max_size=5)
    )
    return names, rows


def written(names, rows):
    """A table as the csv module writes it."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([names, *rows])
    return file.getvalue().encode("utf-8", "surrogatepass")


@given(tables())
def test_written_numbers_are_read_back_exactly(table):
    names, rows = table
    assume(not any(ODD.search(name) for name in names))
    found = read(written(names, rows), *names)
    assert np.array_equal(np.transpose(found), np.array(rows))


def is_number(text):
    try:
        return bool(np.isfinite(float(text))) and "_" not in text
    except ValueError:
        return False


@given(tables(), st.data(), st.text(max_size=8))
def test_error_names_file_and_line_of_a_bad_cell(table, data, bad):
    names, rows = table
    assume(not any(ODD.search(text) for text in [*names, bad]) and not is_number(bad))
    assume(len(names) > 1 or bad.strip())  # in one column, blanks are an empty line
    row, column = (
        data.draw(st.integers(0, len(rows) - 1)),
        data.draw(st.integers(0, len(names) - 1)),
    )
    rows[row][column] = bad
    with pytest.raises(ValueError, match=rf"^mine\.csv, line {row + 2}: "):
        read(written(names, rows), *names)


MODELS = {  # each with as many parameters as its signature has behind x
    "line": lambda x, a, b: a + b * x,
    "exponential": lambda x, a, b: a * np.exp(b * x),
    "rational": lambda x, a, b, c: a / (1 + b * x) + c,
    "Gaussian": lambda x, a, b, c: a * np.exp(-(((x - b) / c) ** 2)),
    "power": lambda x, a, b: a * np.abs(x) ** b,
    "two tanh": lambda x, a, b, c, d: a * tanh(b * x) + c * tanh(d * x),
}
NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e3, 1e3), FINITE, st.floats())


@given(st.sampled_from(sorted(MODELS)), st.integers(0, 12), st.data())
def test_fit_is_finite_or_refused_with_advice(name, size, data):
    model, calls = MODELS[name], []
    parameters = len(inspect.signature(model).parameters) - 1

    def counted(x, *arguments):
        calls.append(1)
        return model(x, *arguments)

    inputs, targets = (data.draw(arrays(float, size, elements=NUMBERS)) for _ in range(2))
    guess = data.draw(arrays(float, parameters, elements=NUMBERS))
    sigma = data.draw(st.none() | arrays(float, size, elements=NUMBERS.map(abs)))
    found, refusal = answer(
        lambda: fit(counted, inputs, targets, guess, sigma), ValueError, RuntimeError
    )
    if refusal:
        assert re.search(r"give|start|take|fix|leave|write|change", refusal)
    else:
        assert isinstance(found, Fit)
        assert np.all(np.isfinite(found.parameters))
        assert np.all(np.isfinite(found.residuals))
        assert np.isfinite(found.chi_square)
    assert len(calls) < 10_000 * (parameters + 1)


SAFE = {  # analytic, and finite wherever its arguments are between -2 and 2
    "sin": np.sin,
    "cos": np.cos,
    "tanh": tanh,
    "exp": lambda u: np.exp(np.sin(u)),
    "log": lambda u: np.log(2.5 + np.sin(u)),
    "sqrt": lambda u: np.sqrt(1.5 + np.cos(u)),
    "square": lambda u: np.sin(u) ** 2,
    "reciprocal": lambda u: 1 / (1.5 + np.sin(u)),
}
JOIN = {"+": lambda u, v: u + v, "-": lambda u, v: u - v, "*": lambda u, v: u * v}
LEAVES = st.one_of(st.integers(0, 4), st.floats(-2, 2))  # 0 is x, 1 to 4 are parameters
TREES = st.recursive(
    LEAVES,
    lambda below: (
        st.tuples(st.sampled_from(sorted(SAFE)), below)
        | st.tuples(st.sampled_from(sorted(JOIN)), below, below)
    ),
    max_leaves=8,
)


def value(tree, leaves):
    """What the composition `tree` is at `leaves`: x and the parameters."""
    if isinstance(tree, int):
        return leaves[tree]
    if isinstance(tree, float):
        return tree
    name, *below = tree
    return (SAFE | JOIN)[name](*(value(branch, leaves) for branch in below))


@given(
    TREES,
    arrays(float, st.integers(1, 6), elements=st.floats(-2, 2)),
    arrays(float, 4, elements=st.floats(-2, 2)),
)
def test_jacobian_matches_complex_step_derivative(tree, x, parameters):
    def model(x, *parameters):
        return (
            value(tree, (x, *parameters)) + 0 * x
        )  # a value per input, also where the tree has none

    step = 1e-30
    moved = [model(x, *(parameters + step * 1j * unit)).imag / step for unit in np.eye(4)]
    exact = np.array(moved).T
    found = model_jacobian(model)(x, *parameters)
    assert found.shape == (len(x), 4)
    assert np.allclose(found, exact, rtol=1e-11, atol=1e-13 * (1 + np.abs(exact).max()))


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
)
KINDS = [
    "POSITIONAL_ONLY",
    "POSITIONAL_OR_KEYWORD",
    "VAR_POSITIONAL",
    "KEYWORD_ONLY",
    "VAR_KEYWORD",
]


@st.composite
def signatures(draw):
    """Arguments in an order that Python allows: (kind, name, has a default, has a type, text)."""
    kinds = [
        *sorted(draw(st.lists(st.sampled_from(KINDS[:2]), max_size=3)), key=KINDS.index),
        *draw(st.sampled_from([[], ["VAR_POSITIONAL"]])),
        *draw(st.lists(st.just("KEYWORD_ONLY"), max_size=2)),
        *draw(st.sampled_from([[], ["VAR_KEYWORD"]])),
    ]
    optional = draw(st.integers(0, 3))  # from this positional argument on, each has a default
    arguments = []
    for number, kind in enumerate(kinds):
        default = (
            number >= optional
            if kind in KINDS[:2]
            else kind == "KEYWORD_ONLY" and draw(st.booleans())
        )
        arguments.append((kind, f"argument-{number}", default, draw(st.booleans()), draw(TEXTS)))
    return arguments


def markers(arguments, text_of):
    """The texts of the arguments, with the bare / and * between them that their kinds ask for."""
    parts = []
    for i, (kind, *_) in enumerate(arguments):
        before = [earlier for earlier, *_ in arguments[:i]]
        if before and before[-1] == KINDS[0] != kind:
            parts.append("/")
        if kind == KINDS[3] and KINDS[2] not in before and KINDS[3] not in before:
            parts.append("*")
        parts.append(text_of(arguments[i]))
    return parts + (["/"] if arguments and arguments[-1][0] == KINDS[0] else [])


def in_python(argument):
    kind, name, default, typed, text = argument
    annotation = f"Annotated[{'float' if typed else 'object'}, Doc({text!r})]"
    star = {KINDS[2]: "*", KINDS[4]: "**"}.get(kind, "")
    return f"{star}{hy.mangle(name)}: {annotation}{' = 1.5' if default else ''}"


def in_hy(argument):
    kind, name, default, typed, text = argument
    star = {KINDS[2]: "#* ", KINDS[4]: "#** "}.get(kind, "")
    written = f"#^ {'float' if typed else 'object'} {star}{f'[{name} 1.5]' if default else name}"
    return f"[{written} {hy.repr(text).removeprefix(chr(39))}]"


@given(signatures(), TEXTS)
def test_python_and_hy_document_any_signature_alike(arguments, summary):
    plain = {"Annotated": Annotated, "Doc": Doc}
    exec(f"def f({', '.join(markers(arguments, in_python))}): return 0", plain)
    plain["f"].__doc__ = summary
    assume(inspect.getdoc(plain["f"]) == summary)
    names = {"__name__": __name__}
    literal = hy.repr(summary).removeprefix("'")
    source = f"(mydef f [{' '.join(markers(arguments, in_hy))}] {literal} 0)"
    for form in hy.read_many("(require helpers.mydef [mydef])" + source):
        hy.eval(form, names)
    ours, theirs = documented(plain["f"]), names["f"]
    texts = {hy.mangle(name): text for _, name, *_, text in arguments}
    assert ours.args == theirs.args == texts
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert ours.__doc__ == theirs.__doc__
    for kind, name, _, typed, text in arguments:
        label = {KINDS[2]: "*", KINDS[4]: "**"}.get(kind, "") + hy.mangle(name)
        entry = f"\n{label} : {'float' if typed else 'object'}\n"
        entry += indent(inspect.cleandoc(text), "    ")
        assert entry.expandtabs().rstrip() in ours.__doc__
