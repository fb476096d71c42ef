"""Rate equations and their sensitivities: closed forms, identities, another integrator."""

import math
import warnings
from functools import cache

import autograd.numpy as np
import numpy
import pytest
from scipy.integrate import solve_ivp

from helpers.ode_sensitivity import solve_ivp_sensitivity
from helpers.reversible_reaction import concentration, sensitivities

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


def test_a_tighter_rtol_gives_smaller_errors():
    errors = [
        np.abs(
            solve_ivp_sensitivity(reversible, [1, 0], [3, 2], TIMES, rtol, 1e-14).concentrations[
                :, 0
            ]
            - concentration(TIMES, 3, 2)
        )
        for rtol in (1e-4, 1e-11)
    ]
    assert errors[1].max() < 1e-10 < 1e-7 < errors[0].max() < 1e-3


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
    with pytest.raises(ValueError, match="the rate or its derivative is not finite") as refusal:
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


def test_atol_bounds_the_absolute_error_of_each_species():
    """Two decays that don't interact; rtol is loose, so that the bounds alone are at work."""

    def decays(time, concentrations, k):
        return -k * concentrations

    exact = np.exp(-3 * TIMES)

    def errors(atol):
        found = solve_ivp_sensitivity(decays, [1.0, 1.0], [3.0], TIMES, 1e-12, atol)
        return np.abs(found.concentrations - exact[:, np.newaxis]).max(axis=0)

    loose = errors(1e-3)
    tight = errors(1e-9)
    assert np.all(loose < 1e-2)
    assert np.all(tight < 1e-7)
    assert np.all(tight < loose / 100)


def test_atol_can_be_tighter_for_one_species():
    """A slow species with a loose bound beside a fast one whose bound decides."""

    def decays(time, concentrations, fast, slow):
        return np.array([-fast * concentrations[0], -slow * concentrations[1]])

    def error_of_slow(atol):
        found = solve_ivp_sensitivity(decays, [1e-6, 1.0], [5.0, 2.0], TIMES, 1e-12, atol)
        return np.abs(found.concentrations[:, 1] - np.exp(-2 * TIMES)).max()

    assert error_of_slow([1e-2, 1e-10]) < 1e-8 < error_of_slow([1e-2, 1e-2])


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
