"""Print what a process finds of its machine, as JSON, so that elsewhere.py can check it."""

import json
import math
import platform
from importlib.metadata import version

import numpy as np
import scipy.linalg  # noqa: F401 - it has a BLAS of its own, in addition to NumPy's
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
from numpy.lib.introspect import opt_func_info
from threadpoolctl import threadpool_info

from helpers.dimer import binding_energies
from helpers.tables import read_columns

NAMED = ("numpy", "scipy", "autograd", "matplotlib", "ase", "hy", "pycse")


def kernels():
    """The widest instructions that any of NumPy's functions uses here."""
    chosen = {
        kernel["current"] for kernels in opt_func_info().values() for kernel in kernels.values()
    }
    return next((name for name in reversed(__cpu_dispatch__) if name in chosen), "baseline")


def of_each_blas(what):
    return ", ".join(
        sorted({str(pool[what]) for pool in threadpool_info() if pool["user_api"] == "blas"})
    )


def math_functions():
    """Results of the C library: with and without FMA, one in a thousand differs in its last bit."""
    return [
        function(0.00123 * i)
        for function in (math.exp, math.sin, math.cos)
        for i in range(1, 10_001)
    ]


def inputs():
    """Numbers from which the notebooks start, without zeros."""
    draws = np.random.default_rng(0).standard_normal(9), np.random.RandomState(0).standard_normal(9)
    table = read_columns("energy_volume.csv", "volume", "energy")
    return np.concatenate(
        [np.linspace(0, 1)[1:], *table, binding_energies([2, 3]), *draws]
    ).tolist()


if __name__ == "__main__":
    found = {
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in NAMED),
        "NumPy": kernels(),
        "BLAS": of_each_blas("architecture"),
        "BLAS threads": of_each_blas("num_threads"),
        "math functions": math_functions(),
        "inputs": inputs(),
        "features": [name for name in __cpu_dispatch__ if __cpu_features__[name]],
    }
    print(json.dumps(found))
