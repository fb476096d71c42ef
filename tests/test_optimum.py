"""The search behind a fit: where the usual start fails, and what it must not take for an optimum."""

import autograd.numpy as np
import pytest
from scipy.optimize import brentq

from helpers.least_squares import fit
from helpers.optimum import _close_in, find_optimum

TIMES = np.array([1.0, 2.0, 3.0, 5.0, 7.0, 10.0])
DEMAND = 210 * (1 - np.exp(-0.55 * TIMES)) + np.array([20.0, -25.0, 30.0, -20.0, 15.0, -10.0])


def best_limit(rate):
    shape = 1 - np.exp(-rate * TIMES)
    return DEMAND @ shape / (shape @ shape)


def slope_of_the_sum_of_squares(rate):
    """With the best limit for each rate: then one equation is left to solve, without any guess."""
    errors = best_limit(rate) * (1 - np.exp(-rate * TIMES)) - DEMAND
    return errors @ (TIMES * np.exp(-rate * TIMES))


RATE = brentq(slope_of_the_sum_of_squares, 0.3, 1.5, xtol=1e-15)


@pytest.mark.parametrize(
    "guess", [(1.0, 1.0), (100.0, 0.75)]
)  # from the first, MINPACK goes astray
@pytest.mark.parametrize(
    "units",
    [(1.0, 1.0), (1e6, 1e-6), (1e-6, 1e6), (1e-9, 1.0), (1.0, 1e9), (1e9, 1.0), (1.0, 1e-9)],
)
def test_the_units_of_the_parameters_don_t_matter(guess, units):
    def saturation(time, limit, rate):
        return limit * units[0] * (1 - np.exp(-rate * units[1] * time))

    found = fit(saturation, TIMES, DEMAND, np.array(guess) / units)
    assert np.allclose(found.parameters * units, [best_limit(RATE), RATE], rtol=1e-10, atol=0)


def test_what_goes_on_for_ever_is_no_optimum_however_small_its_steps():
    """1 / (p - 1000) has none: each Gauss–Newton step doubles the distance from 1000."""

    def residuals(p):
        return 1 / (p - 1000)

    def jacobian(p):
        return -1 / (p[:, np.newaxis] - 1000) ** 2

    assert _close_in(residuals, jacobian, np.array([1001.0]), 1e-3) is None


def test_where_the_jacobian_is_no_number_there_is_no_optimum():
    assert _close_in(lambda p: p, lambda p: np.array([[np.nan]]), np.array([1.0]), 1e-3) is None


def test_a_linear_problem_is_solved_in_a_step_and_its_jacobian_comes_along():
    design = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 3.0]])
    found, slopes = find_optimum(
        lambda p: design @ p - [1, 3, 7], lambda p: design, np.zeros(2), 7.0
    )
    assert np.allclose(found, [1, 2], rtol=1e-14)
    assert np.array_equal(slopes, design)
