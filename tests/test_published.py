"""A table that is shown is a table that holds."""

import tomllib
from decimal import Decimal

import numpy as np
import pytest

from helpers.published import PublishedValue, agrees, comparison_table, published_values
from helpers.tables import DATA

POSTS = tomllib.loads((DATA / "published.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "number", "digits", "holds"),
    [
        ("1.71e-05", 1.7149e-05, 3, True),
        ("1.71e-05", 1.7151e-05, 3, False),
        ("-400.029", -400.0294, 6, True),
        ("-400.029", -400.0296, 6, False),
        ("0.004", 0.00385, 1, True),
        ("0.004", 0.00349, 1, False),
        ("1.5768901008364176e-05", 1.5768901011730797e-05, 10, True),
        ("1.5768901008364176e-05", 1.5768901011730797e-05, 11, False),
        ("72", 72, 2, True),
        ("72", -72, 2, False),
        ("72", float("1e300"), 2, False),
    ],
)
def test_digits_agree_within_half_a_unit_of_the_last(text, number, digits, holds):
    assert agrees(text, number, digits) is holds


def test_a_row_shows_both_numbers_and_the_share_of_digits():
    table = comparison_table(
        {"V0": PublishedValue("211.847"), "B": PublishedValue("1.18663393", 6, "why")},
        {"V0": 211.84682, "B": 1.186633},
    )
    assert table.splitlines()[2:] == [
        "| V0 | 211.847 | 211.847 | 6 of 6 |  |",
        "| B | 1.18663393 | 1.18663 | 6 of 9 | why |",
    ]


def test_what_can_t_be_computed_again_is_shown_with_its_reason():
    table = comparison_table(
        {"time": PublishedValue("24.1 s", 0, "another machine")}, {"time": None}
    )
    assert table.splitlines()[-1] == "| time | 24.1 s | – | – | another machine |"


def test_a_text_is_met_to_the_letter():
    assert comparison_table({"a": PublishedValue("{'x': 1}")}, {"a": "{'x': 1}"}).endswith(
        "| {'x': 1} | {'x': 1} | all | |"
    )
    with pytest.raises(ValueError, match=r"a: the post printed .* they should be equal"):
        comparison_table({"a": PublishedValue("{'x': 1}")}, {"a": "{'x': 2}"})


@pytest.mark.parametrize("found", [{}, {"a": 1.0, "b": 2.0}, {"b": 1.0}])
def test_a_number_on_one_side_only_is_an_error(found):
    with pytest.raises(ValueError, match="only on one side"):
        comparison_table({"a": PublishedValue("1.0")}, found)


@pytest.mark.parametrize("number", [1.06, float("nan"), float("inf")])
def test_a_digit_that_differs_is_an_error(number):
    with pytest.raises(ValueError, match=r"a: the post printed 1\.0, here it is"):
        comparison_table({"a": PublishedValue("1.0")}, {"a": number})


@pytest.mark.parametrize("post", POSTS)
def test_whatever_does_not_agree_in_full_has_a_reason(post):
    for name, (text, digits, reason) in published_values(post).items():
        if digits is not None:
            assert reason, name
            assert digits == 0 or 0 < digits < len(Decimal(text).as_tuple().digits), name


def test_a_number_is_shown_in_the_notation_of_the_post():
    printed = {
        "a": PublishedValue("1.576890e-05", 4, "why"),
        "b": PublishedValue("0.00385", 2, "why"),
    }
    table = comparison_table(printed, {"a": 1.5769e-05, "b": 0.003851})
    assert [row.split(" | ")[2] for row in table.splitlines()[2:]] == ["1.577e-05", "0.0039"]


def test_a_number_without_digits_and_a_whole_one_are_numbers():
    assert comparison_table({"a": PublishedValue("0.00")}, {"a": 0.001}).endswith(
        "| a | 0.00 | 0.00 | 1 of 1 |  |"
    )
    whole = comparison_table({"a": PublishedValue("1234", 2, "why")}, {"a": 1234.4})
    assert whole.endswith("| a | 1234 | 1234 | 2 of 4 | why |")


def test_what_was_found_instead_is_shown():
    table = comparison_table({"t": PublishedValue("24.1 s", 0, "why")}, {"t": "0.9 s"})
    assert table.endswith("| t | 24.1 s | 0.9 s | – | why |")


def test_half_a_unit_is_still_agreement_and_numpys_integers_are_numbers():
    assert agrees("1", 1.5, 1)
    assert agrees("72", np.int64(72), 2)


def test_nothing_makes_an_empty_table():
    assert [line.count("|") for line in comparison_table({}, {}).splitlines()] == [6, 6]


def test_a_table_that_does_not_hold_says_where():
    with pytest.raises(ValueError, match=r"only on one side: \['a', 'b'\]; give"):
        comparison_table({"a": PublishedValue("1.0")}, {"b": 1.0})
    with pytest.raises(
        ValueError, match=r"a: the post printed 1\.25, here it is 1\.3: not 2 digits agree"
    ):
        comparison_table({"a": PublishedValue("1.25", 2, "why")}, {"a": 1.3})
