"""Rate equations without a closed form: concentrations and their sensitivities to constants."""

import warnings
from typing import NamedTuple

import autograd.numpy as np
from autograd import make_vjp
from scipy.integrate import solve_ivp
from scipy.linalg import block_diag

from helpers.validation import finite_array

LSODA_WARNING = "lsoda"  # how the messages begin with which SciPy reports its failures


class Trajectory(NamedTuple):
    """How the concentrations go, and how far a rate constant moves them."""

    concentrations: np.ndarray  # (n_times, n_species)
    sensitivities: np.ndarray  # ∂concentration/∂parameter, (n_times, n_species, n_parameters)


def solve_ivp_sensitivity(rate, initial, parameters, times, rtol=1e-9, atol=1e-13):
    """The `Trajectory` of d(concentrations)/dt = rate(time, concentrations, *parameters).

    `rate` is written with autograd.numpy and returns one value per species; `initial` holds at
    times[0]. The sensitivities s solve the forward sensitivity equations ds/dt = ∂rate/∂c s +
    ∂rate/∂p along with the concentrations, from s = 0. `rtol` bounds the error of a step relative
    to each value; `atol`, a number or one per species in the unit of its concentration, bounds the
    absolute error of a concentration and of p ∂c/∂p. The error that accumulates over the steps, of
    the sensitivities above all, can be much larger.
    Source: Hindmarsh et al., SUNDIALS, ACM Trans. Math. Softw. 31, 363 (2005); LSODA for the steps.
    """
    initial, parameters, times = _checked(initial, parameters, times)
    atols = _tolerances(atol, initial, parameters)
    derivatives = _derivatives(rate, initial, parameters, times[0])
    slopes, jacobian = _augmented(derivatives, len(initial), len(parameters))
    start = np.concatenate([initial, np.zeros(len(initial) * len(parameters))])
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # _derivatives checks values
            warnings.filterwarnings("error", message=LSODA_WARNING)
            solution = solve_ivp(
                slopes, times[[0, -1]], start, "LSODA", times, jac=jacobian, rtol=rtol, atol=atols
            )
    except (UserWarning, ArithmeticError) as problem:
        raise RuntimeError(_failure(problem)) from problem
    if not solution.success or not np.all(np.isfinite(solution.y)):
        raise RuntimeError(_failure(solution.message))
    concentrations = solution.y[: len(initial)].T
    sensitivities = solution.y[len(initial) :].T
    return Trajectory(
        concentrations, sensitivities.reshape(len(times), len(initial), len(parameters))
    )


def _augmented(derivatives, n_species, n_parameters):
    """The slopes of concentrations and sensitivities in one vector, and their Jacobian.

    The Jacobian leaves out how ∂rate/∂c changes with c, its lower left block. Second derivatives
    would be expensive, and without them the corrector needs only one more iteration, because what
    is missing is nilpotent.
    """

    def slopes(time, state):
        values, by_species, by_parameter = derivatives(time, state[:n_species])
        sensitivities = state[n_species:].reshape(n_species, n_parameters)
        changes = np.concatenate([values, (by_species @ sensitivities + by_parameter).ravel()])
        if not np.all(np.isfinite(changes)):
            raise FloatingPointError(f"a sensitivity overflows at time {time:.4g}")
        return changes

    def jacobian(time, state):
        by_species = derivatives(time, state[:n_species])[1]
        return block_diag(by_species, np.kron(by_species, np.eye(n_parameters)))

    return slopes, jacobian


def _derivatives(rate, initial, parameters, start):
    """The function that returns rate, ∂rate/∂c and ∂rate/∂p; tried at the start."""
    n_species = len(initial)

    def rates(both):
        found = np.array(rate(rates.time, both[:n_species], *both[n_species:]))
        return found + 0.0 * np.sum(both)  # autograd warns of a constant

    def derivatives(time, concentrations):
        rates.time = time
        vjp, values = make_vjp(rates)(np.concatenate([concentrations, parameters]))
        rows = np.array([vjp(unit) for unit in np.eye(n_species)])
        if not (np.all(np.isfinite(values)) and np.all(np.isfinite(rows))):
            raise FloatingPointError(f"the rate or its derivative is not finite at time {time:.4g}")
        return values, rows[:, :n_species], rows[:, n_species:]

    values = finite_array("rates at the start", rate(start, initial, *parameters), (1,))
    if values.shape != initial.shape:
        raise ValueError(
            f"the rate returns shape {values.shape}; give one value per species: {initial.shape}"
        )
    try:
        with np.errstate(all="ignore"):
            derivatives(start, initial)
    except ArithmeticError as problem:
        raise ValueError(
            f"{problem}; start elsewhere, or write the rate so that it is smooth"
        ) from None
    except (TypeError, ValueError, AttributeError) as problem:
        raise ValueError(
            f"the rate can't be differentiated: {problem}; write it with autograd.numpy"
        ) from problem
    return derivatives


def _checked(initial, parameters, times):
    """The arguments as arrays of floats: some species, some parameters, times that increase."""
    initial = finite_array("initial concentrations", initial, (1,))
    parameters = finite_array("parameters", parameters, (1,))
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
    """`atol` for the concentrations and, divided by each parameter, for their sensitivities."""
    per_species = finite_array("atol", atol, (0, 1))
    if per_species.shape not in ((), initial.shape) or np.any(per_species <= 0):
        raise ValueError(f"atol is {atol}; give a positive number, or one per species")
    per_species = np.broadcast_to(per_species, initial.shape)
    per_parameter = 1 / np.where(parameters == 0, 1, np.abs(parameters))
    return np.concatenate([per_species, np.outer(per_species, per_parameter).ravel()])


def _failure(problem):
    return (
        f"the integration failed: {problem}; check the rate and its parameters, end earlier, "
        "or loosen rtol and atol"
    )
