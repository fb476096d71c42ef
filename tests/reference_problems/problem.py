"""The form in which a reference problem is given."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Problem(NamedTuple):
    """A least-squares problem whose minima are known."""

    name: str
    model: Callable  # model(inputs, *parameters), one output per input
    inputs: np.ndarray  # (n_inputs,) or (n_inputs, n_variables)
    targets: np.ndarray  # (n_inputs,)
    start: np.ndarray  # (n_parameters,)
    minima: tuple  # sums of squares at the known minima with a positive definite Hessian
    dependent: tuple = ()  # those of `minima` at which the Jacobian's columns are dependent
    degenerate: tuple = ()  # sums of squares at minima with a singular Hessian
    at_infinity: tuple = ()  # sums of squares that are approached as a parameter grows
    note: str = ""
    pointwise: bool = True  # whether output i depends on input i and the parameters alone

    def residuals(self, parameters):
        """Model minus targets, (n_inputs,)."""
        return self.model(self.inputs, *parameters) - self.targets
