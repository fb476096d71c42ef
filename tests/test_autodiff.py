"""Exact derivatives."""

from functools import partial

import autograd.numpy as np
import pytest
from autograd import deriv, elementwise_grad, jacobian
from autograd.test_util import check_grads
from scipy.optimize import curve_fit
from scipy.special import gamma

from helpers import autodiff
from helpers.autodiff import model_jacobian, tanh
from helpers.eos import murnaghan
from helpers.reversible_reaction import concentration

X = np.linspace(-15, 15, 61)


def test_tanh_is_numpys():
    assert np.array_equal(tanh(X), np.tanh(X))


def test_its_gradient_is_autograds_where_cosh_is_finite():
    assert np.allclose(elementwise_grad(tanh)(X), elementwise_grad(np.tanh)(X), rtol=0, atol=1e-15)


def test_its_gradient_is_the_complex_step_derivative():
    step = 1e-20
    assert np.allclose(
        elementwise_grad(tanh)(X), np.tanh(X + step * 1j).imag / step, rtol=1e-12, atol=1e-15
    )


def test_its_gradient_is_quiet_and_zero_where_cosh_overflows():
    assert np.array_equal(elementwise_grad(tanh)(np.array([-1e4, -356.0, 356.0, 1e4])), np.zeros(4))
    with pytest.warns(RuntimeWarning, match="overflow"):
        elementwise_grad(np.tanh)(np.array([1e4]))


def test_forward_it_has_the_same_derivative():
    x = np.linspace(-400, 400, 101)
    assert np.array_equal(deriv(tanh)(x), elementwise_grad(tanh)(x))


def test_it_can_be_differentiated_again():
    second = elementwise_grad(elementwise_grad(tanh))(X)
    assert np.allclose(second, -2 * np.tanh(X) * (1 - np.tanh(X) ** 2), rtol=0, atol=1e-15)
    check_grads(tanh, modes=["rev"], order=2)(X)


def ten_tanh(x, b1, w10, w00, b00, w11, w01, b01, w12, w02, b02):
    return (
        b1
        + w10 * np.tanh(w00 * x + b00)
        + w11 * np.tanh(w01 * x + b01)
        + w12 * np.tanh(w02 * x + b02)
    )


def two_predictors(x, a, b, c):
    return a * np.exp(-b * x[:, 0]) + np.sqrt(c) * x[:, 1] ** 2


MODELS = {
    "ten tanh": (ten_tanh, np.linspace(0, 1), np.random.default_rng(0).standard_normal(10)),
    "murnaghan": (murnaghan, np.linspace(140.0, 330.0, 28), (-400.0, 0.0037, 4.05, 212.8)),
    "kinetics": (concentration, np.linspace(0, 0.5, 51), (3.0, 2.0, 1.5)),
    "two predictors": (
        two_predictors,
        np.random.default_rng(1).uniform(1, 2, (20, 2)),
        (1.5, 0.7, 2.0),
    ),
    "line": (lambda x, a, b: a + b * x, np.linspace(-1, 1, 7), (2.0, 0.0)),
    "one input": (lambda x, a, b: a + b * x, np.array([3.0]), (2.0, 0.5)),
}
each_model = pytest.mark.parametrize(("model", "inputs", "parameters"), MODELS.values(), ids=MODELS)


@each_model
def test_the_jacobian_is_autograds(model, inputs, parameters):
    by_autograd = jacobian(lambda parameters: model(inputs, *parameters))(np.array(parameters))
    assert np.allclose(
        model_jacobian(model)(inputs, *parameters), by_autograd, rtol=1e-14, atol=1e-15
    )


@each_model
def test_the_jacobian_is_the_complex_step_derivative(model, inputs, parameters):
    step = 1e-30
    columns = []
    for moved in range(len(parameters)):
        complexed = [p + 1j * step * (i == moved) for i, p in enumerate(parameters)]
        columns.append(model(inputs, *complexed).imag / step * np.ones(len(inputs)))
    exact = np.array(columns).T
    assert np.all(
        np.abs(model_jacobian(model)(inputs, *parameters) - exact)
        <= 1e-12 * np.abs(exact).max(axis=0)
    )


def test_the_jacobian_of_a_polynomial_is_its_powers():
    jac = model_jacobian(lambda x, a, b, c: a + b * x + c * x**2)
    assert np.array_equal(jac(X, 1.0, 2.0, 3.0), np.stack([X**0, X, X**2], axis=1))


def test_integers_are_numbers():
    assert np.array_equal(
        model_jacobian(lambda x, a: x**a)(np.arange(1, 4), 2),
        np.log([[1], [2], [3]]) * [[1], [4], [9]],
    )


def test_a_parameter_without_effect_has_a_column_of_zeros():
    jac = model_jacobian(lambda x, a, b: a * x)(X, 1.0, 2.0)
    assert np.array_equal(jac, np.stack([X, 0 * X], axis=1))
    assert np.all(model_jacobian(lambda x, a: a)(X, 1.0) == 1)


def test_blocks_are_one_jacobian(monkeypatch):
    whole = model_jacobian(ten_tanh)(X, *MODELS["ten tanh"][2])
    monkeypatch.setattr(autodiff, "BLOCK", 7)
    assert np.array_equal(model_jacobian(ten_tanh)(X, *MODELS["ten tanh"][2]), whole)


def test_no_inputs_have_a_jacobian_without_rows():
    assert model_jacobian(murnaghan)([], 1.0, 2.0, 3.0, 4.0).shape == (0, 4)


def test_curve_fit_takes_it_as_it_is():
    volumes, truth = MODELS["murnaghan"][1:]
    energies = murnaghan(volumes, *truth)
    found, _ = curve_fit(
        murnaghan, volumes, energies, (-399, 0.005, 5, 200), jac=model_jacobian(murnaghan)
    )
    assert np.allclose(found, truth, rtol=1e-9)


@pytest.mark.parametrize(
    "model",
    [
        lambda x, a: a * x - np.mean(a * x),
        lambda x, a: np.cumsum(a * x),
        lambda x, a: a * x[::-1],
        lambda x, a: a * x[0] + x,
        lambda x, a: a * np.sort(-x),
    ],
)
@pytest.mark.parametrize("inputs", [[1.0, 2.0], [1.0, 2.5, 7.0], np.linspace(1, 9, 50) ** 2])
def test_a_model_that_is_not_pointwise_is_refused(model, inputs):
    with pytest.raises(
        ValueError,
        match="<lambda> is not pointwise: what it returns for one input depends on the others",
    ):
        model_jacobian(model)(inputs, 2.0)


@pytest.mark.parametrize(
    "model", [lambda x, a: gamma(a) * x, lambda x, a: x * float(a), lambda x, a: x if a > 0 else -x]
)
def test_a_model_that_can_t_be_differentiated_is_refused(model):
    with pytest.raises(
        ValueError,
        match=r"can't be differentiated point by point: .*; write it with autograd\.numpy",
    ):
        model_jacobian(model)(X, 2.0)


def test_a_model_that_does_not_return_one_output_per_input_is_refused():
    with pytest.raises(ValueError, match=r"returns shape \(2, 61\); give one output per input: 61"):
        model_jacobian(lambda x, a: np.array([a * x, a * x]))(X, 2.0)
    with pytest.raises(ValueError, match="parameters that are single numbers"):
        model_jacobian(lambda x, a: a * x)(X, [1.0, 2.0])


def test_a_models_own_error_is_not_hidden():
    with pytest.raises(KeyError, match="mine"):
        model_jacobian(lambda x, a: {}["mine"])(X, 1.0)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        model_jacobian(lambda x, a, b: a * x)(X, 1.0)


def test_a_model_that_no_parameter_moves_has_a_jacobian_of_zeros():
    assert np.array_equal(
        model_jacobian(lambda x, a, b: np.sin(x))(X, 1.0, 2.0), np.zeros((len(X), 2))
    )


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_a_model_that_is_not_pointwise_is_refused_whatever_its_size(size):
    with pytest.raises(ValueError, match="the model is not pointwise"):
        model_jacobian(partial(lambda size, x, a: size * np.cumsum(a * x), size))(X, 1.0)


def test_it_takes_one_pass_and_one_look_at_the_ends():
    lengths = []

    def line(x, a, b):
        lengths.append(len(x))
        return a + b * x

    model_jacobian(line)(np.linspace(0, 1, 30), 1.0, 2.0)
    assert lengths == [30, 3]


def test_integers_to_a_negative_power_are_numbers():
    assert model_jacobian(lambda x, a: a * x**-2)([1, 2], 2).tolist() == [[1], [0.25]]
    assert model_jacobian(lambda x, a: x * a**-2)([1, 2], 2).tolist() == [[-0.25], [-0.5]]


def test_a_single_number_is_no_list_of_inputs():
    with pytest.raises(ValueError, match="give inputs with at least one axis"):
        model_jacobian(lambda x, a: a * x)(1.0, 2.0)


def test_the_model_is_named_where_it_is_refused():
    def as_a_column(x, a):
        return (a * x)[:, np.newaxis]

    def taken_apart(x, a):
        return a.item() * x

    with pytest.raises(
        ValueError, match=r"as_a_column returns shape \(61, 1\); give one output per input: 61"
    ):
        model_jacobian(as_a_column)(X, 1.0)
    with pytest.raises(
        ValueError, match=r"taken_apart can't be differentiated point by point: .*item"
    ):
        model_jacobian(taken_apart)(X, 1.0)
