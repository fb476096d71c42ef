"""Rate equations without a closed form: their solution, and its sensitivity to the rate constants."""

import warnings
from typing import NamedTuple

import autograd.numpy as np
from autograd import make_vjp
from scipy.integrate import solve_ivp
from scipy.linalg import block_diag

from helpers.validation import finite_array


class Trajectory(NamedTuple):
    """How the concentrations go, and how far a rate constant moves them."""

    concentrations: np.ndarray  # (n_times, n_species)
    sensitivities: np.ndarray  # ∂concentration/∂parameter, (n_times, n_species, n_parameters)


def solve_ivp_sensitivity(rate, initial, parameters, times, rtol=1e-9, atol=1e-13):
    """The `Trajectory` of d(concentrations)/dt = rate(time, concentrations, *parameters), stiff or not.

    `rate` is written with autograd.numpy and returns one value per species; `initial` holds at times[0]. The
    sensitivities s solve the forward sensitivity equations ds/dt = ∂rate/∂c s + ∂rate/∂p along with the
    concentrations, from s = 0. `rtol` bounds the error of a step relative to each value; `atol` that of
    a concentration, and of p ∂c/∂p, relative to the largest initial concentration.
    Source: Hindmarsh et al., SUNDIALS, ACM Trans. Math. Softw. 31, 363 (2005); LSODA for the steps.
    """
    initial, parameters, times = _checked(initial, parameters, times)
    slopes, jacobian = _augmented(
        _derivatives(rate, initial, parameters, times[0]), len(initial), len(parameters)
    )
    atols = _tolerances(atol, initial, parameters)
    start = np.concatenate([initial, np.zeros(len(initial) * len(parameters))])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # LSODA warns where it fails
            solution = solve_ivp(
                slopes, times[[0, -1]], start, "LSODA", times, jac=jacobian, rtol=rtol, atol=atols
            )
    except (Warning, ArithmeticError) as problem:
        raise RuntimeError(_failure(problem)) from problem
    if not solution.success or not np.all(np.isfinite(solution.y)):
        raise RuntimeError(_failure(solution.message))
    concentrations, sensitivities = solution.y[: len(initial)].T, solution.y[len(initial) :].T
    return Trajectory(
        concentrations, sensitivities.reshape(len(times), len(initial), len(parameters))
    )


def _augmented(derivatives, n_species, n_parameters):
    """The slopes of concentrations and sensitivities in one vector, and their Jacobian.

    The Jacobian leaves out how ∂rate/∂c changes with c, its lower left block. Second derivatives would be dear,
    and the corrector needs but one iteration more without them: what is missing is nilpotent.
    """

    def slopes(time, state):
        values, by_species, by_parameter = derivatives(time, state[:n_species])
        sensitivities = state[n_species:].reshape(n_species, n_parameters)
        return np.concatenate([values, (by_species @ sensitivities + by_parameter).ravel()])

    def jacobian(time, state):
        by_species = derivatives(time, state[:n_species])[1]
        return block_diag(by_species, np.kron(by_species, np.eye(n_parameters)))

    return slopes, jacobian


def _derivatives(rate, initial, parameters, start):
    """The function that returns rate, ∂rate/∂c and ∂rate/∂p at a time and concentrations; tried at the start."""
    n_species = len(initial)

    def derivatives(time, concentrations):
        both = np.concatenate([concentrations, parameters])
        pull_back, values = make_vjp(
            lambda both: np.array(rate(time, both[:n_species], *both[n_species:]))
        )(both)
        rows = np.array([pull_back(unit) for unit in np.eye(n_species)])
        if not (np.all(np.isfinite(values)) and np.all(np.isfinite(rows))):
            raise FloatingPointError(f"the rate or its derivative is not finite at time {time:.4g}")
        return values, rows[:, :n_species], rows[:, n_species:]

    values = finite_array("rates at the start", rate(start, initial, *parameters), (1,))
    if values.shape != initial.shape:
        raise ValueError(
            f"the rate returns shape {values.shape}; give one value per species: {initial.shape}"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # autograd warns where a rate depends on nothing
            derivatives(start, initial)
    except (TypeError, ValueError, AttributeError, ArithmeticError, Warning) as problem:
        raise ValueError(
            f"the rate can't be differentiated: {problem}; write it with autograd.numpy"
        ) from problem
    return derivatives


def _checked(initial, parameters, times):
    """The arguments as arrays of floats, with at least one species, one parameter and two times that increase."""
    initial, parameters = (
        finite_array(name, values, (1,))
        for name, values in [("initial concentrations", initial), ("parameters", parameters)]
    )
    times = finite_array("times", times, (1,))
    if not len(initial) or not len(parameters):
        raise ValueError(
            f"{len(initial)} species and {len(parameters)} parameters; give at least one of each"
        )
    if len(times) < 2 or np.any(np.diff(times) <= 0):
        raise ValueError(
            "times: fewer than two, or not increasing; give the start first, then later times"
        )
    return initial, parameters, times


def _tolerances(atol, initial, parameters):
    """`atol` in the units of the concentrations and of their sensitivities, as one vector."""
    per_parameter = np.tile(1 / np.where(parameters == 0, 1, np.abs(parameters)), len(initial))
    return (
        atol * (np.abs(initial).max() or 1) * np.concatenate([np.ones(len(initial)), per_parameter])
    )


def _failure(problem):
    return f"the integration failed: {problem}; check the rate and its parameters, end earlier, or loosen rtol and atol"
