"""Sensitivities of rate equations at rtol = 1e-9. The ratio is with to without sensitivities.

The helper is timed beside SciPy's LSODA, which solves for the concentrations alone, and CasADi's
CVODES, which is compiled; "built in" is the time that its problem takes once. The errors are the
largest differences from reference sensitivities, relative to the largest value of each over the
times. References are exact for the chains and extrapolated finite differences otherwise. Where a
reference has a relative error above 1e-6, as it does if it is zero, nothing is compared.
"Published" is the relative difference of the helper's concentrations from published ones.
"""

from time import perf_counter

import casadi
import numpy as np
from scipy.integrate import solve_ivp

from helpers.ode_sensitivity import solve_ivp_sensitivity
from reference_problems.rate_equations import PROBLEMS, exact_sensitivities
from timing import judge, take_turns

STEPS = 1e-5 * 2.0 ** np.arange(12)  # of ln(parameter), for finite differences
CVODES = {"max_num_steps": 1_000_000, "second_order_correction": False, "abstol": 1.0}


def solve_lsoda(problem, rate, parameters, rtol, atol):
    """Concentrations (n_times, n_species)."""
    times = problem.times
    options = {"method": "LSODA", "t_eval": times, "rtol": rtol, "atol": atol, "args": parameters}
    solution = solve_ivp(rate, times[[0, -1]], problem.initial, **options)
    if not solution.success:
        raise RuntimeError(f"{problem.name}: {solution.message}")
    return solution.y.T


def solve_plain(problem):
    return solve_lsoda(problem, problem.rate, problem.parameters, problem.rtol, problem.atol)


def solve_helper(problem):
    arguments = problem.rate, problem.initial, problem.parameters, problem.times
    return solve_ivp_sensitivity(*arguments, problem.rtol, problem.atol)


def build_casadi(problem):
    """The function of `problem` that returns sensitivities by CVODES.

    CVODES has one absolute tolerance, so that atol is the unit of concentrations and the parameters
    are relative: then the tolerances are those of the helper.
    """
    time = casadi.SX.sym("time")
    state = casadi.SX.sym("state", len(problem.initial))
    scale = casadi.SX.sym("scale", len(problem.parameters))
    concentrations = casadi.vertsplit(state * problem.atol)
    constants = casadi.vertsplit(scale * problem.parameters)
    rate = casadi.vertcat(*problem.expressions(time, concentrations, *constants)) / problem.atol
    system = {"t": time, "x": state, "p": scale, "ode": rate}
    grid = problem.times[0], problem.times.tolist()
    options = {"reltol": problem.rtol, **CVODES}
    integrator = casadi.integrator("solve", "cvodes", system, *grid, options)
    solve = integrator.factory("with_jacobian", ["x0", "p"], ["xf", "jac:xf:p"])

    def solve_casadi(problem):
        _, jacobian = solve(problem.initial / problem.atol, 1)
        shape = len(problem.times), len(problem.initial), len(problem.parameters)
        units = problem.atol[:, np.newaxis] / problem.parameters
        return np.array(jacobian).reshape(shape) * units

    return solve_casadi


def finite_differences(problem, j):
    """∂c/∂ln(p) of parameter `j` and its estimated error, each (n_times, n_species).

    Two central differences give a formula of fourth order, three give one of sixth order. For each
    species we take the step at which its result changes least to the next; the change is the error.
    """

    def rate(time, state, *constants):
        return problem.expressions(time, state.tolist(), *constants)  # lists are fastest

    def solve(step):
        factors = np.exp(step * np.eye(len(problem.parameters))[j])
        constants = (problem.parameters * factors).tolist()
        return solve_lsoda(problem, rate, constants, 3e-14, 1e-4 * problem.atol)

    second_order = np.array([(solve(step) - solve(-step)) / (2 * step) for step in STEPS])
    fourth_order = (4 * second_order[:-1] - second_order[1:]) / 3
    sixth_order = (16 * fourth_order[:-1] - fourth_order[1:]) / 15
    errors = np.abs(np.diff(sixth_order, axis=0))
    best = np.argmin(errors.max(axis=1), axis=0)
    species = np.arange(len(problem.initial))
    return sixth_order[best, :, species].T, errors[best, :, species].T


def reference_sensitivities(problem):
    """Reference values and their errors, each (n_times, n_species, n_parameters)."""
    if "chain" in problem.name:
        rounding = np.finfo(float).eps * np.max(np.abs(problem.initial))
        exact = exact_sensitivities(problem)
        return exact, np.broadcast_to(rounding / np.abs(problem.parameters), exact.shape)
    columns = [finite_differences(problem, j) for j in range(len(problem.parameters))]
    values, errors = (np.stack(arrays, axis=-1) for arrays in zip(*columns, strict=True))
    return values / problem.parameters, errors / np.abs(problem.parameters)


def published_difference(problem, concentrations):
    """The largest relative difference, as far as atol lets one see it."""
    if not len(problem.published):
        return None
    rows = np.searchsorted(problem.times, problem.published_times)
    scales = np.maximum(np.abs(problem.published), problem.atol / problem.rtol)
    return np.max(np.abs(concentrations[rows] - problem.published) / scales)


def compare(problem):
    """The row of the table for one problem."""
    start = perf_counter()
    solve_casadi = build_casadi(problem)
    build = perf_counter() - start
    timings = take_turns([problem] * 5, (solve_plain, solve_helper, solve_casadi))
    (without, _), (ours, (trajectory, *_)), (theirs, (by_casadi, *_)) = timings
    reference, errors = reference_sensitivities(problem)
    scale = np.max(np.abs(reference), axis=0)
    compared = np.max(errors, axis=0) < 1e-6 * scale

    def error(differences):
        return np.max(np.max(np.abs(differences), axis=0)[compared] / scale[compared])

    return {
        "task": problem.name,
        "species, constants": f"{len(problem.initial)}, {len(problem.parameters)}",
        "without / ms": 1e3 * without,
        "with / ms": 1e3 * ours,
        **judge(ours / without, "≤ 6" if "van der Pol" in problem.name else "≤ 4"),
        "CasADi / ms": 1e3 * theirs,
        "built in / ms": 1e3 * build,
        "error": error(trajectory.sensitivities - reference),
        "CasADi's error": error(by_casadi - reference),
        "reference's error": error(errors),
        "compared": f"{compared.sum()} of {compared.size}",
        "published": published_difference(problem, trajectory.concentrations),
    }


def rows():
    return map(compare, PROBLEMS.values())
