"""Rate equations and their sensitivities: closed forms, identities, another integrator."""

import math
import warnings
from functools import cache

import autograd.numpy as np
import numpy
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from helpers import ode_sensitivity
from helpers.ode_sensitivity import solve_ivp_sensitivity
from helpers.reversible_reaction import concentration, sensitivities
from reference_problems.rate_equations import PROBLEMS, exact_sensitivities

TIMES = np.linspace(0, 0.5, 51)
LOG_TIMES = np.unique([0, *np.logspace(-4, 5, 46), 40, 400])
CONSTANTS = np.array([0.04, 3e7, 1e4])


def reversible(time, concentrations, k_forward, k_backward):
    a, b = concentrations
    return [-k_forward * a + k_backward * b, k_forward * a - k_backward * b]


def robertson(time, concentrations, k1, k2, k3):
    a, b, c = concentrations
    return np.array([-k1 * a + k3 * b * c, k1 * a - k3 * b * c - k2 * b**2, k2 * b**2])


@pytest.fixture(scope="module")
def stiff():
    return solve_ivp_sensitivity(robertson, [1, 0, 0], CONSTANTS, LOG_TIMES)


@pytest.mark.parametrize(
    ("forward", "backward", "initial"), [(3, 3, 1), (0.7, 2.5, 3), (5, 0, 1), (0, 2, 1), (50, 9, 1)]
)
def test_reversible_reaction_has_its_closed_form(forward, backward, initial):
    found = solve_ivp_sensitivity(reversible, [initial, 0], [forward, backward], TIMES)
    exact = sensitivities(TIMES, forward, backward, initial)
    assert np.allclose(
        found.concentrations[:, 0],
        concentration(TIMES, forward, backward, initial),
        rtol=0,
        atol=1e-8,
    )
    assert np.allclose(found.sensitivities, np.stack([exact, -exact], axis=1), rtol=0, atol=1e-8)


def test_a_rate_that_depends_on_time_has_its_closed_form():
    """dc/dt = -k t c: c = exp(-k t²/2), ∂c/∂k = -t²/2 c. The clock starts at -1."""
    times = np.linspace(-1, 2, 31)
    found = solve_ivp_sensitivity(lambda t, c, k: -k * t * c, [np.exp(-0.35)], [0.7], times)
    exact = np.exp(-0.35 * times**2)
    assert np.allclose(found.concentrations[:, 0], exact, rtol=0, atol=1e-8)
    assert np.allclose(found.sensitivities[:, 0, 0], (1 - times**2) / 2 * exact, rtol=0, atol=1e-8)


def test_a_second_order_reaction_has_its_closed_form():
    """dc/dt = -k c²: c = 1 / (1 + k t), ∂c/∂k = -t c²: here the Jacobian is incomplete."""
    found = solve_ivp_sensitivity(lambda t, c, k: -k * c**2, [1], [1e3], TIMES)
    exact = 1 / (1 + 1e3 * TIMES)
    assert np.allclose(found.concentrations[:, 0], exact, rtol=0, atol=1e-8)
    assert np.allclose(
        found.sensitivities[:, 0, 0] * 1e3, -1e3 * TIMES * exact**2, rtol=0, atol=1e-8
    )


def test_robertson_conserves_mass(stiff):
    assert np.allclose(stiff.concentrations.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert np.allclose(stiff.sensitivities.sum(axis=1) * CONSTANTS, 0, rtol=0, atol=1e-12)


def test_faster_constants_act_like_a_faster_clock(stiff):
    """Σ k ∂C/∂k = t dC/dt, although the constants span nine decades."""
    rate = CONSTANTS[1] * stiff.concentrations[:, 1] ** 2
    assert np.allclose(stiff.sensitivities[:, 2] @ CONSTANTS, LOG_TIMES * rate, rtol=0, atol=2e-8)


def test_robertson_concentrations_are_those_of_sundials(stiff):
    """At t = 40 and 400: what the SUNDIALS example cvRoberts_dns prints."""
    found = stiff.concentrations[np.isin(LOG_TIMES, [40, 400])]
    printed = [[7.158e-01, 9.185e-06, 2.842e-01], [4.505e-01, 3.223e-06, 5.495e-01]]
    assert np.allclose(found, printed, rtol=2e-4)


def test_robertson_sensitivities_are_another_solvers_differences(stiff):
    """Radau takes six reactions at once, with one constant each moved up or down."""
    step = 2e-3  # of ln k
    moved = [CONSTANTS * np.exp(sign * step * unit) for unit in np.eye(3) for sign in (1, -1)]
    k1, k2, k3 = np.transpose(moved)

    def rates(time, states):
        return robertson(time, states.reshape(3, 6), k1, k2, k3).ravel()

    def jacobian(time, states):
        _, b, c = states.reshape(3, 6)
        by_b = k3 * c + 2 * k2 * b
        rows = [[-k1, k3 * c, k3 * b], [k1, -by_b, -k3 * b], [0 * k1, 2 * k2 * b, 0 * k1]]
        return np.block([[np.diag(entry) for entry in row] for row in rows])

    tight = {"method": "Radau", "rtol": 1e-9, "atol": 1e-17, "jac": jacobian}
    start = np.repeat([1.0, 0.0, 0.0], 6)
    solution = solve_ivp(rates, (0, 1e5), start, t_eval=LOG_TIMES, **tight)
    logarithms = np.log(solution.y.T[1:]).reshape(-1, 3, 3, 2)  # time, species, constant, sign
    slopes = (logarithms[..., 0] - logarithms[..., 1]) / (2 * step)
    found = stiff.sensitivities[1:] * CONSTANTS / stiff.concentrations[1:, :, np.newaxis]
    assert np.allclose(found, slopes, rtol=0, atol=2e-5)


def assert_close_to_its_largest(found, expected, tolerance):
    """Every sensitivity agrees, relative to the largest of its species and parameter."""
    largest = np.max(np.abs(expected), axis=0)
    assert np.all(np.abs(found - expected) <= tolerance * largest)


def test_a_tighter_rtol_gives_smaller_errors():
    """Five times, so that the steps in between are as long as rtol allows."""
    problem = PROBLEMS["Brusselator"]
    times = problem.times[::10]

    def solution(rtol):
        return solve_ivp_sensitivity(
            problem.rate, problem.initial, problem.parameters, times, rtol, 1e-14
        )

    exact = solution(1e-12).sensitivities
    largest = np.max(np.abs(exact), axis=0)
    errors, estimates = [], []
    for rtol in (1e-6, 1e-8, 1e-10):
        found = solution(rtol)
        errors.append(np.max(np.abs(found.sensitivities - exact) / largest))
        estimates.append(np.max(found.sensitivity_errors / largest))
        assert errors[-1] <= estimates[-1] <= min(1e4 * rtol, 1e-3)
    assert errors[2] < errors[1] / 10 < errors[0] / 100
    assert estimates[2] < estimates[1] / 10


def test_idle_parameters_and_those_of_zero_have_sensitivities():
    found = solve_ivp_sensitivity(lambda t, c, k, zero, idle: -k * c + zero, [1], [2, 0, 5], TIMES)
    assert np.array_equal(found.sensitivities[:, 0, 2], 0 * TIMES)
    assert np.allclose(
        found.sensitivities[:, 0, 1], (1 - np.exp(-2 * TIMES)) / 2, rtol=0, atol=1e-8
    )


@pytest.mark.parametrize(
    "rate",
    [
        lambda t, c, k: k * c**2,  # infinite at t = 1
        lambda t, c, k: -k * np.sqrt(c),  # below zero from t = 2 on
        lambda t, c, k: -k * np.sqrt(1 - t) * c,
        lambda t, c, k: -k * c if t < 1 else c * np.nan,
    ],
)
def test_a_failed_integration_says_what_to_try(rate):
    with pytest.raises(
        RuntimeError,
        match=r"the integration failed: .*; check the rate and its parameters, end earlier",
    ):
        solve_ivp_sensitivity(rate, [1], [1], [0, 5], 1e-2, 1e-3)  # fewer steps to infinity


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (([1, np.nan], [3, 3], TIMES), "initial concentrations: contains nan"),
        (([[1, 0]], [3, 3], TIMES), "an array with 1 axis"),
        (([1, 0], [3, np.inf], TIMES), "parameters: contains inf"),
        (([], [3, 3], TIMES), "at least one of each"),
        (([1, 0], [], TIMES), "at least one of each"),
        (([1, 0], [3, 3], [0]), "fewer than two"),
        (([1, 0], [3, 3], [0, 1, 1]), "not increasing"),
    ],
)
def test_arguments_without_meaning_are_refused(arguments, advice):
    with pytest.raises(ValueError, match=advice):
        solve_ivp_sensitivity(reversible, *arguments)


@pytest.mark.parametrize(
    ("rate", "advice"),
    [
        (lambda t, c, k: -k * c[0], r"rates at the start: shape \(\)"),
        (lambda t, c, k: [-k * c[0], 0], "one value per species"),
        (lambda t, c, k: c * np.nan, "rates at the start: contains nan"),
        (lambda t, c, k: [-k * math.exp(c[0])], r"write it with autograd\.numpy"),
        (lambda t, c, k: numpy.array([-k * c[0]]), r"write it with autograd\.numpy"),
    ],
)
def test_a_rate_without_use_is_refused(rate, advice):
    with pytest.raises(ValueError, match=advice):
        solve_ivp_sensitivity(rate, [1], [1], [0, 1])


def test_an_error_of_the_rate_itself_is_not_hidden():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        solve_ivp_sensitivity(reversible, [1, 0], [3], TIMES)


def test_warning_filters_are_left_as_they_are():
    before = list(warnings.filters)
    solve_ivp_sensitivity(lambda t, c, k: -k * c, [1.0], [2.0], [0, 1])
    assert warnings.filters == before


def test_a_rate_that_takes_its_constant_apart_is_refused():
    with pytest.raises(ValueError, match="the rate can't be differentiated"):
        solve_ivp_sensitivity(lambda t, c, k: -k.item() * c, [1.0], [2.0], [0, 1])


def test_text_among_the_parameters_is_a_type_error():
    with pytest.raises(TypeError, match="parameters: contains text; give real numbers"):
        solve_ivp_sensitivity(reversible, [1, 0], [3, "x"], TIMES)


def test_a_derivative_that_is_not_finite_is_refused_as_such():
    """The rate is written with autograd.numpy already, so that advice would not help."""
    with pytest.raises(RuntimeError, match="its derivative is not finite at time") as refusal:
        solve_ivp_sensitivity(lambda t, c, k: -k * np.sqrt(c - 1), [1.0], [1.0], [0, 1])
    assert "autograd" not in str(refusal.value)


# Rates that some parameter, or none, has an effect on


@pytest.mark.parametrize(
    "rate",
    [lambda t, c, k: [-1.0], lambda t, c, k: numpy.array([-1.0]), lambda t, c, k: -np.ones(1)],
)
def test_a_constant_rate_has_sensitivities_of_zero(rate):
    found = solve_ivp_sensitivity(rate, [1.0], [2.0], TIMES)
    assert found.concentrations[:, 0] == pytest.approx(1.0 - TIMES, rel=1e-9)
    assert np.array_equal(found.sensitivities, np.zeros((len(TIMES), 1, 1)))


def test_a_constant_rate_is_accepted_without_a_warning():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solve_ivp_sensitivity(lambda t, c, k: [-1.0], [1.0], [2.0], [0, 0.5])
    assert caught == []


def test_a_rate_that_is_its_constant_has_known_sensitivities():
    """A is fed at k, and B at a rate that nothing changes: ∂A/∂k = t, ∂B/∂k = 0."""
    found = solve_ivp_sensitivity(lambda t, c, k: [k, 3.0], [0, 1], [2.0], TIMES)
    exact = np.stack([2 * TIMES, 1 + 3 * TIMES], axis=1)
    assert np.allclose(found.concentrations, exact, rtol=1e-9, atol=1e-12)
    assert np.allclose(found.sensitivities[:, 0, 0], TIMES, rtol=1e-9, atol=1e-12)
    assert np.array_equal(found.sensitivities[:, 1, 0], np.zeros(len(TIMES)))


# Warnings of the rate


@pytest.mark.parametrize("category", [DeprecationWarning, FutureWarning, UserWarning])
def test_a_warning_of_the_rate_stays_a_warning(category):
    def old(t, c, k):
        warnings.warn("use another rate", category, stacklevel=1)
        return -k * c

    with pytest.warns(category, match="use another rate"):
        found = solve_ivp_sensitivity(old, [1.0], [2.0], [0, 1])
    assert found.concentrations[-1, 0] == pytest.approx(np.exp(-2), rel=1e-7)


def test_a_warning_made_an_error_by_the_caller_is_that_error():
    def old(t, c, k):
        warnings.warn("use another rate", DeprecationWarning, stacklevel=1)
        return -k * c

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DeprecationWarning, match="use another rate"):
            solve_ivp_sensitivity(old, [1.0], [2.0], [0, 1])


# Absolute tolerances

MOLAR = 1.0
MILLIMOLAR = 1e3  # mmol/L in one mol/L


@cache
def second_order(unit, initial, atol, rtol=1e-7):
    """A + B → with both fed, in `unit`s per mol/L: concentrations, and sensitivities in mol/L."""

    def rate(time, concentrations, k, feed):
        consumed = k * concentrations[0] * concentrations[1]
        return [feed - consumed, 0.5 * feed - consumed]

    found = solve_ivp_sensitivity(
        rate,
        np.multiply(initial, unit),
        [2.0 / unit, 0.3 * unit],
        TIMES,
        rtol,
        np.multiply(atol, unit),
    )
    return found.concentrations / unit, found.sensitivities * [1 / unit**2, 1]


@pytest.mark.parametrize("unit", [MILLIMOLAR, 1e-6])
@pytest.mark.parametrize("initial", [(1.0, 0.5), (0.0, 0.0), (1.0, 0.0)])
@pytest.mark.parametrize("atol", [1e-9, (1e-9, 1e-7)])
def test_results_in_another_unit_are_the_same(unit, initial, atol):
    concentrations, by_constant = second_order(unit, initial, atol)
    expected = second_order(MOLAR, initial, atol)
    assert np.allclose(concentrations, expected[0], rtol=1e-11, atol=1e-13)
    assert np.allclose(by_constant, expected[1], rtol=1e-11, atol=1e-13)


def test_a_unit_that_is_a_power_of_two_changes_no_digit():
    for initial in ((1.0, 0.5), (0.0, 0.0)):
        scaled = second_order(1024.0, initial, 1e-10)
        plain = second_order(MOLAR, initial, 1e-10)
        assert np.array_equal(scaled[0], plain[0])
        assert np.array_equal(scaled[1], plain[1])


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_results_from_zero_do_not_depend_on_the_unit(unit):
    """Fed at a constant rate from zero."""

    def feeding(unit):
        return lambda t, c, k, feed: [feed * unit - k * c[0], k * c[0]]

    parameters, times = [2.0, 0.7], np.linspace(0, 3, 7)
    plain = solve_ivp_sensitivity(feeding(1.0), [0, 0], parameters, times, atol=[1e-9, 1e-8])
    atol = np.array([1e-9, 1e-8]) * unit
    scaled = solve_ivp_sensitivity(feeding(unit), [0, 0], parameters, times, atol=atol)
    assert np.allclose(scaled.concentrations / unit, plain.concentrations, rtol=1e-12, atol=0)
    assert np.allclose(scaled.sensitivities / unit, plain.sensitivities, rtol=1e-12, atol=1e-15)


def test_small_atol_keeps_the_digits_of_a_trace():
    """B is never more than 1e-20 of A: with the default atol its course is not integrated."""

    def rate(time, concentrations, k):
        a, b = concentrations
        return [-a, 1e-20 * a - k * b**2 * 1e20]

    found = solve_ivp_sensitivity(rate, [1.0, 0.0], [2.0], TIMES[::10], atol=[1e-13, 1e-33])
    exact = solve_ivp(
        lambda t, c: rate(t, [c[0], c[1] * 1e-20], 2.0) * np.array([1.0, 1e20]),
        (0, TIMES[-1]),
        [1.0, 0.0],
        "Radau",
        TIMES[::10],
        rtol=1e-12,
        atol=1e-14,
    )
    assert np.allclose(found.concentrations[:, 1] * 1e20, exact.y[1], rtol=1e-9, atol=0)


@pytest.mark.parametrize(
    ("atol", "advice"),
    [
        (0, "atol is 0; give a positive number, or one per species"),
        (-1e-9, "atol is -1e-09; give a positive number"),
        ([1e-9], "give a positive number, or one per species"),
        ([1e-9] * 3, "give a positive number, or one per species"),
        ([1e-9, 0], "give a positive number, or one per species"),
        ([[1e-9, 1e-9]], "atol: shape"),
        (np.nan, "atol: contains nan"),
        (np.inf, "atol: contains inf"),
    ],
)
def test_atol_without_meaning_is_refused(atol, advice):
    with pytest.raises(ValueError, match=advice.replace("(", r"\(")):
        solve_ivp_sensitivity(reversible, [1, 0], [3, 3], TIMES, atol=atol)


@pytest.mark.parametrize("atol", ["1e-9", None, 1e-9j])
def test_atol_that_is_no_number_is_a_type_error(atol):
    with pytest.raises(TypeError, match=r"atol: contains .*; give real numbers"):
        solve_ivp_sensitivity(reversible, [1, 0], [3, 3], TIMES, atol=atol)


@pytest.mark.parametrize("rtol", [0, -1e-9, 1.0, np.nan])
def test_rtol_without_meaning_is_refused(rtol):
    with pytest.raises(ValueError, match="rtol"):
        solve_ivp_sensitivity(reversible, [1, 0], [3, 3], TIMES, rtol)


# Other people's problems


def solve(problem, times):
    return solve_ivp_sensitivity(
        problem.rate, problem.initial, problem.parameters, times, problem.rtol, problem.atol
    )


@cache
def solved(name):
    """The problem of that name at its own times; the tests share the result."""
    return solve(PROBLEMS[name], PROBLEMS[name].times)


def complex_step(rate, initial, parameters, direction, times, rtol, atol):
    """The derivative of the concentrations along `direction` of the parameters, by LSODA.

    LSODA integrates the sensitivity equation ds/dt = ∂rate/∂c s + ∂rate/∂p direction beside the
    rate equations. The complex step gives its right-hand side to rounding, without autograd.
    """
    step = 1e-30
    moved = (parameters + 1j * step * direction).tolist()
    n_species = len(initial)

    def extended(time, state):
        concentrations = state[:n_species] + 1j * step * state[n_species:]
        rates = rate(time, concentrations.tolist(), *moved)  # on Python's numbers it is fastest
        return [value.real for value in rates] + [value.imag / step for value in rates]

    start = np.append(initial, np.zeros(n_species))
    atol = np.tile(np.broadcast_to(atol, n_species), 2)
    ends = times[[0, -1]]
    solution = solve_ivp(extended, ends, start, "LSODA", times, rtol=rtol, atol=atol)
    return solution.y[n_species:].T


@pytest.mark.parametrize("name", [name for name, it in PROBLEMS.items() if len(it.published)])
def test_concentrations_are_the_published_ones(name):
    problem = PROBLEMS[name]
    found = solved(name).concentrations[np.isin(problem.times, problem.published_times)]
    assert np.allclose(found, problem.published, rtol=problem.agreement, atol=problem.atol)


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("Brusselator", 1e-5),
        ("HIRES", 1e-5),
        ("Oregonator", 1e-5),
        ("E5 to 1e5 s", 1e-5),
        ("van der Pol, μ = 1000", 1e-3),  # LSODA's own error is 1e-4
    ],
)
def test_sensitivities_match_complex_steps(name, tolerance):
    problem = PROBLEMS[name]
    given = problem.rate, problem.initial, problem.parameters
    expected = [
        complex_step(*given, direction, problem.times, 1e-10, 0.1 * problem.atol)
        for direction in np.diag(problem.parameters)
    ]
    found = solved(name).sensitivities * problem.parameters
    assert_close_to_its_largest(found, np.stack(expected, axis=-1), tolerance)


@pytest.mark.parametrize(
    "name", ["chain, 10 species", "chain, 30 species", "stiff chain, 30 species"]
)
def test_chains_agree_with_the_matrix_exponential(name):
    problem = PROBLEMS[name]
    found = solved(name)
    error = np.abs(found.sensitivities - exact_sensitivities(problem)) * problem.parameters
    assert np.max(error) < 1e-8
    assert np.allclose(np.sum(found.sensitivities, axis=1) * problem.parameters, 0, atol=1e-11)


@pytest.mark.parametrize("name", ["HIRES", "Oregonator", "E5 to 1e5 s", "chain, 30 species"])
def test_more_times_change_no_sensitivity(name):
    """A thousand times do not all become steps of the formula."""
    problem = PROBLEMS[name]
    few = solved(name)
    many = np.union1d(problem.times, np.linspace(problem.times[0], problem.times[-1], 1000))
    again = solve(problem, many).sensitivities[np.isin(many, problem.times)]
    zero = 1e-8 * np.max(few.concentrations, axis=0)[:, np.newaxis] / problem.parameters
    largest = np.max(np.abs(few.sensitivities), axis=0) + zero
    assert np.all(np.abs(again - few.sensitivities) <= 1e-5 * largest)


# Initial concentrations


def test_initial_sensitivities_are_left_out_unless_asked_for():
    assert solve_ivp_sensitivity(reversible, [1, 0], [3, 2], TIMES).initial_sensitivities is None


def test_initial_sensitivities_of_a_linear_reaction_are_exact():
    """They are the matrix exponential, and conserve matter in every column."""
    found = solve_ivp_sensitivity(reversible, [1, 0], [3, 2], TIMES, to_initial=True)
    matrix = np.array([[-3.0, 2.0], [3.0, -2.0]])
    exact = [expm(time * matrix) for time in TIMES]
    assert np.allclose(found.initial_sensitivities, exact, rtol=0, atol=1e-8)
    assert np.allclose(np.sum(found.initial_sensitivities, axis=1), 1, rtol=0, atol=1e-12)
    plain = solve_ivp_sensitivity(reversible, [1, 0], [3, 2], TIMES)
    assert np.allclose(found.sensitivities, plain.sensitivities, rtol=0, atol=1e-12)


def test_initial_sensitivities_of_a_nonlinear_reaction_are_exact():
    """dc/dt = -k c² from c0: c = c0 / (1 + k t c0), ∂c/∂c0 = (c/c0)²."""
    found = solve_ivp_sensitivity(lambda t, c, k: -k * c**2, [3.0], [2.0], TIMES, to_initial=True)
    exact = (1 + 6 * TIMES) ** -2.0
    assert np.allclose(found.initial_sensitivities[:, 0, 0], exact, rtol=0, atol=1e-8)


# Rates that are not smooth, or grow


@pytest.mark.parametrize(
    "rate",
    [
        lambda t, c, k, q: np.where(c > 0.5, -k * c, -q * c),
        lambda t, c, k, q: [-(k if c[0] > 0.5 else q) * c[0]],
    ],
)
def test_a_rate_that_jumps_at_a_concentration_is_refused(rate):
    with pytest.raises(RuntimeError, match=r"jumps with the concentrations at time 0\.693"):
        solve_ivp_sensitivity(rate, [1.0], [1.0, 0.3], np.linspace(0, 5, 11))


def test_a_rate_with_a_kink_is_right():
    """dc/dt = -k c above 1/2, and -k/2 below: c falls linearly from ln(2)/k on."""
    times = np.linspace(0, 1.5, 16)
    found = solve_ivp_sensitivity(lambda t, c, k: -k * np.maximum(c, 0.5), [1.0], [0.9], times)
    late = times > np.log(2) / 0.9
    exact = np.where(late, 0.5 - 0.45 * times + 0.5 * np.log(2), np.exp(-0.9 * times))
    by_k = np.where(late, -0.5 * times, -times * np.exp(-0.9 * times))
    assert np.allclose(found.concentrations[:, 0], exact, rtol=0, atol=1e-7)
    assert np.all(np.abs(found.sensitivities[:, 0, 0] - by_k) < 1e-5)


@pytest.mark.parametrize(
    "rate",
    [
        lambda t, c, k, dose: [np.where(t < 1, dose, 0.0) - k * c[0]],
        lambda t, c, k, dose: [(dose if t < 1 else 0.0) - k * c[0]],
    ],
)
def test_a_rate_that_jumps_at_a_time_is_right(rate):
    times = np.linspace(0, 3, 13)
    found = solve_ivp_sensitivity(rate, [0.0], [2.0, 0.7], times)
    by_dose = (np.exp(-2 * np.maximum(times - 1, 0)) - np.exp(-2 * times)) / 2
    assert np.allclose(found.concentrations[:, 0], 0.7 * by_dose, rtol=0, atol=1e-6)
    assert np.allclose(found.sensitivities[:, 0, 1], by_dose, rtol=0, atol=1e-5 * by_dose.max())


def test_a_rate_with_a_square_root_has_its_closed_form():
    """dc/dt = -k sqrt(c): c = (1 - k t / 2)², until shortly before it is zero."""
    times = np.linspace(0, 1.9, 20)
    found = solve_ivp_sensitivity(
        lambda t, c, k: [np.sqrt(c[1]), -k * np.sqrt(c[1])], [0.0, 1.0], [1.0], times
    )
    assert np.allclose(found.concentrations[:, 1], (1 - times / 2) ** 2, rtol=0, atol=1e-7)
    exact = -times * (1 - times / 2)
    assert np.allclose(found.sensitivities[:, 1, 0], exact, rtol=0, atol=1e-6)


def test_a_chaotic_rate_is_refused():
    def lorenz(time, state, sigma, rho, beta):
        x, y, z = state
        return [sigma * (y - x), x * (rho - z) - y, x * y - beta * z]

    with pytest.raises(RuntimeError, match="of the largest value, because small ones grow"):
        solve_ivp_sensitivity(lorenz, [1, 1, 1], [10, 28, 8 / 3], np.linspace(0, 30, 31))


@pytest.mark.parametrize("name", ["Brusselator", "Oregonator", "van der Pol, μ = 1000", "HIRES"])
def test_estimated_errors_bound_the_true_ones(name):
    """The truth is the solution with an rtol that is 100 times smaller."""
    problem = PROBLEMS[name]
    found = solved(name)
    tighter = problem._replace(rtol=1e-11, atol=1e-2 * problem.atol)
    exact = solve(tighter, problem.times).sensitivities
    largest = np.max(np.abs(exact), axis=0)
    true = np.max(np.abs(found.sensitivities - exact) / largest)
    estimated = np.max(found.sensitivity_errors / largest)
    assert true <= estimated <= 1e-5


# Rates that don't take arrays, and more identities


def first_order_chain(time, concentrations, *constants):
    flux = [constant * concentrations[i] for i, constant in enumerate(constants)]
    gain = [0.0, *flux]
    return [gained - lost for gained, lost in zip(gain, [*flux, 0.0], strict=True)]


def chain_matrix(constants):
    return np.diag([*np.negative(constants), 0.0]) + np.diag(constants, -1)


def test_chain_of_six_is_the_matrix_exponential():
    """The block matrix [[A, ∂A/∂k], [0, A]] has the derivative of exp(t A) beside exp(t A)."""
    constants = np.array([3.0, 0.5, 10.0, 1.0, 2.0])
    found = solve_ivp_sensitivity(
        first_order_chain, np.eye(6)[0], constants, TIMES, to_initial=True
    )
    matrix = chain_matrix(constants)
    exact = np.array([expm(time * matrix) for time in TIMES])
    assert np.allclose(found.initial_sensitivities, exact, rtol=0, atol=1e-8)
    assert np.allclose(found.concentrations, exact[:, :, 0], rtol=0, atol=1e-8)
    for j, unit in enumerate(np.eye(5)):
        block = np.block([[matrix, chain_matrix(unit)], [np.zeros((6, 6)), matrix]])
        by_constant = [expm(time * block)[:6, 6] for time in TIMES]
        assert np.allclose(found.sensitivities[..., j], by_constant, rtol=0, atol=1e-8)
    assert np.allclose(np.sum(found.initial_sensitivities, axis=1), 1, rtol=0, atol=1e-12)


def test_initial_sensitivities_multiply_from_time_to_time():
    """∂c(2)/∂c(0) = ∂c(2)/∂c(1) ∂c(1)/∂c(0), for a nonlinear reaction too."""
    rate, start, constants = second_order_rate, [1.0, 0.3], [2.0, 0.4]
    whole = solve_ivp_sensitivity(rate, start, constants, [0, 1, 2], to_initial=True)
    middle = whole.concentrations[1]
    second = solve_ivp_sensitivity(rate, middle, constants, [1, 2], to_initial=True)
    product = second.initial_sensitivities[-1] @ whole.initial_sensitivities[1]
    assert np.allclose(product, whole.initial_sensitivities[-1], rtol=0, atol=1e-8)


def second_order_rate(time, concentrations, k, feed):
    a, b = concentrations
    return [feed - k * a * b, -k * a * b]


def test_chain_constants_act_like_a_faster_clock():
    """Σ k ∂c/∂k = t dc/dt, because every constant multiplies the whole rate of its step."""
    problem = PROBLEMS["chain, 10 species"]
    found = solved("chain, 10 species")
    pairs = zip(problem.times, found.concentrations, strict=True)
    slopes = np.array([problem.rate(*pair, *problem.parameters) for pair in pairs])
    expected = problem.times[:, np.newaxis] * slopes
    assert np.allclose(found.sensitivities @ problem.parameters, expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("rate", "twin"),
    [
        (
            lambda t, c, k, q: [-k * (c[0] - 0.25 if c[0] > 0.5 else c[0] ** 2), q * c[0] - c[1]],
            lambda t, c, k, q: [
                -k * np.where(c[0] > 0.5, c[0] - 0.25, c[0] ** 2),
                q * c[0] - c[1],
            ],
        ),
        (
            lambda t, c, k, q: np.dot(np.array([[-k, q], [k, -q]]), c),
            lambda t, c, k, q: [-k * c[0] + q * c[1], k * c[0] - q * c[1]],
        ),
        (
            lambda t, c, k, q: [-k * float(1 + t) * c[0], q * c[0]],
            lambda t, c, k, q: [-k * (1 + t) * c[0], q * c[0]],
        ),
    ],
)
def test_rate_that_takes_one_time_gives_the_same(rate, twin):
    found = solve_ivp_sensitivity(rate, [1.0, 0.2], [2.0, 0.3], TIMES[::5])
    expected = solve_ivp_sensitivity(twin, [1.0, 0.2], [2.0, 0.3], TIMES[::5])
    assert np.allclose(found.concentrations, expected.concentrations, rtol=0, atol=1e-12)
    assert np.allclose(found.sensitivities, expected.sensitivities, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_times", [2, 3, 15, 16, 40])
def test_rate_that_would_mix_the_times_is_right(n_times):
    """The sum falls linearly, so that c = c0 (1 - k t / Σ c0); some times are as many as species.

    np.sum would add the times up as well. The formula is exact for polynomials, but for rounding.
    """
    initial, times = np.array([1.0, 2.0, 3.0]), np.linspace(0, 1, n_times)
    found = solve_ivp_sensitivity(lambda t, c, k: -k * c / np.sum(c), initial, [2.0], times)
    course = times[:, np.newaxis] / np.sum(initial)
    assert np.allclose(found.concentrations, initial * (1 - 2 * course), rtol=0, atol=1e-11)
    assert np.allclose(found.sensitivities[..., 0], -initial * course, rtol=0, atol=1e-11)


def test_rate_with_a_square_root_of_zero_at_the_start_is_right():
    """dc/dt = p - q √c from 0, where ∂rate/∂c is infinite: t(c) is an integral in closed form.

    With u = √c, t = -2 (u/q + p/q² ln(1 - q u/p)). Along a fixed t, ∂c/∂p = -(∂t/∂p) dc/dt.
    """
    p, q = 1.0, 0.7
    times = np.linspace(0, 3, 13)
    found = solve_ivp_sensitivity(lambda t, c, p, q: [p - q * np.sqrt(c[0])], [0.0], [p, q], times)
    u = np.sqrt(found.concentrations[:, 0])

    def time(p, q):
        return -2 * (u / q + p / q**2 * np.log(1 - q * u / p))

    assert np.allclose(time(p, q), times, rtol=0, atol=1e-8)
    slope = p - q * u
    moves = (1e-5, 0.0), (0.0, 1e-5)
    by_constant = [
        -(time(p + dp, q + dq) - time(p - dp, q - dq)) / 2e-5 * slope for dp, dq in moves
    ]
    assert np.allclose(found.sensitivities[:, 0], np.transpose(by_constant), rtol=0, atol=1e-7)


def test_estimated_errors_bound_those_of_closed_forms():
    """Within rounding; and no estimate is more than a thousand times the default rtol."""
    constants = [3.0, 0.5, 10.0, 1.0, 2.0]
    found = solve_ivp_sensitivity(first_order_chain, np.eye(6)[0], constants, TIMES[::10])
    matrix = chain_matrix(constants)
    exact = np.array([expm(time * matrix)[:, 0] for time in TIMES[::10]])
    true = np.max(np.abs(found.concentrations - exact))
    assert true <= np.max(found.concentration_errors) + 1e-14 <= 1e-6
    decay = solve_ivp_sensitivity(lambda t, c, k: -k * c, [1.0], [2.0], TIMES[::10])
    by_k = -TIMES[::10] * np.exp(-2 * TIMES[::10])
    true = np.max(np.abs(decay.sensitivities[:, 0, 0] - by_k))
    assert true <= np.max(decay.sensitivity_errors) + 1e-14 <= 1e-6


def test_a_smaller_atol_takes_more_steps():
    """Its time course spans 20 decades, of which rtol decides only those above atol."""

    def calls(atol):
        made = []

        def rate(time, concentrations, k):
            made.append(time)
            return -k * concentrations

        solve_ivp_sensitivity(rate, [1.0], [1.0], [0, 46], atol=atol)
        return len(made)

    assert calls(1e-20) > calls(1e-10) + 100


def test_event_that_the_integrator_oversteps_is_refused():
    """The dose comes when nothing has happened for long, and LSODA's steps are longer than it."""

    def rate(time, concentrations, k, dose):
        return [np.where((time > 50) & (time < 51), dose, 0.0) - k * concentrations[0]]

    with pytest.raises(RuntimeError, match="an event before time 55 is too short"):
        solve_ivp_sensitivity(rate, [0.0], [1.0, 2.0], [0, 49.0, 55.0])


def test_rate_that_jumps_at_a_time_parameter_is_refused():
    with pytest.raises(RuntimeError, match="jumps with the parameters at time 1"):
        solve_ivp_sensitivity(
            lambda t, c, k: [np.where(t < k, 1.0, 0.0) - c[0]], [0.0], [1.0], np.linspace(0, 2, 5)
        )


def test_rate_that_holds_its_concentration_at_a_jump_ends(monkeypatch):
    """From t = 1/2 on, the solution slides along the threshold in steps as small as can be."""
    monkeypatch.setattr(ode_sensitivity, "MOST_STEPS", 5000)  # 100,000 take seconds
    with pytest.raises(RuntimeError, match=r"steps end at time 0\.5 already"):
        solve_ivp_sensitivity(
            lambda t, c, k: [k if c[0] < 0.5 else -k], [0.0], [1.0], np.linspace(0, 2, 5)
        )


def random_mechanism(seed):
    """A rate of first and second order steps, its start and constants over six decades."""
    rng = np.random.default_rng(seed)
    n_species = int(rng.integers(3, 9))
    n_steps = int(rng.integers(n_species, 2 * n_species))
    left, right = rng.integers(0, n_species, (2, n_steps, 2)).tolist()
    second_order = (rng.random(n_steps) < 0.5).tolist()
    constants = 10 ** rng.uniform(-2, 4, n_steps)

    def rate(time, concentrations, *constants):
        changes = [0.0] * n_species
        for j, constant in enumerate(constants):
            flux = constant * concentrations[left[j][0]]
            if second_order[j]:
                flux = flux * concentrations[left[j][1]]
            for i in range(1 + second_order[j]):
                changes[left[j][i]] = changes[left[j][i]] - flux
                changes[right[j][i]] = changes[right[j][i]] + flux
        return changes

    return rate, rng.uniform(0, 1, n_species), constants


@cache
def random_direction(seed):
    """A direction of the constants of that mechanism, and the derivative along it."""
    rate, initial, constants = random_mechanism(seed)
    direction = constants * np.random.default_rng(seed).normal(size=len(constants))
    return direction, complex_step(rate, initial, constants, direction, SHORT, 1e-10, 1e-14)


SHORT = np.append(0, np.geomspace(1e-4, 100, 8))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rtol", [1e-9, 1e-12])
def test_random_mechanism_agrees_with_a_complex_step(seed, rtol):
    """Along a random direction of the constants. Some steps cancel but for rounding: no jump."""
    rate, initial, constants = random_mechanism(seed)
    found = solve_ivp_sensitivity(rate, initial, constants, SHORT, rtol, 1e-4 * rtol)
    direction, expected = random_direction(seed)
    differences = np.abs(found.sensitivities @ direction - expected)
    largest = np.max(np.abs(expected), axis=0)
    assert np.all(differences <= 1e-5 * largest + 1e-6 * np.max(found.concentrations, axis=0))
