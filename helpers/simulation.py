"""Are the intervals of a fit honest? Simulated data, whose true parameters are known, tell.

`workers` is the built-in `map` or anything that is called like it, SciPy's convention. Short tasks
are sent in groups by `functools.partial(executor.map, chunksize=100)`.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from helpers.autodiff import parameter_names
from helpers.least_squares import fit
from helpers.validation import check_generator, check_integer, finite_array


class Coverage(NamedTuple):
    """How often the interval of each parameter contained the true value."""

    names: tuple
    shares: np.ndarray  # (n_parameters,), of all trials
    standard_errors: np.ndarray  # (n_parameters,), of the shares, from the number of trials
    n_failed: int  # trials whose fit failed; their intervals count as missing the true values


def simulate_coverage(model, inputs, truth, sigma, n_trials, rng, level=0.95, workers=map):
    """The `Coverage` of the intervals that `fit` gives for data from `model` itself.

    In each trial, normally distributed errors with the standard deviation `sigma`, a number or one
    for each input, are added to `model(inputs, *truth)`, and the data are fitted from the true
    parameters on. Each trial has a generator of its own, spawned from `rng`, so that the result
    doesn't depend on the workers. For other processes the model has to be importable there.

    If a share p differs from `level` by more than two or three of its standard errors
    √(p (1 - p) / n_trials), the linearised intervals can't be trusted for these inputs.
    """
    n_trials = check_integer("n_trials", n_trials, minimum=2)
    check_generator(rng)
    truth = finite_array("truth", truth, (1,))
    names = parameter_names(model, len(truth))
    exact = finite_array("model(inputs, *truth)", model(inputs, *truth), (1,))
    sigma = finite_array("sigma", sigma, (0, 1))
    if np.any(sigma <= 0):
        raise ValueError(f"sigma is {np.min(sigma)}; give positive numbers")
    sigma = np.broadcast_to(sigma, exact.shape)
    trial = partial(_contains, model, inputs, exact, truth, sigma, level)
    results = list(workers(trial, rng.spawn(n_trials)))
    found = [contained for contained in results if contained is not None]
    shares = np.sum(found, axis=0) / n_trials if found else np.zeros(len(truth))
    return Coverage(names, shares, np.sqrt(shares * (1 - shares) / n_trials), n_trials - len(found))


def _contains(model, inputs, exact, truth, sigma, level, rng):
    """Whether the interval of each parameter contains its true value; None if the fit fails."""
    targets = exact + sigma * rng.standard_normal(len(exact))
    try:
        found = fit(model, inputs, targets, truth, sigma)
    except (RuntimeError, ValueError):
        return None
    lower, upper = np.transpose(found.intervals(level))
    return (lower <= truth) & (truth <= upper)
