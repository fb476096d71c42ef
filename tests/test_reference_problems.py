"""Least squares on other people's problems, whose answers are known from elsewhere."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from helpers.least_squares import fit
from reference_problems.hard_models import HARD_MODELS
from reference_problems.minimum import stationarity
from reference_problems.more_garbow_hillstrom import PROBLEMS
from reference_problems.nonlinear_regression import REGRESSIONS
from reference_problems.simulated import FAMILIES, noisy_data

UNDETERMINED = "don't determine"
AT_INFINITY = "has its minimum at infinity"
NO_CONVERGENCE = "did not converge"
REFUSALS = (ValueError, RuntimeError)


def named(problems):
    return pytest.mark.parametrize("problem", problems, ids=lambda problem: problem.name)


def last_digit(text):
    """The unit of the last digit that is printed in `text`."""
    _, _, decimals = text.partition(".")
    return 10.0 ** -len(decimals)


def assert_printed(found, printed):
    for value, text in zip(found, printed, strict=True):
        assert abs(value - float(text)) <= last_digit(text), (value, text)


def fit_or_refusal(problem):
    """The fit from the problem's start, or None, and the message of the refusal, or None."""
    try:
        return fit(problem.model, problem.inputs, problem.targets, problem.start), None
    except REFUSALS as refusal:
        return None, str(refusal)


@named(PROBLEMS)
def test_more_garbow_hillstrom_from_standard_start(problem):
    """A refusal is right only where one of the known minima has no answer."""
    found, refusal = fit_or_refusal(problem)
    if found is None:
        reasons = {
            UNDETERMINED: problem.degenerate or problem.dependent,
            NO_CONVERGENCE: problem.degenerate,
            AT_INFINITY: problem.at_infinity,
        }
        assert any(known and reason in refusal for reason, known in reasons.items()), refusal
    else:
        at_start = problem.residuals(problem.start)
        zero = 1e-20 * (at_start @ at_start + problem.targets @ problem.targets)
        answers = problem.minima + problem.degenerate
        assert np.any(np.isclose(found.chi_square, answers, rtol=1e-6, atol=zero))
        data = problem.model, problem.inputs, problem.targets
        answer = stationarity(*data, found.parameters)
        assert answer.is_strict_minimum or answer.independence > 1e-13


@named(REGRESSIONS)
def test_published_estimates_and_standard_errors_are_met(problem):
    found = fit(problem.model, problem.inputs, problem.targets, problem.start, problem.sigma)
    assert_printed(found.parameters, problem.estimates)
    if problem.standard_errors:
        assert_printed(found.standard_errors, problem.standard_errors)


@named([problem for problem in HARD_MODELS if problem.sum_of_squares is not None])
def test_hard_model_is_fitted(problem):
    found, refusal = fit_or_refusal(problem)
    if found is None:
        assert problem.refusal is not None, refusal
    else:
        assert found.chi_square == pytest.approx(problem.sum_of_squares, rel=1e-6, abs=0)


@named([problem for problem in HARD_MODELS if problem.sum_of_squares is None])
def test_fit_without_minimum_is_refused(problem):
    with pytest.raises(REFUSALS) as refusal:
        fit(problem.model, problem.inputs, problem.targets, problem.start)
    assert problem.refusal in str(refusal.value)


def curve_fit_minimum(model, inputs, targets, guess):
    """The `Stationarity` of curve_fit's answer, or None if that is not a clear minimum."""
    try:
        parameters, _ = curve_fit(
            model, inputs, targets, guess, maxfev=20_000, ftol=1e-13, xtol=1e-13, gtol=1e-13
        )
    except RuntimeError:
        return None
    found = stationarity(model, inputs, targets, parameters)
    return found if found.is_well_conditioned and found.determines_parameters else None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.filterwarnings("ignore::scipy.optimize.OptimizeWarning")
@pytest.mark.parametrize("noise_fraction", [0.02, 0.2, 0.6])
@pytest.mark.parametrize("family", FAMILIES)
def test_noisy_data_are_fitted_as_well_as_by_curve_fit(family, noise_fraction):
    for seed in range(5):
        data = noisy_data(family, noise_fraction, np.random.default_rng(seed))
        other = curve_fit_minimum(*data)
        try:
            found = fit(*data)
        except REFUSALS:
            assert other is None, seed
            continue
        answer = stationarity(*data[:3], found.parameters)
        assert answer.is_strict_minimum, seed
        assert other is None or answer.sum_of_squares <= 1.000001 * other.sum_of_squares, seed
