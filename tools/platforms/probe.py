"""Print a quantity by which noxfile.py recognizes the platform, as JSON."""

import json
import math
import sys

import numpy as np
import scipy.linalg
from numpy._core._multiarray_umath import __cpu_baseline__, __cpu_dispatch__
from numpy.lib.introspect import opt_func_info
from threadpoolctl import threadpool_info

from helpers.dimer import binding_energies
from helpers.tables import read_columns


def numpy_instructions():
    """Return the widest instructions that any of NumPy's functions uses."""
    used = {loop["current"] for loops in opt_func_info().values() for loop in loops.values()}
    dispatched = [name for name in __cpu_dispatch__ if name in used]
    return (dispatched or __cpu_baseline__)[-1]


def blas(key):
    """Return a property of the BLAS libraries of NumPy and SciPy after they have done some work."""
    scipy.linalg.inv(np.eye(100) @ np.eye(100))  # a processor without the instructions ends here
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(sorted({str(pool[key]) for pool in pools}))


def math_functions():
    """Return results of the C library, one in a thousand of which depend on FMA."""
    return [f(0.00123 * i) for f in (math.exp, math.sin, math.cos) for i in range(1, 10_001)]


def inputs():
    """Return numbers from which the notebooks start, without zeros."""
    normal = np.random.default_rng(0).standard_normal(9)
    legacy_normal = np.random.RandomState(0).standard_normal(9)
    table = np.ravel(read_columns("energy_volume.csv", "volume", "energy"))
    return [*np.linspace(1, 2), *normal, *legacy_normal, *table, *binding_energies([2, 3])]


QUANTITIES = {
    "NumPy": numpy_instructions,
    "BLAS": lambda: blas("architecture"),
    "BLAS threads": lambda: blas("num_threads"),
    "math functions": math_functions,
    "inputs": inputs,
}
print(json.dumps(QUANTITIES[sys.argv[1]]()))
