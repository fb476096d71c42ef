"""The documentation of arguments, from Python's annotations and from Hy's macro: the same."""

import inspect
import pickle
import pydoc
from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Annotated, Literal

import hy
import pytest
from typing_extensions import Doc

from helpers.documented import docstring, documented

POST = "Multiply arg1 by arg2\n\nParameters\n----------\narg1 : a number\narg2 : a number"
NUMPY = """Multiply arg1 by arg2

Parameters
----------
arg1 : float
    a number
arg2 : float
    a number"""


@documented
def func(arg1: Annotated[float, Doc("a number")], arg2: Annotated[float, Doc("a number")]):
    """Multiply arg1 by arg2"""
    return arg1 * arg2


def hy_eval(source):
    """The value of the last form of Hy source, in a module of its own."""
    names = {"__name__": __name__}
    for form in hy.read_many("(require helpers.mydef [mydef])" + source):
        value = hy.eval(form, names)
    return value


def mydef(arguments, body='"Multiply arg1 by arg2" (* arg1 arg2)'):
    return hy_eval(f"(mydef func {arguments} {body}) func")


TYPED = '[[#^ float arg1 "a number"] [#^ float arg2 "a number"]]'


def test_without_types_the_docstring_is_the_posts():
    assert mydef('((arg1 "a number") (arg2 "a number"))').__doc__ == POST


def test_with_types_the_docstring_is_numpydocs():
    assert func.__doc__ == NUMPY
    assert mydef(TYPED).__doc__ == NUMPY


def test_types_may_be_given_to_some_arguments_only():
    function = mydef('[[arg1 "a number"] [#^ float arg2 "another"]]')
    assert function.__doc__.endswith("\narg1 : a number\narg2 : float\n    another")


def test_python_and_hy_give_the_same_signature_and_help():
    assert inspect.signature(func) == inspect.signature(mydef(TYPED))
    assert pydoc.plaintext.document(func) == pydoc.plaintext.document(mydef(TYPED))


def test_the_arguments_documentation_is_on_the_function():
    assert func.args == mydef(TYPED).args == {"arg1": "a number", "arg2": "a number"}


def test_the_function_still_works_and_is_not_wrapped():
    assert func(24, 3) == mydef(TYPED)(24, 3) == 72
    assert not hasattr(func, "__wrapped__")
    assert pickle.loads(pickle.dumps(func)) is func


def test_annotations_keep_the_types_alone():
    assert func.__annotations__ == {"arg1": float, "arg2": float}


def test_macro_expands_to_a_definition_with_the_docstring():
    expansion = hy_eval(
        """(hy.macroexpand '(mydef f [[a "an int"] [b "an int"]] "some doc" (* a b)))"""
    )
    head, decorators, name, parameters, text, body = expansion
    assert [str(head), str(name), [str(p) for p in parameters]] == ["defn", "f", ["a", "b"]]
    assert str(text) == "some doc\n\nParameters\n----------\na : an int\nb : an int"
    assert body == hy.read("(* a b)")
    assert len(decorators) == 1


@documented
def everything(
    a: Annotated[int, Doc("first")],
    /,
    b: Annotated[float, Doc("second")] = 2.0,
    *rest: Annotated[int, Doc("more")],
    undocumented=None,
    c: Annotated[int | None, "no Doc", Doc("third")] = None,
    **others: Annotated[str, Doc("the rest")],
) -> Annotated[int, Doc("not an argument")]:
    return a


def test_defaults_stars_and_keywords():
    assert everything.args == {
        "a": "first",
        "b": "second",
        "rest": "more",
        "c": "third",
        "others": "the rest",
    }
    assert str(inspect.signature(everything)) == (
        "(a: int, /, b: float = 2.0, *rest: int, undocumented=None, "
        "c: int | None = None, **others: str) -> int"
    )


def test_defaults_stars_and_keywords_in_hy():
    function = mydef(
        """[[#^ int a "first"] / [#^ float [b-c 2.0] "second"] [#^ int #* rest "more"]
            [[c None] "third"] [#** others "the rest"]]""",
        "a",
    )
    assert function.args == {
        "a": "first",
        "b_c": "second",
        "rest": "more",
        "c": "third",
        "others": "the rest",
    }
    assert (
        str(inspect.signature(function))
        == "(a: int, /, b_c: float = 2.0, *rest: int, c=None, **others)"
    )
    assert function(1, 2, 3, c=4, d=5) == 1


def test_a_bare_star_makes_the_rest_keyword_only():
    function = mydef('[[a "first"] * [b "second"]]', "[a b]")
    assert function(1, b=2) == [1, 2]
    with pytest.raises(TypeError):
        function(1, 2)


def test_of_several_documentations_the_last_one_counts():
    """As PEP 727 has it: a type that brings a text of its own can be given another."""

    @documented
    def f(x: Annotated[Annotated[float, Doc("a number")], Doc("a length in m")]):
        pass

    assert f.args == {"x": "a length in m"}


def test_annotations_that_are_strings_are_resolved():
    names = {"Annotated": Annotated, "Doc": Doc, "documented": documented}
    exec(
        "from __future__ import annotations\n"
        "@documented\n"
        "def f(x: Annotated[float, Doc('deep')]): pass",
        names,
    )
    assert names["f"].args == {"x": "deep"}


@pytest.mark.parametrize(
    ("summary", "arguments", "text"),
    [
        ("Do it", {}, "Do it"),
        (None, {"a": "x"}, "Parameters\n----------\na : x"),
        ("", {"*rest": "x"}, "Parameters\n----------\n*rest : x"),
        (None, {}, None),
        ("", {}, None),
    ],
)
def test_what_is_missing_leaves_no_gap(summary, arguments, text):
    assert docstring(summary, arguments) == text


def test_a_function_without_a_summary_or_without_arguments():
    assert documented(lambda: None).__doc__ is None
    assert mydef("[]", "72").__doc__ is None
    assert mydef("[]", "72")() == 72
    assert mydef('[[a "x"]]', '"a value"')(1) == "a value"  # a lone string is the value, as in defn
    assert mydef("[]", "")() is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("[a]", "mydef func: a is not documented; write"),
        ("[[a 3]]", r"mydef func: \[a 3\] is not documented"),
        ('[[a ""]]', r"mydef func: \[a \"\"\] is not documented"),
        ('[[a "x" "y"]]', "is not documented"),
        ("[[a]]", r"mydef func: \[a\] is not documented"),
        ("[[]]", "is not documented"),
        ('[["a" "x"]]', 'mydef: "a" is not an argument'),
        ('[[[] "x"]]', "is not an argument"),
        ('[[() "x"]]', "is not an argument"),
        ('[[(annotate) "x"]]', "is not an argument"),
        ('[[(f x) "x"]]', "is not an argument"),
    ],
)
def test_argument_without_documentation_is_refused_at_expansion(arguments, message):
    with pytest.raises(hy.errors.HyMacroExpansionError, match=message):
        mydef(arguments, "1")


def test_default_that_is_a_string_needs_a_description_besides():
    described = mydef('[[name "World"]]', "name")
    assert described.args == {"name": "World"}
    assert str(inspect.signature(described)) == "(name)"
    with_default = mydef('[[[name "World"] "whom to greet"]]', "name")
    assert with_default.args == {"name": "whom to greet"}
    assert str(inspect.signature(with_default)) == "(name='World')"


def test_nothing_returned_is_written_as_none():
    @documented
    def f(x: Annotated[int, Doc("a number")]) -> None:
        pass

    assert str(inspect.signature(f)) == "(x: int) -> None"


class Example:
    def method(self):
        pass


@pytest.mark.parametrize(
    "thing",
    [
        len,
        Example,
        Example().method,
        staticmethod(len),
        partial(int, base=2),
        cache(lambda: 1),
        None,
        "f",
    ],
)
def test_what_is_not_a_plain_function_is_a_type_error(thing):
    message = "is not a plain function; put @documented below its other decorators"
    with pytest.raises(TypeError, match=message):
        documented(thing)


NUMBER = Annotated[int, Doc("a number")]


@pytest.mark.parametrize(
    "annotation",
    [
        NUMBER | None,
        list[NUMBER],
        dict[str, list[NUMBER]],
        Callable[[NUMBER], None],
        Annotated[list[NUMBER], "no Doc"],
    ],
)
def test_documentation_that_would_be_lost_is_refused(annotation):
    def f(x):
        pass

    f.__annotations__ = {"x": annotation}
    with pytest.raises(ValueError, match=r"^x: the Doc is inside of .*; write Annotated"):
        documented(f)


def test_text_that_looks_like_a_doc_is_not_one():
    @documented
    def f(x: Literal["Doc("], y: Annotated[Literal["Doc("], Doc("a text")]):
        pass

    assert f.args == {"y": "a text"}
    assert f.__doc__.endswith("\ny : Literal['Doc(']\n    a text")


def test_documentation_that_is_not_a_text_is_a_type_error():
    def f(x: Annotated[int, Doc(3)]):
        pass

    with pytest.raises(TypeError, match=r"^x: the Doc holds 3; give a str"):
        documented(f)


def test_section_of_the_readers_own_is_refused():
    def f(x: Annotated[int, Doc("a number")]):
        """Do it.

        Parameters
        ----------
        x : int
            a number
        """

    with pytest.raises(ValueError, match="has a Parameters section of its own; move its texts"):
        documented(f)
    with pytest.raises(hy.errors.HyMacroExpansionError, match="a Parameters section of its own"):
        mydef('[[x "a number"]]', '"Do it.\n\nParameters\n----------\nx : int" x')


def test_section_of_ones_own_stays_where_nothing_is_documented():
    @documented
    def f(x: int):
        "Do it.\n\nParameters\n----------\nx : int"

    assert f.__doc__ == "Do it.\n\nParameters\n----------\nx : int"


SECTIONS = """Do it.

    More about it.

    Returns
    -------
    int
        a number

    Notes
    -----
    Nothing.
    """


def test_section_stands_before_the_other_sections():
    def g(x: Annotated[int, Doc("a number")]):
        pass

    g.__doc__ = SECTIONS
    lines = documented(g).__doc__.splitlines()
    headings = ("More about it.", "Parameters", "x : int", "Returns", "int", "Notes", "Nothing.")
    places = [lines.index(heading) for heading in headings]
    assert places == sorted(places)
    assert "\n\nParameters\n----------\nx : int\n    a number\n\nReturns\n" in g.__doc__
    hy_function = mydef('[[#^ int x "a number"]]', f'"{SECTIONS}" x')
    assert hy_function.__doc__ == g.__doc__


def test_texts_of_several_lines_are_indented_below_the_type():
    @documented
    def f(
        x: Annotated[
            int,
            Doc(
                """a number

                of some size
                """
            ),
        ],
        y: Annotated[int, Doc("another")],
    ):
        pass

    assert f.__doc__.endswith("\nx : int\n    a number\n\n    of some size\ny : int\n    another")


def test_typed_arguments_need_no_summary():
    function = mydef('[[#^ int x "a number"]]', "x")
    assert function(3) == 3
    assert function.__doc__ == "Parameters\n----------\nx : int\n    a number"


def test_types_are_written_alike_in_python_and_hy():
    names = {"Annotated": Annotated, "Doc": Doc}
    exec(
        "import hy\n"
        "def f(a: Annotated[int | None, Doc('t')], b: Annotated[list[int], Doc('t')],\n"
        "      c: Annotated[None, Doc('t')], d: Annotated[hy.models.Symbol, Doc('t')]): pass",
        names,
    )
    in_hy = mydef(
        """[[#^ (| int None) a "t"] [#^ (get list int) b "t"] [#^ None c "t"]
            [#^ hy.models.Symbol d "t"]]""",
        "1",
    )
    assert documented(names["f"]).__doc__ == in_hy.__doc__
    kinds = [line.split(" : ")[1] for line in in_hy.__doc__.splitlines() if " : " in line]
    assert kinds == ["int | None", "list[int]", "None", "hy.models.Symbol"]


def numpydoc_parameters(text):
    """(name, type, description) of each entry of a Parameters section, read as numpydoc does."""
    _, section = text.split("Parameters\n----------\n")
    found = []
    for line in section.split("\n\n")[0].splitlines():
        if line.startswith("    "):
            found[-1][2].append(line.strip())
        else:
            found.append((*line.split(" : "), []))
    return [(name, kind, " ".join(description)) for name, kind, description in found]


def test_section_is_read_as_numpydoc_reads_it():
    assert numpydoc_parameters(everything.__doc__) == [
        ("a", "int", "first"),
        ("b", "float", "second"),
        ("*rest", "int", "more"),
        ("c", "int | None", "third"),
        ("**others", "str", "the rest"),
    ]


@pytest.mark.parametrize("annotation", ["Nowhere", "in metres", "1 + int", "int[0]", "int.nowhere"])
def test_an_annotation_that_can_t_be_resolved_is_refused(annotation):
    def f(x):
        pass

    f.__annotations__ = {"x": annotation}
    with pytest.raises(
        ValueError, match=r"\.f: an annotation can't be resolved \(.+\); define its names first"
    ):
        documented(f)


def test_an_argument_without_documentation_keeps_its_type_alone():
    @documented
    def f(x: float, y: Annotated[int, Doc("a number")], z: Annotated[int, "no Doc"] = 1):
        "what it is"

    assert f.args == {"y": "a number"}
    assert f.__doc__ == "what it is\n\nParameters\n----------\ny : int\n    a number"
    assert f.__annotations__ == {"x": float, "y": int, "z": int}


def test_a_function_that_wraps_another_is_refused():
    @wraps(func)
    def f(*arguments):
        return func(*arguments)

    with pytest.raises(TypeError, match="is not a plain function"):
        documented(f)


def test_tabs_and_margins_are_as_inspect_leaves_them():
    text = docstring("  a\n\n    b", {"x": "in\tm"})
    assert text == "a\n\nb\n\nParameters\n----------\nx : in  m"


def test_code_that_leads_a_body_is_no_docstring():
    function = mydef('[[a "x"]]', "(setv b a) (* b 2)")
    assert function(3) == 6
    assert function.__doc__ == "Parameters\n----------\na : x"
