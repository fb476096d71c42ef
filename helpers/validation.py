"""Checks of arguments that several modules share.

A wrong type raises TypeError, a wrong value ValueError.
"""

from decimal import Decimal
from numbers import Integral, Real

import numpy as np

NOT_NUMBERS = {  # by the kind of a NumPy data type
    "c": "complex numbers",
    "M": "dates",
    "m": "time differences",
    "S": "bytes",
    "T": "text",
    "U": "text",
    "V": "records",
}


def finite_array(name, values, ndims):
    """`values` as an array of finite floats whose number of axes is one of `ndims`.

    Fractions, decimals and everything that NumPy converts to an array of real numbers are accepted.
    """
    parts = values if isinstance(values, list | tuple) else [values]
    if any(np.ma.is_masked(part) for part in parts):
        raise ValueError(f"{name}: contains masked values; give finite numbers")
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name}: rows of unequal length; give a list or an array") from None
    kind = array.dtype.kind
    if kind == "O":
        array = _floats(name, array)
    elif kind in NOT_NUMBERS:
        raise TypeError(f"{name}: contains {NOT_NUMBERS[kind]}; give real numbers")
    if array.ndim not in ndims:
        axes = " or ".join(map(str, ndims)) + (" axis" if ndims == (1,) else " axes")
        raise ValueError(f"{name}: shape {array.shape}; give an array with {axes}")
    with np.errstate(over="ignore"):  # from a wider float, which becomes infinite
        array = array.astype(float)
    not_finite = array[~np.isfinite(array)]
    if not_finite.size:
        raise ValueError(f"{name}: contains {not_finite[0]}; give finite numbers")
    return array


def check_integer(name, number, minimum=1):
    """`number` as an int, provided that it is an integer and not below `minimum`."""
    message = f"{name} is {number!r}; give an integer, at least {minimum}"
    if not isinstance(number, Integral) or isinstance(number, bool):
        raise TypeError(message)
    if number < minimum:
        raise ValueError(message)
    return int(number)


def check_number(name, number):
    """Refuse what is not a real number."""
    if not isinstance(number, Real) or isinstance(number, bool):
        raise TypeError(f"{name} is {number!r}; give a number")


def check_generator(rng):
    """Refuse what is not a generator of NumPy."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}; give a generator: numpy.random.default_rng(seed)")


def _floats(name, objects):
    """An array of Python objects as one of floats, provided that every object is a real number."""
    floats = np.empty(objects.shape)
    for index, number in np.ndenumerate(objects):
        if not isinstance(number, Real | Decimal):
            kind = type(number).__name__
            raise TypeError(f"{name}: contains a value of type {kind}; give real numbers")
        try:
            floats[index] = number
        except OverflowError:
            floats[index] = np.inf if number > 0 else -np.inf
        except ValueError:  # a signalling NaN
            floats[index] = np.nan
    return floats
