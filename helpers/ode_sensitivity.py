"""Rate equations without a closed form: concentrations and their sensitivities to constants."""

import warnings
from typing import NamedTuple

import numpy as np
from scipy.integrate import LSODA, OdeSolution

from helpers.collocation import LinearSystem, differentiate, interpolate, stage_times
from helpers.rate_derivatives import RateDerivatives
from helpers.validation import finite_array

LSODA_WARNING = "lsoda"  # how the messages begin with which SciPy reports its failures
STAGES = 5  # of the Radau IIA formula
ORDER = STAGES  # of its convergence, even where the equations are stiff; 9 where they are not
STRIDE = 32  # of the integrator's steps in the first, long steps of the formula
CLOSE = 4  # of the integrator's steps between times, of which one is enough in the mesh
MANY = 64  # times, all of which are in the mesh
HALVINGS = 5  # of these steps at most
NEWTON_STEPS = 4  # from the integrator's solution to the formula's, at most
TOLERANCE = 1e4  # times rtol: error relative to the largest value
LOOSEST = 1e-3  # of these relative errors
MEANINGLESS = 0.1  # relative error of what is not returned
ANOTHER = 0.01  # relative difference of two solutions that are not the same
MOST_STEPS = 100_000  # of the integrator


class Trajectory(NamedTuple):
    """How concentrations change with time and with the constants, and the estimated errors."""

    concentrations: np.ndarray  # (n_times, n_species)
    sensitivities: np.ndarray  # ∂concentration/∂parameter, (n_times, n_species, n_parameters)
    initial_sensitivities: np.ndarray | None  # ∂concentration/∂initial, (n_times, n_species, same)
    concentration_errors: np.ndarray  # (n_times, n_species)
    sensitivity_errors: np.ndarray  # (n_times, n_species, n_parameters)


def solve_ivp_sensitivity(
    rate, initial, parameters, times, rtol=1e-9, atol=1e-13, *, to_initial=False
):
    """The `Trajectory` of d(concentrations)/dt = rate(time, concentrations, *parameters).

    `rate` is written with autograd.numpy and returns one value per species; `initial` holds at
    times[0]. With `to_initial`, the sensitivities to the initial concentrations come along.

    1. LSODA integrates the concentrations, within `rtol` and `atol`, a number or one per species
       in the unit of its concentration.
    2. On a mesh of fewer steps, Newton's method turns LSODA's solution into polynomials c(t) that
       fulfil the rate equations at the stages of a Radau IIA formula. The sensitivities s(t)
       fulfil ds/dt = ∂rate/∂c s + ∂rate/∂p there. Newton's linear equations and these have the
       same matrix, whose entries at all times come from one reverse pass: see `RateDerivatives`.
    3. The steps are halved until the estimated error of every sensitivity is below 10,000 `rtol`,
       1e-5 by default and 1e-3 at most, of its largest value at the `times`, or until they are as
       short as LSODA's. The estimate is the last change over 2⁵ - 1, because the formula converges
       with the order 5 at least, and the change that another step of Newton's method would make.
       It leaves out rounding, and events that are too short for LSODA to notice.

    A sensitivity counts as zero where p ∂c/∂p is below rtol max(c) + atol. The rate may jump at a
    fixed time, but not where concentrations or parameters decide; a jump by less than about a
    thousandth is not noticed. ValueError if the rate can't be differentiated; RuntimeError if the
    integration fails, if the rate jumps, or if errors stay above 10 %.
    Source: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed. (1996), IV.5 and
    IV.8; Hindmarsh et al., SUNDIALS, ACM Trans. Math. Softw. 31, 363 (2005), for s.
    """
    initial, parameters, times = _checked(initial, parameters, times)
    rtol, atol = _tolerances(rtol, atol, initial)
    derivatives = RateDerivatives(rate, initial, parameters, times[0])
    start = np.eye(len(initial)) if to_initial else np.zeros((len(initial), 0))
    try:
        path, largest = _integrate(rate, initial, parameters, times, rtol, atol)
        zero = _zero(largest + atol, rtol, atol, np.append(parameters, initial[: start.shape[1]]))
        tolerance = min(TOLERANCE * rtol, LOOSEST)
        found, errors = _converged(path, derivatives, times, start, zero, tolerance)
    except (UserWarning, ArithmeticError) as problem:
        raise RuntimeError(
            f"the integration failed: {problem}; check the rate and its parameters, end earlier, "
            "or change rtol and atol"
        ) from problem
    concentrations, by_parameter, by_start = np.split(found, [1, 1 + len(parameters)], axis=-1)
    return Trajectory(
        concentrations[..., 0],
        by_parameter,
        by_start if to_initial else None,
        errors[..., 0],
        errors[..., 1 : 1 + len(parameters)],
    )


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


def _tolerances(rtol, atol, initial):
    """The relative tolerance, and the absolute one of each species."""
    relative = finite_array("rtol", rtol, (0,))
    if not 0 < relative < 1:
        raise ValueError(f"rtol is {rtol}; give a number between 0 and 1")
    per_species = finite_array("atol", atol, (0, 1))
    if per_species.shape not in ((), initial.shape) or np.any(per_species <= 0):
        raise ValueError(f"atol is {atol}; give a positive number, or one per species")
    return float(relative), np.broadcast_to(per_species, initial.shape)


def _integrate(rate, initial, parameters, times, rtol, atol):
    """The concentrations by LSODA and the largest of each species.

    The first is a function of time that has the steps as its `ts`. LSODA takes finite differences
    for its Jacobian: an exact one saves few steps, and takes longer than the differences.
    """

    def slopes(time, concentrations):
        return rate(time, concentrations, *parameters)

    steps, states, polynomials = [times[0]], [initial], []
    with warnings.catch_warnings(), np.errstate(all="ignore"):  # the values are checked below
        warnings.filterwarnings("error", message=LSODA_WARNING)
        solver = LSODA(slopes, times[0], initial, times[-1], rtol=rtol, atol=atol)
        while solver.status == "running":
            message = solver.step()
            if solver.status == "failed" or not solver.t > steps[-1]:
                raise FloatingPointError(message or f"no step beyond time {steps[-1]:.4g}")
            if len(steps) > MOST_STEPS:
                raise FloatingPointError(f"{MOST_STEPS} steps end at time {solver.t:.4g} already")
            steps.append(solver.t)
            states.append(solver.y)
            polynomials.append(solver.dense_output())
    finite = np.all(np.isfinite(states), axis=1)
    if not np.all(finite):
        time = steps[np.argmin(finite) - 1]
        raise FloatingPointError(f"the rate is not finite soon after time {time:.4g}")
    return OdeSolution(steps, polynomials), np.max(np.abs(states), axis=0)


def _zero(scale, rtol, atol, moved):
    """The magnitude of concentrations, and sensitivities to `moved` that are as good as zero.

    (n_species, 1 + n_moved), of which the first column is `scale`.
    """
    relative_to = np.where(moved == 0, 1, np.abs(moved))
    return np.column_stack([scale, (rtol * scale + atol)[:, np.newaxis] / relative_to])


def _converged(path, derivatives, times, start, zero, tolerance):
    """Concentrations and sensitivities at `times`, and their errors.

    Both are (n_times, n_species, 1 + n_moved): the quantities moved are the parameters and the
    initial concentrations. Errors are relative to the largest value, or to `zero` (n_species,
    1 + n_moved) if the sensitivities are below; its first column is the scale of concentrations.
    """
    mesh = _mesh(path.ts, times)
    found, _ = _solve(path, derivatives, mesh, times, start, zero, np.inf)  # only to compare with
    for _ in range(HALVINGS):
        mesh, before = _halved(mesh, path.ts), found
        found, errors = _solve(path, derivatives, mesh, times, start, zero, tolerance / 2)
        errors = errors + np.abs(found - before) / (2**ORDER - 1)
        reached = _relative(errors, found, zero)
        if reached <= tolerance:
            break
    if not reached <= MEANINGLESS:
        raise FloatingPointError(
            f"the errors are {reached:.1g} of the largest value, because small ones grow, or "
            "because the rate is not smooth"
        )
    derivatives.check_continuity()
    differences = np.max(np.abs(found[..., 0] - path(times).T) / zero[:, 0], axis=1)
    if np.max(differences) > ANOTHER:
        raise FloatingPointError(
            f"an event before time {times[np.argmax(differences)]:.4g} is too short for the "
            "integrator to notice; end where it begins and start again there"
        )
    return found, errors


def _relative(errors, values, zero):
    """The largest of the `errors` relative to the largest value of its species and quantity."""
    return np.max(errors / (np.max(np.abs(values), axis=0) + zero))


def _mesh(steps, times):
    """The `times` and, between them, about every STRIDE-th of the integrator's `steps`.

    Of many times that are close together, some are left out.
    """
    positions = np.interp(times, steps, np.arange(len(steps)))
    _, apart = np.unique(positions // CLOSE, return_index=True)
    evenly = np.linspace(0, len(times) - 1, min(len(times), MANY)).astype(int)
    chosen = np.union1d(apart, evenly)
    pieces = np.maximum(1, np.ceil(np.diff(positions[chosen]) / STRIDE)).astype(int)
    ends = np.cumsum([0, *pieces])
    positions = np.interp(np.arange(ends[-1] + 1), ends, positions[chosen])
    mesh = np.interp(positions, np.arange(len(steps)), steps)
    mesh[ends] = times[chosen]
    return mesh


def _halved(mesh, steps):
    """`mesh` and the middle of each of its steps, by the number of the integrator's `steps`."""
    positions = np.interp(mesh, steps, np.arange(len(steps)))
    middles = np.interp((positions[:-1] + positions[1:]) / 2, np.arange(len(steps)), steps)
    return np.union1d(mesh, middles)


def _solve(path, derivatives, mesh, times, start, zero, tolerance):
    """Concentrations and sensitivities (n_times, n_species, 1 + n_moved), and what Newton leaves.

    Newton's method for the concentrations at all stages starts from `path`. The sensitivities begin
    with `start` (n_species, n_initial) to the initial concentrations, and zero to the parameters.
    A correction of the concentrations changes the sensitivities one step later and in proportion,
    which gives the next change, the error that is left, from the last one.
    """
    stages = stage_times(mesh, STAGES)
    concentrations = path(stages).T
    lengths = np.repeat(np.diff(mesh), STAGES)[:, np.newaxis, np.newaxis]
    behind = 1 + len(derivatives.parameters)
    solutions = np.zeros((*concentrations.shape, behind + start.shape[1]))
    size = 0.0
    for step in range(NEWTON_STEPS):
        rates, jacobian, by_parameter = derivatives(stages[1:], concentrations[1:])
        system = LinearSystem(mesh, STAGES, len(start), jacobian)
        defect = rates - differentiate(mesh, STAGES, concentrations)
        right = np.zeros(solutions.shape)
        right[1:, :, :1] = lengths * defect[..., np.newaxis]
        right[1:, :, 1:behind] = lengths * by_parameter
        right[0, :, behind:] = start
        if step == 0:
            solve = system.factorised(zero[:, 0])
            changes = solve(right)
            if tolerance == np.inf:  # no further step will remove the rounding errors
                changes += solve(system.residual(right, changes))
        else:
            changes = solve(system.residual(right, solutions))
        concentrations = concentrations + changes[..., 0]
        solutions[..., 1:] += changes[..., 1:]  # those of the concentrations remain zero
        before, size = size, np.max(np.abs(changes[..., 0]) / zero[:, 0])
        ratio = size / before if before else 1.0
        found = interpolate(mesh, STAGES, solutions, times)
        found[..., 0] = interpolate(mesh, STAGES, concentrations, times)
        errors = ratio * np.abs(interpolate(mesh, STAGES, changes, times))
        if _relative(errors, found, zero) <= tolerance:
            break
    return found, errors
