"""The table of the assertions that a notebook has made, for its section *Checks*."""

import ast


def checks_table(cells):
    """The Markdown table of all assertions in `cells`, the sources of the cells that have run.

    In a notebook, `cells` is IPython's `In`, which begins with an empty text. An assertion is shown
    by its message, if it has one that is a plain text, and otherwise by its condition. Because the
    table is an output of the notebook, a lost assertion or a lost cell changes it.
    """
    rows = [
        f"| {number} | {_claim(check)} |"
        for number, source in enumerate(cells)
        for check in _assertions(source)
    ]
    heading = f"{len(rows)} checks in the {len(cells) - 1} cells that have run:"
    return "\n".join([heading, "", "| cell | what was checked |", "|--:|:--|", *rows])


def _assertions(source):
    """The assertions in a source, in the order of its lines."""
    nodes = ast.walk(ast.parse(source))
    found = [node for node in nodes if isinstance(node, ast.Assert)]
    return sorted(found, key=lambda node: node.lineno)


def _claim(check):
    """What an assertion claims, as the text of a cell of a Markdown table."""
    message = check.msg
    if isinstance(message, ast.Constant) and isinstance(message.value, str):
        return message.value.replace("|", r"\|")
    return f"`{ast.unparse(check.test)}`".replace("|", r"\|")
