"""Rate equations and their sensitivities, against closed forms, identities and a peer."""

import math
import warnings

import autograd.numpy as np
import numpy
import pytest
from scipy.integrate import solve_ivp

from helpers.ode_sensitivity import solve_ivp_sensitivity
from helpers.reversible_reaction import concentration, sensitivities

TIMES = np.linspace(0, 0.5, 51)
LOG_TIMES = np.concatenate([[0], np.logspace(-4, 5, 46)])
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
def test_the_reversible_reaction_is_its_closed_form(forward, backward, initial):
    found = solve_ivp_sensitivity(reversible, [initial, 0], [forward, backward], TIMES)
    exact = sensitivities(TIMES, forward, backward, initial)
    assert np.allclose(
        found.concentrations[:, 0],
        concentration(TIMES, forward, backward, initial),
        rtol=0,
        atol=1e-8,
    )
    assert np.allclose(found.sensitivities, np.stack([exact, -exact], axis=1), rtol=0, atol=1e-8)


def test_a_rate_that_depends_on_the_time_has_its_closed_form():
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


def test_robertsons_mass_is_conserved(stiff):
    assert np.allclose(stiff.concentrations.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert np.allclose(stiff.sensitivities.sum(axis=1) * CONSTANTS, 0, rtol=0, atol=1e-12)


def test_faster_constants_are_a_faster_clock(stiff):
    """Σ k ∂C/∂k = t dC/dt, although the constants span nine decades."""
    rate = CONSTANTS[1] * stiff.concentrations[:, 1] ** 2
    assert np.allclose(stiff.sensitivities[:, 2] @ CONSTANTS, LOG_TIMES * rate, rtol=0, atol=2e-8)


def test_robertsons_concentrations_are_those_of_the_literature(stiff):
    """At t = 40 and 400: what the SUNDIALS example cvRoberts_dns prints."""
    found = solve_ivp_sensitivity(robertson, [1, 0, 0], CONSTANTS, [0, 40, 400]).concentrations[1:]
    printed = [[7.158e-01, 9.185e-06, 2.842e-01], [4.505e-01, 3.223e-06, 5.495e-01]]
    assert np.allclose(found, printed, rtol=2e-4)


def test_robertsons_sensitivities_are_the_finite_differences_of_another_integrator(stiff):
    def logarithms(constants):
        slopes = lambda t, c: robertson(t, c, *constants)  # noqa: E731
        tight = {"method": "Radau", "rtol": 1e-11, "atol": 1e-17, "t_eval": LOG_TIMES}
        return np.log(solve_ivp(slopes, (0, 1e5), [1, 0, 0], **tight).y.T[1:])

    step = 2e-3  # of ln k
    found = stiff.sensitivities[1:] * CONSTANTS / stiff.concentrations[1:, :, np.newaxis]
    for which in range(3):
        up, down = (
            logarithms(CONSTANTS * np.exp(sign * step * np.eye(3)[which])) for sign in (1, -1)
        )
        assert np.allclose(found[:, :, which], (up - down) / (2 * step), rtol=0, atol=2e-5)


def test_a_tighter_tolerance_is_obeyed():
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


def test_a_parameter_without_effect_and_one_of_zero_have_their_sensitivities():
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
def test_a_failure_says_what_to_try(rate):
    with pytest.raises(
        RuntimeError,
        match=r"the integration failed: .*; check the rate and its parameters, end earlier",
    ):
        solve_ivp_sensitivity(rate, [1], [1], [0, 5])


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
def test_what_makes_no_sense_is_refused(arguments, advice):
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
        (
            lambda t, c, k: -k * np.sqrt(c - 1),
            "the rate or its derivative is not finite",
        ),
    ],
)
def test_a_rate_that_can_t_be_used_is_refused(rate, advice):
    with pytest.raises(ValueError, match=advice):
        solve_ivp_sensitivity(rate, [1], [1], [0, 1])


def test_a_rates_own_error_is_not_hidden():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        solve_ivp_sensitivity(reversible, [1, 0], [3], TIMES)


def test_the_callers_warnings_are_left_as_they_are():
    before = list(warnings.filters)
    solve_ivp_sensitivity(lambda t, c, k: -k * c, [1.0], [2.0], [0, 1])
    assert warnings.filters == before


def test_callers_deprecation_stays_a_warning():
    def old(t, c, k):
        warnings.warn("use another rate", DeprecationWarning, stacklevel=1)
        return -k * c

    with pytest.warns(DeprecationWarning, match="use another rate"):
        found = solve_ivp_sensitivity(old, [1.0], [2.0], [0, 1])
    assert found.concentrations[-1, 0] == pytest.approx(np.exp(-2), rel=1e-7)


def test_constant_rate_has_sensitivities_of_zero():
    found = solve_ivp_sensitivity(lambda t, c, k: [-1.0], [1.0], [2.0], [0, 0.5])
    assert found.concentrations[:, 0] == pytest.approx([1.0, 0.5], rel=1e-9)
    assert np.array_equal(found.sensitivities, np.zeros((2, 1, 1)))


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_tolerances_are_in_the_unit_of_the_concentrations(unit):
    """Fed at a constant rate from zero, in two units: the same numbers."""

    def feeding(unit):
        return lambda t, c, k, feed: [feed * unit - k * c[0], k * c[0]]

    parameters, times = [2.0, 0.7], np.linspace(0, 3, 7)
    plain = solve_ivp_sensitivity(feeding(1.0), [0, 0], parameters, times, atol=[1e-9, 1e-8])
    atol = np.array([1e-9, 1e-8]) * unit
    scaled = solve_ivp_sensitivity(feeding(unit), [0, 0], parameters, times, atol=atol)
    assert np.allclose(scaled.concentrations / unit, plain.concentrations, rtol=1e-12, atol=0)
    assert np.allclose(scaled.sensitivities / unit, plain.sensitivities, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("atol", [0, -1e-9, [1e-9], np.nan])
def test_tolerance_that_makes_no_sense_is_refused(atol):
    with pytest.raises(ValueError, match="atol"):
        solve_ivp_sensitivity(reversible, [1, 0], [3, 3], TIMES, atol=atol)


def test_text_among_the_parameters_is_a_type_error():
    with pytest.raises(TypeError, match="parameters: contains text; give real numbers"):
        solve_ivp_sensitivity(reversible, [1, 0], [3, "x"], TIMES)


def test_a_rate_that_takes_its_constant_apart_is_refused():
    with pytest.raises(ValueError, match="the rate can't be differentiated"):
        solve_ivp_sensitivity(lambda t, c, k: -k.item() * c, [1.0], [2.0], [0, 1])
