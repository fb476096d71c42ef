"""Change the last bit of inputs, as another machine might, if this folder is on PYTHONPATH.

The integer LAST_BIT chooses the pattern of signs. Zeros and the energies of a single atom stay.
"""

import functools
import os

import numpy as np

SEED = int(os.environ.get("LAST_BIT", "0"))
RNG = np.random.default_rng
RANDOM_STATE = np.random.RandomState


def moved(values):
    """`values`, with each float replaced by its neighbour above or below."""
    array = np.asarray(values)
    if array.dtype != float:
        return values
    ends = RNG(SEED).choice([-np.inf, np.inf], array.size).reshape(array.shape)
    return np.where(array == 0, array, np.nextafter(array, ends))[()]


def moving(function):
    """`function` with its result moved, or with each part of a tuple moved."""

    @functools.wraps(function)
    def in_its_place(*arguments, **settings):
        found = function(*arguments, **settings)
        return tuple(map(moved, found)) if isinstance(found, tuple) else moved(found)

    return in_its_place


class Generator(np.random.Generator):
    """NumPy's generator: the last bits of normal numbers depend on the machine's exp and log."""

    standard_normal = moving(np.random.Generator.standard_normal)


class RandomState(RANDOM_STATE):
    """NumPy's legacy generator, with the same dependence."""

    standard_normal = moving(RANDOM_STATE.standard_normal)


np.linspace = moving(np.linspace)  # before autograd takes its own copies
np.random.default_rng = lambda seed=None: (
    seed if isinstance(seed, Generator) else Generator(RNG(seed).bit_generator)
)
np.random.RandomState = RandomState

from helpers import dimer, tables  # noqa: E402 - they import NumPy's functions, and autograd's

tables.read_columns = moving(tables.read_columns)
dimer.binding_energies = moving(dimer.binding_energies)
dimer.forces = moving(dimer.forces)
