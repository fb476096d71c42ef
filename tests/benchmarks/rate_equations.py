"""Time the sensitivities of rate equations and compare them: `python rate_equations.py [name ...]`.

The works that are compared take turns, so that a slow minute of the machine slows all of them. The
difference of a sensitivity is relative to the largest one of its species and parameter over the
times: from finite differences, or from the exact ones of a linear chain. Where finite differences
drown in rounding errors, as those do of a species that doesn't depend on the parameter, there is
nothing to compare with; the table says how many remain.
"""

import sys
from statistics import median
from time import perf_counter

import casadi
import numpy as np
from scipy.integrate import solve_ivp

from helpers.ode_sensitivity import solve_ivp_sensitivity
from reference_problems.rate_equations import PROBLEMS, exact_sensitivities

STEPS = 1e-5 * 2.0 ** np.arange(12)  # of ln(parameter), for the differences
TIGHT_RTOL = 3e-14  # LSODA refuses one that is much smaller
TIGHT_ATOL = 1e-4  # in units of the problem's
RESOLVED = 1e-6  # error of the differences, relative, above which they can't judge the others
TURNS = 5
CVODES = {
    "max_num_steps": 1_000_000,
    "second_order_correction": False,  # as right without it, and faster for most problems
}


def plain(problem):
    """Concentrations without sensitivities, (n_times, n_species)."""
    return _lsoda(problem.rate, problem, problem.parameters, problem.rtol, problem.atol)


def _lsoda(rate, problem, parameters, rtol, atol):
    times = problem.times
    solution = solve_ivp(
        lambda time, state: rate(time, state, *parameters),
        times[[0, -1]],
        problem.initial,
        "LSODA",
        times,
        rtol=rtol,
        atol=atol,
    )
    if not solution.success:
        raise RuntimeError(f"{problem.name}: {solution.message}")
    return solution.y.T


def with_casadi(problem):
    """A function that solves the forward sensitivity equations with CasADi's CVODES.

    It returns concentrations and sensitivities. CVODES has one absolute tolerance for all states,
    so that the unit of a concentration is its atol and the parameters are relative to theirs: the
    tolerances of c and of p ∂c/∂p are then those of the helper.
    """
    n_species = len(problem.initial)
    n_parameters = len(problem.parameters)
    n_times = len(problem.times)
    time = casadi.SX.sym("time")
    scaled = casadi.SX.sym("scaled", n_species)
    relative = casadi.SX.sym("relative", n_parameters)
    concentrations = casadi.vertsplit(scaled * problem.atol)
    constants = casadi.vertsplit(relative * problem.parameters)
    slopes = casadi.vertcat(*problem.expressions(time, concentrations, *constants)) / problem.atol
    system = {"t": time, "x": scaled, "p": relative, "ode": slopes}
    options = {"reltol": problem.rtol, "abstol": 1.0, **CVODES}
    solve = casadi.integrator(
        "solve", "cvodes", system, problem.times[0], problem.times.tolist(), options
    )
    integrate = solve.factory("with_jacobian", ["x0", "p"], ["xf", "jac:xf:p"])
    start = problem.initial / problem.atol
    units = problem.atol[:, np.newaxis]

    def sensitivities():
        states, jacobian = integrate(start, 1)
        jacobian = np.array(jacobian).reshape(n_times, n_species, n_parameters)
        return np.array(states).T * problem.atol, jacobian * units / problem.parameters

    return sensitivities


def finite_differences(problem):
    """Sensitivities ∂c/∂p and their estimated errors, each (n_times, n_species, n_parameters).

    Central differences in ln(p) with steps that double, extrapolated to zero step: the formula of
    four points from two sizes, one of sixth order from three. The smallest size is where rounding
    dominates, the largest where higher derivatives do, so that we take the size at which the result
    changes least to the next one, over all times. This change is the error.
    """
    pairs = [_differences_of(problem, j) for j in range(len(problem.parameters))]
    values, errors = (np.stack(arrays, axis=-1) for arrays in zip(*pairs, strict=True))
    return values / problem.parameters, errors / np.abs(problem.parameters)


def _differences_of(problem, j):
    """p ∂c/∂p of parameter `j` and its error, each (n_times, n_species)."""
    widths = 2 * STEPS[:, np.newaxis, np.newaxis]
    two_points = [_moved(problem, j, step) - _moved(problem, j, -step) for step in STEPS] / widths
    four_points = (4 * two_points[:-1] - two_points[1:]) / 3
    slopes = (16 * four_points[:-1] - four_points[1:]) / 15
    errors = np.abs(np.diff(slopes, axis=0))
    best = np.argmin(errors.max(axis=1), axis=0)
    species = np.arange(len(problem.initial))
    return slopes[best, :, species].T, errors[best, :, species].T


def _moved(problem, j, step):
    """Concentrations, as exact as LSODA gives them, when ln(parameter j) is larger by `step`."""
    parameters = problem.parameters.copy()
    parameters[j] *= np.exp(step)
    constants = parameters.tolist()

    def rate(time, state, *_):
        return problem.expressions(time, state.tolist(), *constants)  # lists are fastest

    return _lsoda(rate, problem, constants, TIGHT_RTOL, TIGHT_ATOL * problem.atol)


def medians(turns, *works):
    """Median seconds of each of `works`, which take turns."""
    taken = [[] for _ in works]
    for _ in range(turns):
        for times, work in zip(taken, works, strict=True):
            times.append(seconds(work))
    return [median(times) for times in taken]


def seconds(work):
    began = perf_counter()
    work()
    return perf_counter() - began


def sizes(sensitivities):
    """The largest over the times, (n_species, n_parameters)."""
    return np.max(np.abs(sensitivities), axis=0)


def worst(differences, reference, resolved):
    """The largest difference relative to the size of the reference, where that is `resolved`."""
    return np.max(sizes(differences)[resolved] / sizes(reference)[resolved])


def published_difference(problem, concentrations):
    """Largest difference from the published values, relative, as far as atol lets one see it."""
    if not len(problem.published):
        return np.nan
    rows = np.searchsorted(problem.times, problem.published_times)
    differences = np.abs(concentrations[rows] - problem.published)
    scales = np.maximum(np.abs(problem.published), problem.atol / problem.rtol)
    return np.max(differences / scales)


def _required(problem):
    """How many times as long as without sensitivities the helper may take."""
    return 6 if "van der Pol" in problem.name else 4


def _reference(problem):
    """Sensitivities that don't come from the helper or its peer, and their errors."""
    if "chain" not in problem.name:
        return finite_differences(problem)
    exact = exact_sensitivities(problem)
    rounding = np.finfo(float).eps * np.max(np.abs(problem.initial)) / np.abs(problem.parameters)
    return exact, np.broadcast_to(rounding, exact.shape)


def compare(problem):
    """Print the problem's row of the table."""

    def helper():
        tolerances = problem.rtol, problem.atol
        return solve_ivp_sensitivity(
            problem.rate, problem.initial, problem.parameters, problem.times, *tolerances
        )

    began = perf_counter()
    casadi_sensitivities = with_casadi(problem)
    build = perf_counter() - began
    trajectory = helper()
    _, of_casadi = casadi_sensitivities()
    reference, error = _reference(problem)
    resolved = sizes(error) < RESOLVED * sizes(reference)
    alone, ours, theirs = medians(TURNS, lambda: plain(problem), helper, casadi_sensitivities)
    cells = [
        problem.name,
        len(problem.initial),
        len(problem.parameters),
        f"{alone:.3g}",
        f"{ours:.3g}",
        f"{ours / alone:.3g}",
        f"≤ {_required(problem)}: {ours <= _required(problem) * alone}",
        f"{theirs:.3g} (+ {build:.2g})",
        f"{worst(trajectory.sensitivities - reference, reference, resolved):.1e}",
        f"{worst(of_casadi - reference, reference, resolved):.1e}",
        f"{worst(error, reference, resolved):.1e}, {resolved.sum()} of {resolved.size}",
        f"{published_difference(problem, trajectory.concentrations):.1e}",
    ]
    print("|", " | ".join(map(str, cells)), "|", flush=True)


if __name__ == "__main__":
    chosen = sys.argv[1:] or list(PROBLEMS)
    print("times in s; CasADi's with that of its construction, once")
    print(
        "differences: of sensitivities from finite or exact ones, and the estimated error of these;"
    )
    print("of the helper's concentrations from the published ones\n")
    print("| problem | species | parameters | plain | helper | ratio | required | CasADi ", end="")
    print("| helper's difference | CasADi's | error of these | published |")
    print("|:--" + "|--:" * 11 + "|")
    for name in chosen:
        compare(PROBLEMS[name])
