"""What is refused at the door: arguments that no formula could use."""

from numbers import Integral

import numpy as np


def finite_array(name, values, ndims):
    """`values` as an array of finite floats whose number of axes is one of `ndims`."""
    if np.ma.is_masked(values) or np.iscomplexobj(values):
        raise ValueError(f"{name}: masked or complex values; give real numbers, all of them meant")
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as problem:
        raise ValueError(
            f"{name}: no array of numbers ({problem}); give a list or an array"
        ) from None
    if array.ndim not in ndims:
        raise ValueError(
            f"{name} have shape {array.shape}; give an array with {' or '.join(map(str, ndims))} axes"
        )
    if not np.all(np.isfinite(array)):
        raise ValueError(
            f"{name}: {array[~np.isfinite(array)][0]} is among them; give finite numbers"
        )
    return array


def check_integer(name, number, minimum=1):
    """`number`, if it is an integer and not below `minimum`."""
    if not isinstance(number, Integral) or isinstance(number, bool) or number < minimum:
        raise ValueError(f"{name} is {number!r}; give a whole number, at least {minimum}")
    return number
