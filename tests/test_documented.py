"""The documentation of arguments, from Python's annotations and from Hy's macro: the same."""

import inspect
import pickle
import pydoc
from functools import cache, partial, wraps
from typing import Annotated

import hy
import pytest
from typing_extensions import Doc

from helpers.documented import docstring, documented

POST = "Multiply arg1 by arg2\n\nParameters\n----------\narg1 : a number\narg2 : a number"


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


def test_the_docstring_is_the_posts():
    assert func.__doc__ == POST
    assert mydef('((arg1 "a number") (arg2 "a number"))').__doc__ == POST


def test_python_and_hy_give_the_same_signature_and_help():
    assert inspect.signature(func) == inspect.signature(mydef(TYPED))
    assert pydoc.plaintext.document(func) == pydoc.plaintext.document(mydef(TYPED))


def test_the_arguments_documentation_is_on_the_function():
    assert func.args == mydef(TYPED).args == {"arg1": "a number", "arg2": "a number"}


def test_the_function_still_works_and_is_not_wrapped():
    assert func(24, 3) == mydef(TYPED)(24, 3) == 72
    assert not hasattr(func, "__wrapped__")
    assert pickle.loads(pickle.dumps(func)) is func


def test_the_types_stay_and_the_documentation_leaves_the_annotation():
    assert func.__annotations__ == {"arg1": float, "arg2": float}


def test_the_expansion_is_a_function_definition_with_the_docstring_in_it():
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
        "(a: int, /, b: float = 2.0, *rest: int, undocumented=None, c: int | None = None, **others: str) -> int"
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
        "from __future__ import annotations\n@documented\ndef f(x: Annotated[float, Doc('deep')]): pass",
        names,
    )
    assert names["f"].args == {"x": "deep"}


@pytest.mark.parametrize(
    ("summary", "arguments", "text"),
    [
        ("Do it", {}, "Do it"),
        (None, {"a": "x"}, "Parameters\n----------\na : x"),
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
        ('[["a" "x"]]', 'mydef: "a" is no argument'),
        ('[[[] "x"]]', "is no argument"),
        ('[[() "x"]]', "is no argument"),
    ],
)
def test_an_argument_without_documentation_is_refused_before_anything_runs(arguments, message):
    with pytest.raises(hy.errors.HyMacroExpansionError, match=message):
        mydef(arguments, "1")


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
    [len, Example, Example().method, staticmethod(len), partial(int, base=2), cache(lambda: 1)],
)
def test_what_is_no_plain_function_is_refused(thing):
    with pytest.raises(
        ValueError, match="is no plain function; put @documented below its other decorators"
    ):
        documented(thing)


def test_documentation_that_would_be_lost_is_refused():
    def f(x: Annotated[int, Doc("a number")] | None):
        pass

    with pytest.raises(ValueError, match=r"x: its Doc is inside of .*; write Annotated"):
        documented(f)


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
    assert f.__doc__ == "what it is\n\nParameters\n----------\ny : a number"
    assert f.__annotations__ == {"x": float, "y": int, "z": int}


def test_a_function_that_wraps_another_is_refused():
    @wraps(func)
    def f(*arguments):
        return func(*arguments)

    with pytest.raises(ValueError, match="is no plain function"):
        documented(f)


def test_tabs_and_blanks_are_as_pythons_compiler_leaves_them():
    assert (
        docstring("  a\n    b", {"x": "in\tm"}) == "a\n    b\n\nParameters\n----------\nx : in  m"
    )


def test_code_that_leads_a_body_is_no_docstring():
    function = mydef('[[a "x"]]', "(setv b a) (* b 2)")
    assert function(3) == 6
    assert function.__doc__ == "Parameters\n----------\na : x"
