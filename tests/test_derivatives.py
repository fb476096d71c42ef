"""Exact derivatives."""

import autograd.numpy as np
import pytest
from autograd import elementwise_grad
from autograd.test_util import check_grads

from helpers.derivatives import tanh

X = np.linspace(-15, 15, 61)


def test_tanh_is_numpys():
    assert np.array_equal(tanh(X), np.tanh(X))


def test_its_gradient_is_autograds_where_cosh_is_finite():
    assert np.allclose(elementwise_grad(tanh)(X), elementwise_grad(np.tanh)(X), rtol=0, atol=1e-15)


def test_its_gradient_is_the_complex_step_derivative():
    step = 1e-20
    assert np.allclose(elementwise_grad(tanh)(X), np.tanh(X + step * 1j).imag / step, rtol=1e-12, atol=1e-15)


def test_its_gradient_is_quiet_and_zero_where_cosh_overflows():
    assert np.array_equal(elementwise_grad(tanh)(np.array([-1e4, -356.0, 356.0, 1e4])), np.zeros(4))
    with pytest.warns(RuntimeWarning, match="overflow"):
        elementwise_grad(np.tanh)(np.array([1e4]))


def test_it_can_be_differentiated_again():
    second = elementwise_grad(elementwise_grad(tanh))(X)
    assert np.allclose(second, -2 * np.tanh(X) * (1 - np.tanh(X) ** 2), rtol=0, atol=1e-15)
    check_grads(tanh, modes=["rev"], order=2)(X)
