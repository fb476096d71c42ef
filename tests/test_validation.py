"""Arguments are accepted as numbers or refused with a plain message."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from helpers.validation import check_integer, finite_array


class Column:
    """A column of another library's table, which NumPy can convert."""

    def __repr__(self):  # the name of a test, the same in all workers
        return "Column"

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


def in_one_line(value):
    """A text for `value` in a test's name, which some tools pass on by lines."""
    return " ".join(repr(value).split())


@pytest.mark.parametrize(
    "values",
    [
        [1, 2],
        (1.0, 2.0),
        range(1, 3),
        [Fraction(1), Decimal("2")],
        [Fraction(1), 2.0],
        Column([1, 2]),
        np.array([1, 2], dtype=object),
        np.array([1, 2], dtype=np.int8),
        np.ma.array([1, 2], mask=False),
        np.array([1, 2], dtype=np.longdouble),
    ],
    ids=in_one_line,
)
def test_real_numbers_of_any_kind_become_floats(values):
    array = finite_array("energies", values, (1,))
    assert type(array) is np.ndarray
    assert array.dtype == float
    assert array.tolist() == [1, 2]


def test_large_integers_are_numbers_as_long_as_floats_hold_them():
    assert finite_array("energies", [10**30, 1], (1,)).tolist() == [1e30, 1]
    with pytest.raises(ValueError, match=r"^energies: contains inf; give finite numbers$"):
        finite_array("energies", [10**400, 1], (1,))
    with pytest.raises(ValueError, match="contains -inf"):
        finite_array("energies", [-(10**400)], (1,))


def test_wider_float_beyond_the_range_of_floats_is_refused():
    with np.errstate(over="ignore"):  # where a long double is no wider, it is infinite already
        wide = np.longdouble(1e308) * 100
    with pytest.raises(ValueError, match="contains inf"):
        finite_array("energies", [wide], (1,))


def test_the_argument_is_never_changed_through_the_result():
    values = np.array([1.0, 2.0])
    finite_array("energies", values, (1,))[0] = 7
    assert values.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (["1", "2"], "text"),
        ("12", "text"),
        ([1, "2"], "text"),
        ([b"1"], "bytes"),
        (np.array(["2017-11-17"], dtype="datetime64[D]"), "dates"),
        (np.array([1], dtype="timedelta64[s]"), "time differences"),
        (np.zeros(2, dtype="i4,f8"), "records"),
        ([1 + 0j], "complex numbers"),
        (np.array([1 + 0j], dtype=object), "a value of type complex"),
        ([date(2017, 11, 17)], "a value of type date"),
        ([1.0, None], "a value of type NoneType"),
        (None, "a value of type NoneType"),
        ({1.0, 2.0}, "a value of type set"),
        (Column(["1"]), "text"),
        (np.array(["1"], dtype=object), "a value of type str"),
    ],
    ids=in_one_line,
)
def test_what_is_not_a_real_number_is_a_type_error(values, what):
    with pytest.raises(TypeError, match=f"^energies: contains {what}; give real numbers$"):
        finite_array("energies", values, (1,))


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([1.0, np.nan], "nan"),
        ([np.inf, 1.0], "inf"),
        ([[1.0], [-np.inf]], "-inf"),
        ([Decimal("nan")], "nan"),
        ([Decimal("snan")], "nan"),
        (np.ma.array([1, 2], mask=[False, True]), "masked values"),
        ([np.ma.array([1, 2], mask=[False, True]), [3, 4]], "masked values"),
        ([1.0, np.ma.masked], "masked values"),
    ],
    ids=in_one_line,
)
def test_a_number_that_is_not_finite_is_a_value_error(values, what):
    with pytest.raises(ValueError, match=f"^energies: contains {what}; give finite numbers$"):
        finite_array("energies", values, (1, 2))


@pytest.mark.parametrize(
    ("values", "axes", "message"),
    [
        (3.0, (1,), r"shape \(\); give an array with 1 axis$"),
        ([[1.0]], (1,), r"shape \(1, 1\); give an array with 1 axis$"),
        ([[[1.0]]], (1, 2), r"shape \(1, 1, 1\); give an array with 1 or 2 axes$"),
        ([1.0], (2,), r"shape \(1,\); give an array with 2 axes$"),
        ([[1, 2], [3]], (1, 2), "rows of unequal length; give a list or an array$"),
    ],
    ids=["number", "two axes", "three axes", "one axis", "unequal rows"],
)
def test_a_wrong_shape_is_a_value_error(values, axes, message):
    with pytest.raises(ValueError, match="^energies: " + message):
        finite_array("energies", values, axes)


def test_an_array_may_be_empty():
    assert finite_array("energies", [], (1,)).shape == (0,)
    assert finite_array("energies", np.empty((0, 3)), (1, 2)).shape == (0, 3)


@pytest.mark.parametrize("number", [1, 7, np.int8(7), np.uint64(7)])
def test_an_integer_comes_back_as_pythons_own(number):
    assert type(check_integer("steps", number)) is int
    assert check_integer("steps", number) == number


@pytest.mark.parametrize("number", [1.0, "3", None, True, np.True_, Fraction(3), [3], 3j])
def test_what_is_not_an_integer_is_a_type_error(number):
    with pytest.raises(TypeError) as refusal:
        check_integer("steps", number)
    assert str(refusal.value) == f"steps is {number!r}; give an integer, at least 1"


@pytest.mark.parametrize(("number", "minimum"), [(0, 1), (-1, 0), (1, 2)])
def test_an_integer_below_the_minimum_is_a_value_error(number, minimum):
    message = f"^steps is {number}; give an integer, at least {minimum}$"
    with pytest.raises(ValueError, match=message):
        check_integer("steps", number, minimum)
    assert check_integer("steps", minimum, minimum=minimum) == minimum
