"""Jacobians of rates at many times at once, against complex steps at one time after the other."""

import autograd.numpy as np
import numpy
import pytest

from helpers.rate_derivatives import RateDerivatives
from reference_problems.rate_equations import PROBLEMS

TIMES = np.linspace(0, 1, 40)


def dense(found):
    """Rates, ∂rate/∂concentration and ∂rate/∂parameter as full arrays."""
    rates, (rows, columns, entries), by_parameter = found
    by_species = np.zeros((*rates.shape, rates.shape[1]))
    by_species[:, rows, columns] = entries
    return rates, by_species, by_parameter


def by_complex_steps(rate, parameters, times, concentrations):
    """The same by complex steps, which are exact, one time after the other."""
    step = 1e-30
    n_species = concentrations.shape[1]
    rates = []
    derivatives = []
    for state, time in zip(concentrations, times, strict=True):
        point = np.append(state, parameters)
        rates.append(rate(time, state, *parameters))
        columns = [
            rate(time, moved[:n_species], *moved[n_species:])
            for moved in point + 1j * step * np.eye(len(point))
        ]
        derivatives.append(numpy.imag(columns).T / step)
    by_species, by_parameter = np.split(np.array(derivatives), [n_species], axis=2)
    return np.array(rates), by_species, by_parameter


def assert_right(rate, initial, parameters, times, concentrations):
    initial = np.array(initial, dtype=float)
    parameters = np.array(parameters, dtype=float)
    derivatives = RateDerivatives(rate, initial, parameters, times[0])
    found = dense(derivatives(times, concentrations))
    expected = by_complex_steps(rate, parameters, times, concentrations)
    for ours, theirs in zip(found, expected, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-12, atol=1e-13 * np.max(np.abs(theirs)))


@pytest.mark.parametrize(
    "name",
    ["POLLU", "HIRES", "Oregonator", "chain, 30 species", "stiff chain, 30 species"],
)
def test_jacobians_match_complex_steps(name):
    problem = PROBLEMS[name]
    shape = len(TIMES), len(problem.initial)
    concentrations = np.random.default_rng(0).lognormal(size=shape)
    assert_right(problem.rate, problem.initial, problem.parameters, TIMES, concentrations)


def test_sparse_jacobian_has_only_entries_that_are_not_zero():
    problem = PROBLEMS["chain, 30 species"]
    derivatives = RateDerivatives(problem.rate, problem.initial, problem.parameters, 0.0)
    _, (rows, columns, _), _ = derivatives(TIMES, np.ones((len(TIMES), 30)))
    assert set(zip(rows - columns, strict=False)) == {(0,), (1,)}


@pytest.mark.parametrize("n_times", [4, 40, 4000])
def test_calls_of_the_rate_do_not_grow_with_the_times(n_times):
    calls = []

    def rate(time, concentrations, k):
        calls.append(time)
        return -k * concentrations

    derivatives = RateDerivatives(rate, np.ones(2), np.array([3.0]), 0.0)
    derivatives(np.linspace(0, 1, n_times), np.ones((n_times, 2)))
    assert len(calls) <= 10


def test_thousands_of_times_have_the_derivatives_of_each():
    """They are differentiated in several passes, at whose ends no time may be lost."""
    problem = PROBLEMS["HIRES"]
    times = np.linspace(0, 1, 5000)
    concentrations = np.random.default_rng(0).lognormal(size=(5000, 8))
    derivatives = RateDerivatives(problem.rate, problem.initial, problem.parameters, 0.0)
    found = dense(derivatives(times, concentrations))
    some = np.r_[0:5000:97, 4999]
    expected = by_complex_steps(problem.rate, problem.parameters, times[some], concentrations[some])
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours) == 5000
        assert np.allclose(ours[some], theirs, rtol=1e-12, atol=1e-13 * np.max(np.abs(theirs)))


def test_derivatives_that_appear_at_few_times_are_found():
    """One time out of forty, not among those at which the structure is looked for."""

    def rate(time, concentrations, k):
        a, b, c = concentrations
        return [np.where(a > 2, k * b * c, 0.0) - a, -b, a - c]

    concentrations = np.ones((40, 3))
    concentrations[7] = 2.5, 3.0, 4.0
    assert_right(rate, np.ones(3), [2.0], TIMES, concentrations)


def branch(time, concentrations, k):
    return [-k * concentrations[0] if concentrations[0] > 1 else -k * concentrations[0] ** 2]


def number_of_time(time, concentrations, k):
    return [-k * concentrations[0] * float(time)]


def matrix_of_constants(time, concentrations, k, q):
    return np.dot(np.array([[-k, q], [k, -q]]), concentrations)


def fractions(time, concentrations, k):
    return -k * concentrations / np.sum(concentrations)


def extremes(time, concentrations, k):
    return -k * concentrations / np.max(concentrations)


@pytest.mark.parametrize(
    ("rate", "n_species", "parameters"),
    [
        (branch, 1, [3.0]),
        (number_of_time, 1, [3.0]),
        (matrix_of_constants, 2, [3.0, 2.0]),
        (fractions, 3, [2.0]),
        (extremes, 3, [2.0]),
    ],
)
@pytest.mark.parametrize("n_times", [2, 3, 40])
def test_rates_that_do_not_take_arrays_are_right(rate, n_species, parameters, n_times):
    """Among them rates that would mix the times, and as many times as species."""
    concentrations = np.random.default_rng(0).uniform(0.5, 2, (n_times, n_species))
    times = np.linspace(0, 1, n_times)
    assert_right(rate, np.ones(n_species), parameters, times, concentrations)


@pytest.mark.parametrize(
    "rate",
    [
        lambda t, c, k: [k * c[0], 0.0],
        lambda t, c, k: [1.0, 2.0],
        lambda t, c, k: (0, -c[0] * c[1]),
        lambda t, c, k: np.array([k * c[1], k]),
        lambda t, c, k: np.stack([c[0] * t, k * c[1]]),
    ],
)
def test_constants_among_the_rates_are_right(rate):
    concentrations = np.random.default_rng(0).uniform(0.5, 2, (40, 2))
    derivatives = RateDerivatives(rate, np.ones(2), np.array([3.0]), 0.0)
    rates, by_species, by_parameter = dense(derivatives(TIMES, concentrations))
    steps = np.array([1e-6, -1e-6])

    def moved(time, state, k):
        return np.array(rate(time, state, k), dtype=float)

    for row, (time, state) in enumerate(zip(TIMES, concentrations, strict=True)):
        assert np.allclose(rates[row], moved(time, state, 3.0))
        up, down = (moved(time, state, 3.0 + step) for step in steps)
        assert np.allclose(by_parameter[row, :, 0], (up - down) / 2e-6, atol=1e-8)
        for species in range(2):
            up, down = (moved(time, state + step * np.eye(2)[species], 3.0) for step in steps)
            assert np.allclose(by_species[row, :, species], (up - down) / 2e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("rate", "reason"),
    [
        (lambda t, c, k: -k * np.floor(c), "the rate uses floor"),
        (lambda t, c, k: (-k * c).astype(np.float32), "the rate computes in float32"),
        (lambda t, c, k: numpy.array([-k * c[0], c[1]]), r"write it with autograd\.numpy"),
        (lambda t, c, k: -float(k) * c, r"write it with autograd\.numpy"),
    ],
)
def test_rates_without_derivatives_are_refused(rate, reason):
    with pytest.raises(ValueError, match=reason):
        RateDerivatives(rate, np.ones(2), np.array([2.0]), 0.0)


def test_derivative_that_is_not_finite_is_named_by_its_time():
    derivatives = RateDerivatives(lambda t, c, k: -k * np.sqrt(c), np.ones(1), np.array([2.0]), 0.0)
    concentrations = np.ones((40, 1))
    concentrations[20] = 0.0
    with pytest.raises(FloatingPointError, match=f"not finite at time {TIMES[20]:.4g}"):
        derivatives(TIMES, concentrations)


def continuity(rate, concentrations, times=TIMES):
    derivatives = RateDerivatives(rate, concentrations[0], np.array([2.0]), times[0])
    derivatives(times, concentrations)
    derivatives.check_continuity()


def falling(n_times):
    return np.linspace(2, 0, n_times)[:, np.newaxis]


@pytest.mark.parametrize(
    "rate",
    [
        lambda t, c, k: -k * c,
        lambda t, c, k: -k * c**8 / (1 + c**8),
        lambda t, c, k: -k * np.maximum(c - 1, 0),
        lambda t, c, k: -k * np.tanh(50 * (c - 1)),
        lambda t, c, k: -k * c + np.where(t > 0.5, 1.0, 0.0),
    ],
)
def test_continuous_rates_pass(rate):
    times = np.linspace(0, 1, 400)
    continuity(rate, falling(400), times)


@pytest.mark.parametrize(
    "rate",
    [
        lambda t, c, k: np.where(c > 1, -k * c, -0.5 * k * c),
        lambda t, c, k: [-k * c[0] if c[0] > 1 else -0.5 * k * c[0]],
    ],
)
def test_rate_that_jumps_with_the_concentrations_is_refused(rate):
    times = np.linspace(0, 1, 400)
    with pytest.raises(FloatingPointError, match=r"jumps with the concentrations at time 0\.4987"):
        continuity(rate, falling(400), times)
