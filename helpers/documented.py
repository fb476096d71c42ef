"""Functions whose arguments carry their documentation: the Python half; mydef.hy is the other."""

import inspect
import re
from textwrap import indent
from typing import Annotated, get_args, get_origin, get_type_hints

from typing_extensions import Doc

SECTION = re.compile(r"^(\S.*)\n-{3,}[ \t]*$", re.MULTILINE)  # a heading in NumPy's style


def documented(function):
    """`function` with its `Annotated[type, Doc(text)]` arguments described in its docstring.

    The docstring gains a "Parameters" section in NumPy's style, the attribute `.args` maps names to
    texts, and the annotations keep the types alone, so that the signature and `help` read as those
    of any other function.

    Sources: PEP 593 (Annotated); PEP 727 (Doc), withdrawn, but kept in typing_extensions; the
    numpydoc style guide, https://numpydoc.readthedocs.io/en/latest/format.html
    """
    if not inspect.isfunction(function) or hasattr(function, "__wrapped__"):
        advice = "put @documented below its other decorators"
        raise TypeError(f"documented: {function!r} is not a plain function; {advice}")
    try:
        hints = get_type_hints(function, include_extras=True)
        types = get_type_hints(function)
    except (NameError, SyntaxError, TypeError, AttributeError) as problem:
        where = function.__qualname__
        advice = "define its names first"
        raise ValueError(
            f"{where}: an annotation can't be resolved ({problem}); {advice}"
        ) from None
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    arguments = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if text := _text(name, hints.get(name)):
            arguments[stars.get(parameter.kind, "") + name] = text
    function.__annotations__ = {
        name: None if kind is type(None) else kind for name, kind in types.items()
    }
    return with_arguments(arguments)(function)


def with_arguments(arguments):
    """A decorator that keeps `arguments`, texts by name, on the function as `.args`.

    The names may have stars before them. Where an argument has a type, the decorator also writes
    the "Parameters" section, because only a function that is defined knows its types.
    """

    def decorate(function):
        function.args = {label.lstrip("*"): text for label, text in arguments.items()}
        types = function.__annotations__
        if any(name in types for name in function.args):
            function.__doc__ = docstring(inspect.getdoc(function), arguments, types)
        return function

    return decorate


def docstring(summary, arguments, types=None):
    """`summary` with a "Parameters" section that describes `arguments`, texts by name.

    An argument whose type is in `types` is described as numpydoc has it, `name : type` with the
    text indented below, and one without a type as the original post has it, `name : text`. The
    section stands before the first other section of `summary`.
    """
    summary = inspect.cleandoc(summary or "")
    if arguments:
        if any(section[1] == "Parameters" for section in SECTION.finditer(summary)):
            raise ValueError(
                "the docstring has a Parameters section of its own; "
                "move its texts to the arguments, so that each is written once"
            )
        entries = [_entry(label, text, types or {}) for label, text in arguments.items()]
        section = "\n".join(["Parameters", "-" * 10, *entries])
        heading = SECTION.search(summary)
        begin = heading.start() if heading else len(summary)
        parts = [summary[:begin].rstrip("\n"), section, summary[begin:]]
        summary = "\n\n".join(filter(None, parts))
    # Python 3.13 and later clean docstrings when they compile; cleaned here, both halves agree
    return inspect.cleandoc(summary) or None


def _entry(label, text, types):
    """The lines of the "Parameters" section for one argument."""
    name = label.lstrip("*")
    if name not in types:
        return f"{label} : {text}"
    kind = types[name]
    kind = kind if isinstance(kind, str) else inspect.formatannotation(kind)
    return f"{label} : {kind}\n{indent(inspect.cleandoc(text), '    ')}".rstrip("\n")


def _text(name, hint):
    """The documentation in an annotation, if there is any; it has to be outermost."""
    metadata = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    texts = [note.documentation for note in metadata if isinstance(note, Doc)]
    if not texts:
        if _holds_doc(hint):
            advice = "write Annotated[type, Doc(...)] with the whole type inside"
            raise ValueError(f"{name}: the Doc is inside of {hint}; {advice}")
        return None
    if not isinstance(texts[-1], str):
        raise TypeError(f"{name}: the Doc holds {texts[-1]!r}; give a str")
    return texts[-1]


def _holds_doc(hint):
    """Whether a Doc is anywhere in `hint`."""
    parts = hint if isinstance(hint, list) else get_args(hint)  # a list: Callable's arguments
    return isinstance(hint, Doc) or any(_holds_doc(part) for part in parts)
