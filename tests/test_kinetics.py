"""A ⇌ B, against its rate law, an integrator and closed forms."""

import autograd.numpy as np
import pytest
from autograd import elementwise_grad, jacobian
from scipy.integrate import solve_ivp

from helpers.kinetics import concentration

TIMES = np.linspace(0, 0.5, 51)
CONSTANTS = [(3.0, 3.0, 1.0), (0.7, 2.5, 3.0), (5.0, 0.0, 1.0), (0.0, 2.0, 1.0)]


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_it_obeys_the_rate_law(forward, backward, initial):
    a = concentration(TIMES, forward, backward, initial)
    rate = elementwise_grad(concentration)(TIMES, forward, backward, initial)
    assert np.allclose(rate, backward * (initial - a) - forward * a, rtol=0, atol=1e-13)
    assert a[0] == pytest.approx(initial, rel=1e-15)


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_an_integrator_finds_the_same(forward, backward, initial):
    integrated = solve_ivp(
        lambda _, a: backward * (initial - a) - forward * a,
        (0, 0.5), [initial], t_eval=TIMES, rtol=1e-12, atol=1e-13, method="DOP853",
    )  # fmt: skip
    assert np.allclose(concentration(TIMES, forward, backward, initial), integrated.y[0], rtol=0, atol=1e-10)


def test_it_ends_at_the_equilibrium():
    assert concentration(100.0, 3.0, 1.0, 2.0) == pytest.approx(2.0 * 1 / 4, rel=1e-15)


def test_the_sensitivities_at_equal_constants_have_their_closed_forms():
    decay = np.exp(-6 * TIMES)
    forward = jacobian(concentration, 1)(TIMES, 3.0, 3.0)
    backward = jacobian(concentration, 2)(TIMES, 3.0, 3.0)
    assert np.allclose(forward, -(1 - decay) / 12 - TIMES / 2 * decay, rtol=0, atol=1e-14)
    assert np.allclose(backward, (1 - decay) / 12 - TIMES / 2 * decay, rtol=0, atol=1e-14)


def test_the_sensitivity_to_the_forward_constant_is_largest_at_a_third_of_a_second():
    sensitivity = elementwise_grad(concentration, 1)
    assert sensitivity(1 / 3, 3.0, 3.0) == pytest.approx(-0.0946112736030511, abs=1e-15)
    assert elementwise_grad(sensitivity)(1 / 3, 3.0, 3.0) == pytest.approx(0, abs=1e-14)
