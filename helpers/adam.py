"""Adam in rounds, with a tolerance and a trace, as the original posts use it."""

from typing import Any, NamedTuple

import numpy as np
from autograd import grad
from autograd.misc.optimizers import adam

from helpers.validation import check_integer


class AdamResult(NamedTuple):
    """Where a descent ended, and how it went."""

    parameters: Any  # nested as the start was
    objective: float
    steps: int
    trace: tuple  # of (step, objective)


def minimize_adam(
    objective, start, *, step_size, steps, tolerance, restarts=100, trace_every=None, report=None
):
    """Adam in rounds of `steps` steps, until `objective(parameters)` is below `tolerance`.

    Each round starts Adam afresh, its moments zero, as the posts do. `start` may be nested lists and tuples
    of arrays. The trace holds the objective at every `trace_every`-th step of a round (default: its first step);
    `report(step, objective)` is called as each enters it, to show how far the descent is.
    Source: Kingma & Ba, Adam: A Method for Stochastic Optimization, arXiv:1412.6980 (2014).
    """
    gradient = grad(objective)
    trace_every = check_integer("trace_every", trace_every or steps)
    if not step_size > 0:
        raise ValueError(f"step_size is {step_size}; give a positive length")
    if np.shape(objective(start)) != () or not np.isfinite(objective(start)):
        raise ValueError(
            f"the objective of the start is {objective(start)}; it has to be one finite number"
        )
    parameters, trace = start, []
    for taken in range(
        0, check_integer("restarts", restarts) * check_integer("steps", steps), steps
    ):

        def record(parameters, step, _, taken=taken):
            if step % trace_every == 0:
                trace.append((taken + step, float(objective(parameters))))
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
        if not np.isfinite(reached):
            raise RuntimeError(
                f"the objective is {reached} after {taken + steps} steps; take a smaller step_size"
            )
        if reached < tolerance:
            return AdamResult(parameters, reached, taken + steps, tuple(trace))
    raise RuntimeError(
        f"the objective is {reached:.3g} after {restarts} rounds of {steps} steps, not below {tolerance:.3g}; "
        "allow more restarts, or a larger tolerance"
    )
