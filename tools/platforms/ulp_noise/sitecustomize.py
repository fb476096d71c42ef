"""Perturb inputs by one unit in the last place, as another platform might.

Python imports this module if its folder is on PYTHONPATH. The integer ULP_NOISE seeds the signs.
"""

import functools
import os

import numpy as np

default_rng = np.random.default_rng


def perturb(values):
    """Replace each float by its neighbor above or below, except for zeros."""
    array = np.asarray(values)
    if array.dtype != float:
        return values
    seed = int(os.environ["ULP_NOISE"])
    directions = default_rng(seed).choice([-np.inf, np.inf], array.shape)
    return np.where(array == 0, array, np.nextafter(array, directions))[()]


def perturbed(function):
    """Return `function` with its result, or each array of a tuple, perturbed."""

    @functools.wraps(function)
    def wrapper(*arguments, **keywords):
        result = function(*arguments, **keywords)
        return tuple(map(perturb, result)) if isinstance(result, tuple) else perturb(result)

    return wrapper


class Generator(np.random.Generator):
    """NumPy's generator, whose normal numbers depend on the platform's exp and log."""

    standard_normal = perturbed(np.random.Generator.standard_normal)


class RandomState(np.random.RandomState):
    """NumPy's legacy generator, with the same dependence."""

    standard_normal = perturbed(np.random.RandomState.standard_normal)


np.linspace = perturbed(np.linspace)  # before autograd makes its own copy
np.random.default_rng = lambda seed=None: Generator(default_rng(seed).bit_generator)
np.random.RandomState = RandomState

from helpers import dimer, tables  # noqa: E402 - they import NumPy's and autograd's functions

tables.read_columns = perturbed(tables.read_columns)
dimer.binding_energies = perturbed(dimer.binding_energies)
dimer.forces = perturbed(dimer.forces)
