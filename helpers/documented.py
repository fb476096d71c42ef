"""Functions whose arguments carry their documentation: the Python half; mydef.hy is the other."""

import inspect
from typing import Annotated, get_args, get_origin, get_type_hints

from typing_extensions import Doc


def documented(function):
    """`function`, its `Annotated[type, Doc(text)]` arguments described in its docstring and in `.args`.

    The docstring gains a "Parameters" section, `.args` maps names to texts, and the annotations keep the
    types alone, so that the signature and `help` read as those of any other function.
    Source: PEP 593 (Annotated) and PEP 727 (Doc).
    """
    hints = get_type_hints(function, include_extras=True)
    arguments = {name: _texts(hints[name]) for name in inspect.signature(function).parameters if name in hints}
    arguments = {name: texts[-1] for name, texts in arguments.items() if texts}
    function.__annotations__ = get_type_hints(function)
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
    return "\n\n".join(filter(None, [summary, heading + section])) or None


def _texts(hint):
    """The documentation among the metadata of an annotation."""
    metadata = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return [note.documentation for note in metadata if isinstance(note, Doc)]
