"""The table shows published and reproduced values, and exists only where they match."""

import tomllib
from decimal import Decimal, InvalidOperation

import numpy as np
import pytest

from helpers.published import PublishedValue, agrees, comparison_table, published_values
from helpers.tables import DATA

POSTS = tomllib.loads((DATA / "published.toml").read_text(encoding="utf-8"))


def row(text, reproduced, digits=None, reason=""):
    """The cells of the table for one value, without its name."""
    value = PublishedValue(text, digits, reason)
    table = comparison_table({"a": value}, {"a": reproduced})
    _, name, *cells, _ = table.splitlines()[-1].split("|")
    assert name.strip() == "a"
    return [cell.strip() for cell in cells]


@pytest.mark.parametrize(
    ("text", "number", "digits", "holds"),
    [
        ("1.2345", 1.2391, 3, False),
        ("1.2345", 1.2349, 3, True),
        ("1.71e-05", 1.7149e-05, 3, True),
        ("1.71e-05", 1.7151e-05, 3, False),
        ("-400.029", -400.0294, 6, True),
        ("-400.029", -400.0296, 6, False),
        ("0.004", 0.00385, 1, True),
        ("0.004", 0.00349, 1, False),
        ("1.5768901008364176e-05", 1.5768901011730797e-05, 9, True),
        ("1.5768901008364176e-05", 1.5768901011730797e-05, 11, False),
        ("72", 72, 2, True),
        ("72", np.int64(72), 2, True),
        ("72", -72, 2, False),
        ("72", 1e300, 2, False),
        ("72", float("nan"), 2, False),
        ("72", float("inf"), 2, False),
        ("3400", 3600, 1, False),
        ("3400", 3300, 1, True),
        ("9.996", 10.004, 3, True),
        ("0.00", -0.001, 1, True),
    ],
)
def test_numbers_agree_if_they_are_equal_when_rounded(text, number, digits, holds):
    assert agrees(text, number, digits) is holds


def test_text_that_ends_in_a_five_may_be_rounded_either_way():
    assert agrees("0.00385", 0.003851, 2)
    assert agrees("0.00385", 0.003849, 2)
    assert not agrees("0.00385", 0.003951, 2)


def test_what_is_shown_is_what_is_compared():
    generator = np.random.default_rng(0)
    shown_values = 0
    for text in ("1.2345", "-83.21072545", "1.5769e-05", "0.00385", "1234", "9.996"):
        significant = len(Decimal(text).as_tuple().digits)
        for digits in range(1, significant + 1):
            for change in generator.uniform(-5, 5, 40) * 10.0**-digits:
                number = float(text) * (1 + change)
                if agrees(text, number, digits):
                    _, shown, *_ = row(text, number, digits)
                    assert agrees(text, float(shown), digits)
                    last = Decimal(1).scaleb(Decimal(text).adjusted() - digits + 1)
                    assert abs(Decimal(shown) - Decimal(number)) <= last / 2
                    shown_values += 1
    assert shown_values > 100


def test_row_shows_both_numbers_and_how_many_digits_match():
    table = comparison_table(
        {"V0": PublishedValue("211.847"), "B": PublishedValue("1.18663393", 6, "why")},
        {"V0": 211.84682, "B": 1.186633},
    )
    assert table.splitlines() == [
        "| quantity | published | this work | matching digits | reason |",
        "|:--|--:|--:|:-:|:--|",
        "| V0 | 211.847 | 211.847 | 6 of 6 |  |",
        "| B | 1.18663393 | 1.18663 | 6 of 9 | why |",
    ]


@pytest.mark.parametrize(
    ("text", "number", "digits", "shown"),
    [
        ("1.576890e-05", 1.5769e-05, 4, "1.577e-05"),
        ("0.00385", 0.003851, 2, "0.0039"),
        ("1234", 1234.4, 2, "1200"),
        ("0.00", -0.001, None, "0.00"),
        ("1.0", np.float32(1.0), None, "1.0"),
    ],
)
def test_number_is_shown_in_the_notation_of_the_post(text, number, digits, shown):
    assert row(text, number, digits, "why")[1] == shown


def test_value_that_is_not_reproduced_is_shown_with_its_reason():
    assert row("24.1 s", None, 0, "other machine") == ["24.1 s", "–", "–", "other machine"]
    assert row("24.1 s", "0.9 s", 0, "other machine") == ["24.1 s", "0.9 s", "–", "other machine"]


def test_text_has_to_be_equal():
    assert row("{'x': 1}", "{'x': 1}") == ["{'x': 1}", "{'x': 1}", "all", ""]
    message = r"^a: published \{'x': 1\}, reproduced \{'x': 2\}; they differ$"
    with pytest.raises(ValueError, match=message):
        row("{'x': 1}", "{'x': 2}")


@pytest.mark.parametrize("number", [1.06, float("nan"), float("inf")])
def test_digit_that_differs_is_an_error(number):
    message = rf"^a: published 1\.0, reproduced {number}; they differ when rounded to 2 digits$"
    with pytest.raises(ValueError, match=message):
        row("1.0", number)


@pytest.mark.parametrize("wrong", [None, "1.0", [1.0]])
def test_what_is_not_a_number_is_a_type_error(wrong):
    with pytest.raises(TypeError, match=r"^a: published 1\.0, reproduced .*; give a number$"):
        row("1.0", wrong)


@pytest.mark.parametrize(
    ("reproduced", "names"),
    [({}, "'a'"), ({"a": 1.0, "b": 2.0}, "'b'"), ({"b": 1.0}, "'a', 'b'")],
)
def test_value_on_one_side_only_is_an_error(reproduced, names):
    message = f"^{names}: only published or only reproduced; give both values$"
    with pytest.raises(ValueError, match=message):
        comparison_table({"a": PublishedValue("1.0")}, reproduced)


def test_nothing_makes_an_empty_table():
    assert [line.count("|") for line in comparison_table({}, {}).splitlines()] == [6, 6]


def test_unknown_post_is_named():
    with pytest.raises(ValueError, match="no post 'trimer'; it has 'neural-network-regression'"):
        published_values("trimer")


def test_published_value_is_a_text_with_digits_and_a_reason():
    for post in POSTS:
        values = published_values(post)
        assert values
        assert all(isinstance(value, PublishedValue) for value in values.values())
    assert published_values("murnaghan-fit")["E0"] == ("-400.029", None, "")


@pytest.mark.parametrize("post", POSTS)
def test_value_that_is_not_met_in_full_has_a_reason(post):
    for name, (text, digits, reason) in published_values(post).items():
        if digits is not None:
            assert reason, name
            assert digits == 0 or 0 < digits < len(Decimal(text).as_tuple().digits), name


@pytest.mark.parametrize("post", POSTS)
def test_every_published_value_matches_itself(post):
    values = published_values(post)
    reproduced = {}
    for name, value in values.items():
        try:
            reproduced[name] = float(Decimal(value.text))
        except InvalidOperation:
            reproduced[name] = value.text
    assert len(comparison_table(values, reproduced).splitlines()) == len(values) + 2
