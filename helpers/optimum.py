"""The minimum of a sum of squares, to the last digit that the residuals have."""

import numpy as np
from scipy.optimize import least_squares, leastsq

SETTLED = 1e-9  # relative size of a step from which on it may be rounding
ENDED = 1e-12  # relative distance from the optimum that is left


def find_optimum(residuals, jacobian, guess, size):
    """The parameters (n_parameters,) that minimise the sum of squared residuals, and their Jacobian; None if none do.

    A cheap start and an exact finish: MINPACK with finite differences comes near, and Gauss–Newton steps with
    the exact Jacobian end at the optimum, so that its digits don't depend on the machine. Where they don't
    close in, a trust region with the exact Jacobian searches again from `guess`. `size` is the norm of what is
    fitted: a parameter whose part in it is below a thousandth of that has the fewer digits.
    """
    nearby = leastsq(residuals, guess, full_output=True)[0]
    optimum = _close_in(residuals, jacobian, nearby, 1e-3 * size)
    if optimum is None:
        optimum = _close_in(residuals, jacobian, _search(residuals, jacobian, guess), 1e-3 * size)
    return optimum


def _search(residuals, jacobian, guess):
    """Near an optimum, by a trust region; its tolerances are those that reach all of NIST's problems."""

    def finite_jacobian(parameters):
        return np.nan_to_num(jacobian(parameters), nan=0.0, posinf=0.0, neginf=0.0)

    tolerances = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-15)
    most = 1000 * len(guess)
    return least_squares(
        residuals, guess, finite_jacobian, x_scale="jac", max_nfev=most, **tolerances
    ).x


def _close_in(residuals, jacobian, parameters, floor):
    """Where exact Gauss–Newton steps from `parameters` end in rounding, and the Jacobian there, or None."""
    allowed, last = 1.000001 * np.sum(residuals(parameters) ** 2) + (1e-10 * floor) ** 2, np.inf
    for _ in range(50):
        here, slopes = residuals(parameters), jacobian(parameters)
        scale = np.linalg.norm(slopes, axis=0)
        if not (np.all(np.isfinite(here)) and np.all(np.isfinite(scale))):
            return None
        scale[scale == 0] = 1.0
        step = np.linalg.lstsq(slopes / scale, here, rcond=None)[0]
        size = np.max(np.abs(step) / (np.abs(parameters * scale) + floor))
        if size >= last:  # rounding, if it is small
            break
        parameters, last, rate = parameters - step / scale, size, size / last
        if rate > 0 and size * rate < ENDED * (1 - rate):  # what the steps to come would add up to
            break
    ended = last < SETTLED and np.sum(residuals(parameters) ** 2) <= allowed
    return (parameters, slopes) if ended else None  # the slopes are one such step old at most
