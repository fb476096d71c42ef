"""Exact derivatives, against closed forms, the complex step, 40 digits and autograd itself."""

import math
from functools import partial

import autograd.numpy as np
import mpmath
import pytest
from autograd import deriv, elementwise_grad, jacobian
from autograd.test_util import check_grads
from scipy.optimize import curve_fit
from scipy.special import gamma

from helpers.autodiff import model_jacobian, parameter_names, tanh
from helpers.eos import murnaghan

X = np.linspace(-15, 15, 61)
POSITIVE = np.linspace(0.1, 4, 30)
FROM_ZERO = np.linspace(0, 3, 13)
WIDE = np.concatenate([np.linspace(-700, 700, 1401), np.linspace(-30, 30, 241)])
SMALLEST_NORMAL = np.finfo(float).tiny


# tanh


def sech_squared(x):
    """The derivative of tanh, rounded from 40 digits."""
    with mpmath.workdps(40):
        return np.array([float(mpmath.sech(mpmath.mpf(v)) ** 2) for v in x])


def test_tanh_has_numpys_values():
    assert np.array_equal(tanh(X), np.tanh(X))
    assert np.array_equal(tanh(WIDE), np.tanh(WIDE))


@pytest.mark.parametrize("derivative", [elementwise_grad, deriv], ids=["reverse", "forward"])
def test_tanh_derivative_is_right_to_a_few_ulp(derivative):
    exact = sech_squared(WIDE)
    error = np.abs(derivative(tanh)(WIDE) - exact)
    assert np.all(error <= 3 * np.spacing(np.maximum(exact, SMALLEST_NORMAL)))


@pytest.mark.parametrize("x", [15.0, 19.0, 19.1, 50.0, 300.0])
def test_tanh_derivative_keeps_its_digits_in_saturation(x):
    assert elementwise_grad(tanh)(x) == pytest.approx(sech_squared([x])[0], rel=1e-15, abs=0)
    assert elementwise_grad(tanh)(-x) == elementwise_grad(tanh)(x) > 0


def test_tanh_gradient_agrees_with_autograds_own():
    assert np.allclose(elementwise_grad(tanh)(X), elementwise_grad(np.tanh)(X), rtol=0, atol=1e-15)


def test_tanh_gradient_is_the_complex_step_derivative():
    step = 1e-20
    exact = np.tanh(X + step * 1j).imag / step
    assert np.allclose(elementwise_grad(tanh)(X), exact, rtol=1e-12, atol=1e-15)


def test_tanh_gradient_vanishes_quietly_where_cosh_overflows():
    far = np.array([-1e300, -1e4, -400.0, 400.0, 1e4, 1e300])
    assert np.array_equal(elementwise_grad(tanh)(far), np.zeros(6))
    with pytest.warns(RuntimeWarning, match="overflow"):
        elementwise_grad(np.tanh)(far)


def test_tanh_forward_and_reverse_derivatives_are_equal():
    assert np.array_equal(deriv(tanh)(WIDE), elementwise_grad(tanh)(WIDE))


@pytest.mark.parametrize("derivative", [elementwise_grad, deriv], ids=["reverse", "forward"])
def test_tanh_second_derivative_is_right(derivative):
    second = derivative(derivative(tanh))(WIDE)
    exact = -2 * np.tanh(WIDE) * sech_squared(WIDE)
    assert np.allclose(second, exact, rtol=0, atol=1e-15)
    away = np.abs(WIDE) >= 1  # where it has no root
    limit = 1e-14 * np.abs(exact) + 10 * np.spacing(0.0)
    assert np.all((np.abs(second - exact) <= limit)[away])


def test_tanh_derivatives_pass_autograds_own_check():
    check_grads(tanh, modes=["rev", "fwd"], order=2)(X)


# Pointwise models


def ten_tanh(x, b1, w10, w00, b00, w11, w01, b01, w12, w02, b02):
    return (
        b1
        + w10 * np.tanh(w00 * x + b00)
        + w11 * np.tanh(w01 * x + b01)
        + w12 * np.tanh(w02 * x + b02)
    )


def two_predictors(x, a, b, c):
    return a * np.exp(-b * x[:, 0]) + np.sqrt(c) * x[:, 1] ** 2


def kinetics(time, k_forward, k_backward, initial):
    total = k_forward + k_backward
    return initial / total * (k_forward * np.exp(-total * time) + k_backward)


def resonance(w, height, time):
    return height * np.real(1 / (1 + 1j * w * time))


POINTWISE = {
    "ten tanh": (ten_tanh, np.linspace(0, 1), np.random.default_rng(0).standard_normal(10)),
    "murnaghan": (murnaghan, np.linspace(140.0, 330.0, 28), (-400.0, 0.0037, 4.05, 212.8)),
    "kinetics": (kinetics, np.linspace(0, 0.5, 51), (3.0, 2.0, 1.5)),
    "two predictors": (
        two_predictors,
        np.random.default_rng(1).uniform(1, 2, (20, 2)),
        (1.5, 0.7, 2.0),
    ),
    "line": (lambda x, a, b: a + b * x, np.linspace(-1, 1, 7), (2.0, 0.0)),
    "one input": (lambda x, a, b: a + b * x, np.array([3.0]), (2.0, 0.5)),
}


# Models whose outputs depend on each other


def peak_over_maximum(x, affinity, exponent):
    power = (affinity * x) ** exponent
    response = power / (1 + power)
    return response / response[np.argmax(np.real(response))]


def decay_over_first(x, rate, background):
    signal = np.exp(-rate * x) + background
    return signal / signal[0]


def growth_over_last(x, rate, offset):
    signal = offset - np.exp(-rate * x)
    return signal / signal[-1]


def without_mean(x, a, b):
    return a * x**b - np.mean(a * x**b)


def design_product(design, *parameters):
    return np.dot(design, np.array(parameters))


MIXED = np.random.default_rng(3).permutation(POSITIVE)
DESIGN = np.random.default_rng(4).standard_normal((30, 3))
COUPLED = {
    "over maximum": (peak_over_maximum, POSITIVE, (1.0, 2.0)),
    "over maximum, unsorted": (peak_over_maximum, MIXED, (1.0, 2.0)),
    "over first": (decay_over_first, POSITIVE, (1.0, 0.2)),
    "over first, unsorted": (decay_over_first, MIXED, (1.0, 0.2)),
    "over last": (growth_over_last, POSITIVE, (1.0, 2.0)),
    "cumulative sum": (lambda x, a, b: np.cumsum(a * x**b), POSITIVE, (1.3, 1.5)),
    "mean subtracted": (without_mean, POSITIVE, (1.3, 1.5)),
    "reversed": (lambda x, a, b: a * x[::-1] ** 2 + b, POSITIVE, (1.3, 1.5)),
    "neighbours": (lambda x, a, b: a * x + b * np.roll(np.exp(a * x), 1), POSITIVE, (0.3, 1.5)),
    "two inputs": (lambda x, a, b: a * x**b / np.sum(a**2 * x**b), np.array([1.0, 2.5]), (2.0, 1)),
    "design matrix": (design_product, DESIGN, (1.5, -0.7, 2.0)),
    "closure over a design matrix": (
        lambda x, *parameters: np.dot(DESIGN, np.array(parameters)),
        POSITIVE,
        (1.5, -0.7, 2.0),
    ),
}
ALL = POINTWISE | COUPLED
each_model = pytest.mark.parametrize(("model", "inputs", "parameters"), ALL.values(), ids=ALL)


@each_model
def test_model_jacobian_agrees_with_autograds(model, inputs, parameters):
    by_autograd = jacobian(lambda p: model(inputs, *p))(np.array(parameters, dtype=float))
    found = model_jacobian(model)(inputs, *parameters)
    assert found.shape == (len(inputs), len(parameters))
    assert np.allclose(found, by_autograd, rtol=1e-14, atol=1e-15)


def complex_step(model, inputs, parameters):
    """Derivatives as the imaginary parts of the model at complex parameters."""
    step = 1e-30
    columns = []
    for moved in range(len(parameters)):
        complexed = [p + 1j * step * (i == moved) for i, p in enumerate(parameters)]
        columns.append(model(inputs, *complexed).imag / step * np.ones(len(inputs)))
    return np.array(columns).T


@each_model
def test_model_jacobian_is_the_complex_step_derivative(model, inputs, parameters):
    exact = complex_step(model, inputs, parameters)
    found = model_jacobian(model)(inputs, *parameters)
    assert np.all(np.abs(found - exact) <= 1e-12 * np.abs(exact).max(axis=0))


def test_model_jacobian_with_numpys_own_maximum():
    """The response grows with x, so that its maximum is its last value."""

    def over_maximum(x, affinity, exponent):
        power = (affinity * x) ** exponent
        return power / (1 + power) / np.max(power / (1 + power))

    exact = complex_step(peak_over_maximum, POSITIVE, (1.0, 2.0))
    found = model_jacobian(over_maximum)(POSITIVE, 1.0, 2.0)
    assert np.allclose(found, exact, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("strength", [1.0, 1e-3, 1e-6, -1e-7])
@pytest.mark.parametrize("special", range(5))
def test_model_jacobian_with_one_input_that_moves_all(special, strength):
    x = np.array([1.0, 2.0, 3.5, 7.0, 11.0])

    def model(x, a):
        line = a * x
        return line + strength * line[special]

    found = model_jacobian(model)(x, 2.0)
    assert np.allclose(found[:, 0], x + strength * x[special], rtol=1e-14, atol=0)


@pytest.mark.parametrize("special", [0, 7, 60])
def test_model_jacobian_with_one_output_less_another(special):
    """A blank that is subtracted from a single one of the outputs, from each in turn.

    There are 64 outputs, because couplings are told apart by powers of two, which may round each
    other away where their exponents differ by more than the 53 bits of a float.
    """
    x = np.linspace(1, 2, 64)
    for corrected in range(64):
        blank = 0.5 * (np.arange(64) == corrected)

        def model(x, a, blank=blank):
            line = a * x
            return line - blank * line[special]

        found = model_jacobian(model)(x, 2.0)
        assert np.allclose(found[:, 0], x - blank * x[special], rtol=1e-14, atol=0)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_model_jacobian_of_a_sum_in_any_unit(size):
    jac = model_jacobian(lambda x, a: size * np.cumsum(a * x))
    assert np.allclose(jac(X, 1.0)[:, 0], size * np.cumsum(X), rtol=1e-13, atol=1e-13 * size)


def test_model_jacobian_of_a_power_law_less_its_first_value():
    """Twelve decades: the first value matters to the smallest outputs, and to no others."""
    x = np.logspace(-6, 6, 25)

    def model(x, a, b):
        curve = a * x**b
        return curve - curve[0]

    logs = x * np.log(x)
    exact = np.stack([x - x[0], logs - logs[0]], axis=1)
    assert np.allclose(model_jacobian(model)(x, 1.0, 1.0), exact, rtol=1e-12, atol=0)


def test_model_jacobian_of_a_model_that_returns_a_list():
    jac = model_jacobian(lambda x, a, b: [a * value + b for value in x])
    assert np.array_equal(jac(POSITIVE, 2.0, 1.0), np.stack([POSITIVE, 1 + 0 * POSITIVE], axis=1))


def test_model_jacobian_of_a_model_built_value_by_value():
    jac = model_jacobian(lambda x, a, b: np.array([a * value + b for value in x]))
    assert np.array_equal(jac(POSITIVE, 2.0, 1.0), np.stack([POSITIVE, 1 + 0 * POSITIVE], axis=1))


def test_model_jacobian_of_a_polynomial_holds_its_powers():
    jac = model_jacobian(lambda x, a, b, c: a + b * x + c * x**2)
    assert np.array_equal(jac(X, 1.0, 2.0, 3.0), np.stack([X**0, X, X**2], axis=1))


def test_model_jacobian_through_complex_numbers():
    w = np.logspace(-2, 2, 20)
    lorentzian = 1 / (1 + (0.7 * w) ** 2)
    exact = np.stack([lorentzian, -2 * 2.0 * 0.7 * w**2 * lorentzian**2], axis=1)
    assert np.allclose(model_jacobian(resonance)(w, 2.0, 0.7), exact, rtol=1e-13, atol=0)


def test_model_jacobian_of_a_phase_that_wraps_around():
    assert np.array_equal(
        model_jacobian(lambda x, a: np.mod(a * x, 1))(POSITIVE, 1.3)[:, 0], POSITIVE
    )


def test_model_jacobian_takes_integers():
    found = model_jacobian(lambda x, a: x**a)(np.arange(1, 4), 2)
    assert np.array_equal(found, np.log([[1], [2], [3]]) * [[1], [4], [9]])
    assert model_jacobian(lambda x, a: a * x**-2)([1, 2], 2).tolist() == [[1], [0.25]]
    assert model_jacobian(lambda x, a: x * a**-2)([1, 2], 2).tolist() == [[-0.25], [-0.5]]


def test_model_jacobian_of_a_constant():
    assert np.all(model_jacobian(lambda x, a: a)(X, 1.0) == 1)
    assert np.array_equal(model_jacobian(lambda x, a, b: a * b)(X, 3.0, 2.0), [[2, 3]] * len(X))


@pytest.mark.parametrize(
    "model", [lambda x, a, b: 3.0, lambda x, a, b: np.sin(x), lambda x, a, b: np.cumsum(x)]
)
def test_model_jacobian_is_zero_where_no_parameter_matters(model):
    assert np.array_equal(model_jacobian(model)(X, 1.0, 2.0), np.zeros((len(X), 2)))


def test_a_parameter_without_effect_has_a_column_of_zeros():
    jac = model_jacobian(lambda x, a, b: a * x)(X, 1.0, 2.0)
    assert np.array_equal(jac, np.stack([X, 0 * X], axis=1))


def test_model_jacobian_of_a_piecewise_model():
    def threshold(x, slope, start):
        return np.where(x > start, slope * (x - start) ** 2, 0.0)

    above = np.maximum(POSITIVE - 2.05, 0)
    exact = np.stack([above**2, -2 * 1.5 * above], axis=1)
    found = model_jacobian(threshold)(POSITIVE, 1.5, 2.05)
    assert np.allclose(found, exact, rtol=1e-14, atol=0)


@pytest.mark.parametrize(("a", "exact"), [(1.5, POSITIVE), (-1.5, -(POSITIVE**2))])
def test_model_jacobian_of_a_model_with_branches(a, exact):
    def model(x, a):
        return a * x if a > 0 else -a * x**2

    assert np.array_equal(model_jacobian(model)(POSITIVE, a)[:, 0], exact)


def test_model_jacobian_where_an_output_is_only_rounding():
    """A square and a power differ in the last bit there."""
    x = np.array([1.06018634729251, 2, 3])
    found = model_jacobian(lambda x, a: x**a - x[0] ** 2.0)(x, 2.0)
    assert np.allclose(found[:, 0], x**2 * np.log(x), rtol=1e-14, atol=0)


def test_model_jacobian_of_many_inputs_with_an_array_beside():
    x = np.linspace(0, 1, 20_000)
    wave = np.sin(x)
    found = model_jacobian(lambda x, a, b: a * wave + np.exp(b * x))(x, 1.0, 2.0)
    exact = np.stack([wave, x * np.exp(2 * x)], axis=1)
    assert np.allclose(found, exact, rtol=1e-14, atol=0)


@pytest.mark.parametrize("n", [20_000, 100_000])
def test_model_jacobian_of_many_inputs_per_their_maximum(n):
    t = np.linspace(0, 7, n)
    found = model_jacobian(lambda t, a, b: a * (t / np.max(t)) ** 2 + b)(t, 2.0, 1.0)
    assert np.allclose(found, np.stack([(t / 7) ** 2, 1 + 0 * t], axis=1), rtol=1e-14, atol=0)


def test_model_jacobian_without_inputs_has_no_rows():
    assert model_jacobian(murnaghan)([], 1.0, 2.0, 3.0, 4.0).shape == (0, 4)


def test_curve_fit_takes_model_jacobian_as_it_is():
    volumes, truth = POINTWISE["murnaghan"][1:]
    energies = murnaghan(volumes, *truth)
    found, _ = curve_fit(
        murnaghan, volumes, energies, (-399, 0.005, 5, 200), jac=model_jacobian(murnaghan)
    )
    assert np.allclose(found, truth, rtol=1e-9)


# Effort


def calls_per_jacobian(model, inputs, *parameters):
    calls = []

    def counted(x, *parameters):
        calls.append(x)
        return model(x, *parameters)

    model_jacobian(counted)(inputs, *parameters)
    return len(calls)


@pytest.mark.parametrize("n", [1, 30, 20_000, 100_000])
def test_a_pointwise_model_is_called_twice(n):
    assert calls_per_jacobian(lambda x, a, b: a + b * x, np.linspace(0, 1, n), 1.0, 2.0) == 2


def decay(x, height, rate):
    return height * np.exp(-rate * x)


def bell(x, height, center, width):
    return height * np.exp(-(((x - center) / width) ** 2))


@pytest.mark.parametrize(
    ("model", "parameters"),
    [(decay, (2.0, 1.0)), (bell, (2.0, 400.0, 14.0)), (lambda x, a: tanh(a * x), (1.0,))],
)
def test_a_pointwise_model_that_underflows_is_called_twice(model, parameters):
    """Some of the derivatives have few bits; a pass per output would take minutes for 10⁵."""
    assert calls_per_jacobian(model, np.linspace(0, 800, 2000), *parameters) == 2


@pytest.mark.parametrize("n", [2, 30, 300])
def test_a_coupled_model_is_called_three_times(n):
    x = np.linspace(1, 2, n)
    assert calls_per_jacobian(lambda x, a, b: np.cumsum(a * x) + b, x, 1.0, 2.0) == 3


@pytest.mark.parametrize("n", [13, 20_000])
def test_a_limit_takes_eight_more_calls(n):
    x = np.linspace(0, 3, n)
    assert calls_per_jacobian(lambda x, a, b: a + np.sqrt(b * x), x, 1.0, 2.0) == 10


# Rounded models


@pytest.mark.parametrize("wrapped", [lambda y: y, np.cumsum], ids=["pointwise", "coupled"])
@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("floor", np.floor),
        ("ceil", np.ceil),
        ("round", np.round),
        ("round", lambda y: y.round(1)),
        ("rint", np.rint),
        ("trunc", np.trunc),
        ("fix", np.fix),
    ],
)
def test_a_model_that_rounds_is_refused_with_the_reason(name, step, wrapped):
    def stepped(x, a, b):
        return wrapped(b * step(a * x))

    with pytest.raises(ValueError, match=f"stepped uses {name}, which has steps .* leave .* out"):
        model_jacobian(stepped)(POSITIVE, 1.3, 2.0)


@pytest.mark.parametrize("kind", ["float32", "float16", "int64", "int32"])
@pytest.mark.parametrize(
    "finish", [lambda y, b: y, lambda y, b: 1.0 * y * b, lambda y, b: b * np.cumsum(y)]
)
def test_a_model_that_casts_is_refused_with_the_reason(kind, finish):
    def cast(x, a, b):
        return finish((a * x).astype(kind), b)

    with pytest.raises(ValueError, match=rf"cast computes in {kind}, which rounds; let"):
        model_jacobian(cast)(POSITIVE, 1.3, 2.0)


def test_data_may_be_rounded_as_long_as_parameters_are_not():
    found = model_jacobian(lambda x, a: a * np.round(x) * np.float32(0.5))(POSITIVE, 1.3)
    assert np.array_equal(found[:, 0], np.round(POSITIVE) / 2)


# Limits of derivatives


def square_root(x, b):
    return np.sqrt(b * x)


def hill(x, top, k, n):
    return top / (1 + (k / x) ** n)


def saturation(x, top, k):
    return top / (1 + k / x)


def sine_over_x(x, b):
    return np.where(x == 0, b, np.sin(b * x) / x)


def logistic(x, bottom, top, k, n):
    return bottom + (top - bottom) / (1 + np.exp(-n * (np.log(x) - np.log(k))))


def lognormal(x, height, center, width):
    return height * np.exp(-((np.log(x) - center) ** 2) / (2 * width**2))


def root_above(x, slope, start):
    return np.where(x > start, slope * np.sqrt(x - start), 0.0)


def exact_square_root(x, b):
    return np.stack([np.sqrt(x / b) / 2], axis=1)


def exact_hill(x, top, k, n):
    """The derivatives in positive powers of x, which have no limit to take."""
    whole = x**n + k**n
    with np.errstate(divide="ignore", invalid="ignore"):
        by_n = np.where(x > 0, top * x**n * k**n * np.log(x / k) / whole**2, 0.0)
    return np.stack([x**n / whole, -top * n * x**n * k ** (n - 1) / whole**2, by_n], axis=1)


def exact_saturation(x, top, k):
    return exact_hill(x, top, k, 1.0)[:, :2]


def exact_sine_over_x(x, b):
    return np.stack([np.cos(b * x)], axis=1)


def exact_logistic(x, bottom, top, k, n):
    rest = exact_hill(x, top - bottom, k, n)
    return np.column_stack([1 - rest[:, 0], rest])


def exact_lognormal(x, height, center, width):
    z = (np.log(np.maximum(x, 1e-300)) - center) / width
    bell = np.exp(-(z**2) / 2)
    return np.stack([bell, height * bell * z / width, height * bell * z**2 / width], axis=1)


def exact_root_above(x, slope, start):
    above = np.maximum(x - start, 0)
    with np.errstate(divide="ignore"):
        by_start = np.where(above > 0, -slope / 2 / np.sqrt(above), 0.0)
    return np.stack([np.sqrt(above), by_start], axis=1)


LIMITS = {
    "square root": (square_root, exact_square_root, (2.0,)),
    "Hill": (hill, exact_hill, (3.0, 1.5, 2.0)),
    "Hill with a real exponent": (hill, exact_hill, (3.0, 1.5, 1.3)),
    "saturation": (saturation, exact_saturation, (3.0, 1.5)),
    "sine over x": (sine_over_x, exact_sine_over_x, (1.7,)),
    "four-parameter logistic": (logistic, exact_logistic, (0.1, 3.0, 1.5, 2.0)),
    "log-normal": (lognormal, exact_lognormal, (2.0, 0.3, 0.5)),
    "threshold": (root_above, exact_root_above, (2.0, 1.1)),
}


@pytest.mark.parametrize(("model", "exact", "parameters"), LIMITS.values(), ids=LIMITS)
def test_a_derivative_that_is_nan_is_replaced_by_its_limit(model, exact, parameters):
    found = model_jacobian(model)(FROM_ZERO, *parameters)
    assert np.allclose(found, exact(FROM_ZERO, *parameters), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size", [1e-9, 1e9])
def test_limits_are_right_in_other_units(size):
    found = model_jacobian(sine_over_x)(FROM_ZERO / size, 1.7 * size)
    assert np.allclose(found[:, 0], np.cos(1.7 * FROM_ZERO), rtol=1e-10, atol=1e-10)


def test_a_limit_is_found_in_a_coupled_model():
    def by_sum(x, b):
        return np.cumsum(np.sqrt(b * x))

    exact = np.cumsum(np.sqrt(FROM_ZERO / 2.0) / 2)
    found = model_jacobian(by_sum)(FROM_ZERO, 2.0)
    assert np.allclose(found[:, 0], exact, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("parameters", "inputs", "message"),
    [
        ((1.0, 0.0), POSITIVE, r"derivative of root .* to rate is not finite at input 0 \(0\.1\)"),
        ((1.0, 0.0), [0.0, 2.0], r"respect to rate is not finite at input . \((0|2)\.0\); leave"),
    ],
)
def test_an_infinite_derivative_names_parameter_and_input(parameters, inputs, message):
    def root(x, scale, rate):
        return scale * np.sqrt(rate) * x

    with pytest.raises(ValueError, match=message):
        model_jacobian(root)(inputs, *parameters)


def test_an_infinite_slope_at_a_single_input_is_named():
    with pytest.raises(ValueError, match=r"respect to start is not finite at input 4 \(1\.0\)"):
        model_jacobian(root_above)(FROM_ZERO, 2.0, 1.0)


# Models that can't be differentiated


@pytest.mark.parametrize(
    "model",
    [
        lambda x, a: gamma(a) * x,
        lambda x, a: x * float(a),
        lambda x, a: int(a) * x,
        lambda x, a: math.exp(a) * x,
    ],
)
def test_a_model_without_derivatives_is_refused(model):
    with pytest.raises(
        ValueError, match=r"<lambda> can't be differentiated: .*; write it with autograd\.numpy"
    ):
        model_jacobian(model)(X, 2.0)


def test_a_refused_model_is_named():
    def as_a_column(x, a):
        return (a * x)[:, np.newaxis]

    def taken_apart(x, a):
        return a.item() * x

    with pytest.raises(
        ValueError,
        match=r"as_a_column returns shape \(61, 1\); give one output per input, shape \(61,\)",
    ):
        model_jacobian(as_a_column)(X, 1.0)
    with pytest.raises(ValueError, match=r"taken_apart can't be differentiated: .*item"):
        model_jacobian(taken_apart)(X, 1.0)
    with pytest.raises(ValueError, match=r"the model returns shape \(61, 1\)"):
        model_jacobian(partial(as_a_column))(X, 1.0)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (lambda x, a: np.array([a * x, a * x]), r"\(2, 61\)"),
        (lambda x, a: a * x[1:], r"\(60,\)"),
        (lambda x, a: np.array([a]), r"\(1,\)"),
    ],
)
def test_an_output_of_another_shape_is_refused(model, shape):
    with pytest.raises(
        ValueError, match=rf"returns shape {shape}; give one output per input, shape \(61,\)"
    ):
        model_jacobian(model)(X, 2.0)


def test_complex_outputs_are_refused():
    with pytest.raises(TypeError, match="<lambda> returns complex numbers; give real ones"):
        model_jacobian(lambda x, a: a * x * 1j)(X, 1.0)


def test_arguments_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="parameters that are numbers"):
        model_jacobian(lambda x, a: a * x)(X, [1.0, 2.0])
    with pytest.raises(ValueError, match="give inputs with at least one axis"):
        model_jacobian(lambda x, a: a * x)(1.0, 2.0)


def test_an_error_of_the_model_itself_is_not_hidden():
    def careful(x, a):
        if np.any(a > 0.5):
            raise ValueError("a is above 0.5")
        return a * x

    with pytest.raises(KeyError, match="mine"):
        model_jacobian(lambda x, a: {}["mine"])(X, 1.0)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        model_jacobian(lambda x, a, b: a * x)(X, 1.0)
    with pytest.raises(ZeroDivisionError):
        model_jacobian(lambda x, a: a * x * (1 // 0))(X, 1.0)
    with pytest.raises(ValueError, match=r"^a is above 0\.5$"):
        model_jacobian(careful)(X, 1.0)


# Names of parameters


def with_default(x, a, b, c=1.0):
    return a + b * x + c * x**2


def by_keyword(x, a, *, b):
    return a * x + b


@pytest.mark.parametrize(
    ("model", "n_parameters", "names"),
    [
        (with_default, 3, ("a", "b", "c")),
        (with_default, 2, ("a", "b")),
        (partial(with_default, c=2.0), 2, ("a", "b")),
        (partial(with_default, b=2.0), 1, ("a",)),
        (partial(with_default, X), 2, ("b", "c")),
        (partial(by_keyword, b=2.0), 1, ("a",)),
        (lambda x, a, *, b=1.0: a * x + b, 1, ("a",)),
        (lambda x, *p: p[0] * x, 3, ("p0", "p1", "p2")),
        (lambda x, a, *p: a * x, 2, ("p0", "p1")),
        (lambda x, a, b, **kw: a * x + b, 2, ("a", "b")),
        (max, 2, ("p0", "p1")),
    ],
)
def test_parameter_names_are_those_of_the_signature(model, n_parameters, names):
    assert parameter_names(model, n_parameters) == names


@pytest.mark.parametrize(
    ("model", "n_parameters", "message"),
    [
        (with_default, 1, "1 numbers for the parameters a, b, c; give one for each"),
        (with_default, 4, "4 numbers for the parameters a, b, c; give one for each"),
        (lambda x, a, b, **kw: a, 3, "3 numbers for the parameters a, b; give one for each"),
        (by_keyword, 1, "by_keyword takes b by keyword only; .* write a lambda"),
        (partial(with_default, a=1.0), 1, "takes b by keyword only; .* write a lambda"),
    ],
)
def test_parameter_names_refuse_another_number_of_them(model, n_parameters, message):
    with pytest.raises(ValueError, match=message):
        parameter_names(model, n_parameters)


def test_parameter_names_keep_the_order_of_the_arguments():
    found = parameter_names(with_default, 3)
    x = np.array([2.0])
    slopes = dict(zip(found, model_jacobian(with_default)(x, 1.0, 1.0, 1.0)[0], strict=True))
    assert slopes == {"a": 1.0, "b": 2.0, "c": 4.0}
