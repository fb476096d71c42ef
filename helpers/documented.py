"""Functions whose arguments carry their documentation: the Python half; mydef.hy is the other."""

import inspect
from typing import Annotated, get_args, get_origin, get_type_hints

from typing_extensions import Doc


def documented(function):
    """`function`, its `Annotated[type, Doc(text)]` arguments described in its docstring and in `.args`.

    The docstring gains a "Parameters" section, `.args` maps names to texts, and the annotations keep the
    types alone, so that the signature and `help` read as those of any other function.
    Source: PEP 593 (Annotated); PEP 727 (Doc), withdrawn, but kept in typing_extensions.
    """
    if not inspect.isfunction(function) or hasattr(function, "__wrapped__"):
        raise ValueError(
            f"documented: {function!r} is no plain function; put @documented below its other decorators"
        )
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, SyntaxError, TypeError, AttributeError) as problem:
        message = f"{function.__qualname__}: an annotation can't be resolved ({problem}); define its names first"
        raise ValueError(message) from None
    arguments = {
        name: _text(name, hints[name])
        for name in inspect.signature(function).parameters
        if name in hints
    }
    arguments = {name: text for name, text in arguments.items() if text}
    types = get_type_hints(function)
    function.__annotations__ = {
        name: None if kind is type(None) else kind for name, kind in types.items()
    }
    function.__doc__ = docstring(inspect.getdoc(function), arguments)
    return with_arguments(arguments)(function)


def with_arguments(arguments):
    """A decorator that keeps `arguments`, texts by name, on the function as `.args`."""

    def keep(function):
        function.args = arguments
        return function

    return keep


def docstring(summary, arguments):
    """`summary`, if there is one, and the "Parameters" section that lists `arguments`, if there are any."""
    section = "\n".join(f"{name} : {text}" for name, text in arguments.items())
    heading = "Parameters\n----------\n" if arguments else ""
    text = "\n\n".join(filter(None, [summary, heading + section]))
    return (
        inspect.cleandoc(text) or None
    )  # tabs and blanks as the compiler of Python 3.13 and later leaves them


def _text(name, hint):
    """The documentation in an annotation, if there is any; it has to stand outermost."""
    metadata = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    texts = [note.documentation for note in metadata if isinstance(note, Doc)]
    if not texts and "Doc(" in repr(hint):
        raise ValueError(
            f"{name}: its Doc is inside of {hint}; write Annotated[type, Doc(...)], type | None within"
        )
    return texts[-1] if texts else None
