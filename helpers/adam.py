"""Minimisation with Adam, restarted until a tolerance is met, as the original posts use it."""

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from autograd import grad
from autograd.misc.optimizers import adam

from helpers.validation import check_integer, check_number


class AdamResult(NamedTuple):
    """The parameters at which a minimisation ended, and its course."""

    parameters: Any  # nested as the start was
    objective: float
    steps: int
    trace: tuple  # of (step, objective)


def minimize_adam(
    objective, start, *, step_size, steps, tolerance, restarts=100, trace_every=None, report=None
):
    """Adam in runs of `steps` steps, until `objective(parameters)` is below `tolerance`.

    Adam is a gradient descent that scales each step by running averages, the moments, of the
    gradient and of its square. Each run begins where the last one ended, with moments of zero;
    there are at most `restarts` runs. `start` may be nested lists, tuples and dicts of arrays.
    The trace holds the objective at every `trace_every`-th step of a run, or at its first step
    alone, and `report(step, objective)` is called with each entry to show the progress.

    RuntimeError where the tolerance isn't met or the objective stops being finite.
    Source: Kingma & Ba, Adam: A Method for Stochastic Optimization, arXiv:1412.6980 (2014).
    """
    steps = check_integer("steps", steps)
    restarts = check_integer("restarts", restarts)
    trace_every = steps if trace_every is None else check_integer("trace_every", trace_every)
    check_number("step_size", step_size)
    if not 0 < step_size < np.inf:
        raise ValueError(f"step_size is {step_size}; give a positive finite number")
    check_number("tolerance", tolerance)
    if np.isnan(tolerance):
        raise ValueError(f"tolerance is {tolerance}; give a number")
    _check_objective(objective(start))
    gradient = grad(objective)
    parameters = start
    trace = []
    for steps_before in range(0, restarts * steps, steps):

        def record(parameters, step, _, steps_before=steps_before):
            if step % trace_every == 0:
                trace.append((steps_before + step, float(objective(parameters))))
                if report:
                    report(*trace[-1])

        parameters = adam(
            lambda parameters, _: gradient(parameters),
            parameters,
            record,
            num_iters=steps,
            step_size=step_size,
        )
        reached = float(objective(parameters))
        steps_made = steps_before + steps
        if not np.isfinite(reached):
            raise RuntimeError(
                f"the objective is {reached} after {steps_made} steps; take a smaller step_size"
            )
        if reached < tolerance:
            return AdamResult(parameters, reached, steps_made, tuple(trace))
    raise RuntimeError(
        f"the objective is {reached:.3g} after {steps_made} steps, not below {tolerance:.3g}; "
        f"allow more restarts than {restarts}, or a larger tolerance"
    )


def _check_objective(value):
    if np.shape(value) != ():
        raise ValueError(f"the objective has shape {np.shape(value)}; return one number")
    if not isinstance(value, Real | np.ndarray):
        raise TypeError(f"the objective of the start is {value!r}; return a number")
    if not np.isfinite(value):
        raise ValueError(f"the objective of the start is {value}; start where it is finite")
