"""The table of the assertions that a notebook has made."""

from helpers.checks import checks_table

CELLS = [
    "",  # IPython's In begins with an empty text
    "x = 2",
    'assert abs(x) == 2, "|x| is two"',
    "for y in (1, 2):\n    assert y | x > 0\nassert x",
    "def f(t):\n    assert t\n    return t",
    "get_ipython().run_cell_magic('hy', '', '(assert x)')",
]


def test_table_lists_messages_and_conditions_by_cell():
    assert checks_table(CELLS).splitlines() == [
        "4 checks in the 5 cells that have run:",
        "",
        "| cell | what was checked |",
        "|--:|:--|",
        r"| 2 | \|x\| is two |",
        r"| 3 | `y \| x > 0` |",
        "| 3 | `x` |",
        "| 4 | `t` |",
    ]


def test_message_that_is_not_a_plain_text_is_not_shown():
    assert checks_table(["assert 1 < 2, f'{x} is small'"]).endswith("| 0 | `1 < 2` |")


def test_lost_assertion_changes_the_table():
    assert checks_table(CELLS[:2] + CELLS[3:]) != checks_table(CELLS)


def test_notebook_without_assertions_has_no_rows():
    assert checks_table(["", "x = 1"]).startswith("0 checks in the 1 cells")
