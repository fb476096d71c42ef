"""Exact derivatives of models written with autograd.numpy."""

import numpy as np
from autograd.extend import defvjp, primitive


@primitive
def tanh(x):
    """Hyperbolic tangent with the gradient 1 - tanh², which neither overflows nor warns.

    autograd differentiates its own `np.tanh` as 1 / cosh², and cosh² overflows beyond |x| = 355.
    """
    return np.tanh(x)


defvjp(tanh, lambda tanh_x, x: lambda g: g * (1 - tanh_x**2))
