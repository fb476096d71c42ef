"""Least squares: the optimum, and how well the data determine it."""

import re

import autograd.numpy as np
import pytest
from pycse import nlinfit
from scipy.optimize import curve_fit

from helpers.eos import murnaghan
from helpers.least_squares import Fit, fit
from helpers.tables import read_columns

RNG = np.random.default_rng
X = np.linspace(0, 4, 30)


def decay(x, amplitude, rate, offset):
    return amplitude * np.exp(-rate * x) + offset


def line(x, intercept, slope):
    return intercept + slope * x


TRUTH = (3.0, 1.2, 0.5)
NOISY = decay(X, *TRUTH) + 0.05 * RNG(0).standard_normal(len(X))


def murnaghan_fit():
    return fit(
        murnaghan, *read_columns("energy_volume.csv", "volume", "energy"), [-400, 0.5, 2, 210]
    )


def test_a_line_is_linear_regression():
    """Optimum, covariance and bands have closed forms."""
    y = 2 + 3 * X + RNG(1).standard_normal(len(X))
    found, design = fit(line, X, y, [0, 0]), np.column_stack([np.ones_like(X), X])
    inverse = np.linalg.inv(design.T @ design)
    parameters = inverse @ design.T @ y
    variance = np.sum((y - design @ parameters) ** 2) / (len(X) - 2)
    assert np.allclose(found.parameters, parameters, rtol=1e-13)
    assert np.allclose(found.covariance, variance * inverse, rtol=1e-12)
    assert found.dof == 28
    half = 2.0484071417952445 * np.sqrt(
        variance * np.einsum("ij,jk,ik->i", design, inverse, design)
    )  # t(0.975, 28)
    assert np.allclose(
        found.confidence_band(X), design @ parameters + np.array([-half, half]), rtol=1e-12
    )
    half = 2.0484071417952445 * np.sqrt(
        variance * (1 + np.einsum("ij,jk,ik->i", design, inverse, design))
    )
    assert np.allclose(
        found.prediction_band(X), design @ parameters + np.array([-half, half]), rtol=1e-12
    )


def test_the_gradient_at_the_optimum_is_zero():
    found = fit(decay, X, NOISY, [1, 1, 0])
    for i, size in enumerate(found.parameters):
        step = np.eye(3)[i] * 1e-5 * size
        around = [
            np.sum((NOISY - decay(X, *(found.parameters + s))) ** 2)
            for s in (-step, 0 * step, step)
        ]
        assert around[1] < min(around[0], around[2])
        assert abs(around[2] - around[0]) < 1e-4 * (around[0] + around[2] - 2 * around[1])


def test_the_guess_does_not_matter_to_ten_digits():
    first, second = fit(decay, X, NOISY, [1, 1, 0]), fit(decay, X, NOISY, [5, 0.3, -1])
    assert np.allclose(first.parameters, second.parameters, rtol=1e-10)
    assert not np.array_equal(first.parameters, [1, 1, 0])


def test_the_murnaghan_optimum_is_that_of_50_digit_arithmetic():
    """Reference: exact least squares in 50 digits, from five starts."""
    found = murnaghan_fit()
    exact = [-400.0294660730306, 0.003735889834296311, 4.048736514430762, 212.7784226294645]
    errors = [1.146742289e-4, 2.125766317e-5, 0.05646079258, 0.2425751491]
    ends = [[-400.029702749, -400.029229397], [0.00369201617386, 0.00377976349473]]
    ends += [[3.93220716583, 4.16526586304], [212.277772128, 213.279073131]]
    assert np.allclose(found.parameters, exact, rtol=1e-11)
    assert np.allclose(found.standard_errors, errors, rtol=1e-8)
    assert np.allclose(found.intervals(), ends, rtol=1e-9)
    assert found.chi_square == pytest.approx(5.119885741875917e-06, rel=1e-8)
    assert found.dof == 24


def test_pycse_has_the_same_intervals():
    found = fit(decay, X, NOISY, [1, 1, 0])
    parameters, intervals, errors = nlinfit(decay, X, NOISY, [1, 1, 0])
    assert np.allclose(found.parameters, parameters, rtol=1e-6)
    assert np.allclose(found.standard_errors, errors, rtol=1e-4)
    assert np.allclose(found.intervals(), intervals, rtol=1e-4)


def test_sigma_weighs_as_in_curve_fit():
    sigma = np.linspace(0.02, 0.2, len(X))
    found = fit(decay, X, NOISY, [1, 1, 0], sigma)
    parameters, covariance = curve_fit(decay, X, NOISY, [1, 1, 0], sigma)
    assert np.allclose(found.parameters, parameters, rtol=1e-6)
    assert np.allclose(found.covariance, covariance, rtol=1e-4)
    assert np.allclose(found.residuals, NOISY - decay(X, *found.parameters), rtol=0, atol=1e-15)
    assert found.chi_square == pytest.approx(np.sum((found.residuals / sigma) ** 2), rel=1e-12)
    scaled = fit(decay, X, NOISY, [1, 1, 0], 7 * sigma)
    assert np.allclose(scaled.covariance, found.covariance, rtol=1e-9)
    assert np.allclose(
        scaled.prediction_band(X, sigma=7 * sigma), found.prediction_band(X, sigma=sigma), rtol=1e-9
    )


def test_data_without_noise_are_met_and_their_errors_are_rounding():
    found = fit(decay, X, decay(X, *TRUTH), [1, 1, 0])
    assert np.allclose(found.parameters, TRUTH, rtol=1e-13)
    assert np.all(found.standard_errors < 1e-13)


def test_an_optimum_at_zero_is_found():
    found = fit(line, X, 2.0 * X, [1, 1])
    assert abs(found.parameters[0]) < 1e-14
    symmetric = fit(line, X - 2, (X - 2) ** 2, [1, 1])
    assert abs(symmetric.parameters[1]) < 1e-14


def test_as_many_points_as_parameters_have_an_optimum_but_no_errors():
    found = fit(line, [0, 1], [1, 3], [0, 0])
    assert np.allclose(found.parameters, [1, 2], rtol=1e-14)
    assert np.all(np.isinf(found.standard_errors))
    for method in (
        found.intervals,
        lambda: found.confidence_band([0.5]),
        lambda: found.prediction_band([0.5]),
    ):
        with pytest.raises(ValueError, match="leave nothing to judge errors by; give more points"):
            method()


def test_several_predictors_and_a_vararg_model():
    inputs = RNG(3).uniform(1, 2, (40, 2))
    model = lambda x, *p: p[0] * x[:, 0] + np.exp(p[1] * x[:, 1])  # noqa: E731
    found = fit(model, inputs, model(inputs, 2.0, 0.5), [1, 1])
    assert np.allclose(found.parameters, [2, 0.5], rtol=1e-12)
    assert found.names == ("p0", "p1")


def test_a_fit_can_t_be_changed():
    found = murnaghan_fit()
    assert isinstance(found, Fit)
    with pytest.raises(AttributeError):
        found.chi_square = 0.0
    for array in (found.parameters, found.covariance, found.residuals):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


def test_it_is_shown_as_a_small_table():
    found = murnaghan_fit()
    assert repr(found).splitlines()[1] == "bulk_modulus = 0.003736 ± 2.1e-05"
    assert (
        found._repr_markdown_().splitlines()[5] == "| volume0 | 212.78 | 0.24 | 212.28 to 213.28 |"
    )


def test_predict_is_the_model_at_the_optimum():
    found = murnaghan_fit()
    assert np.array_equal(
        found.predict([200, 210]), murnaghan(np.array([200.0, 210.0]), *found.parameters)
    )


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, np.nan])
def test_a_level_is_a_probability(level):
    with pytest.raises(ValueError, match=r"give a probability between 0 and 1, such as 0\.95"):
        murnaghan_fit().intervals(level)


@pytest.mark.parametrize(
    ("model", "guess", "free"),
    [
        (lambda x, a, b, c: a * b * x + c, [1, 1, 1], "a, b"),
        (lambda x, a, b: a * x + 0 * b, [1, 1], "b"),
        (lambda x, a, b, c: a * np.exp(-b * x + c), [1, 1, 0], "a, c"),
    ],
)
def test_parameters_that_the_data_don_t_determine_are_named(model, guess, free):
    with pytest.raises(ValueError, match=f"the data don't determine {free}: fix one of them"):
        fit(model, X, NOISY, guess)


def test_a_fit_without_an_optimum_is_an_error_and_not_its_start():
    """A straight line is the limit of a saturating curve, at an infinite amplitude."""
    with pytest.raises(
        RuntimeError, match=r"no optimum found from the guess \[1\. 1\.\]; start nearer to it"
    ):
        fit(lambda x, amplitude, rate: amplitude * (1 - np.exp(-rate * x)), X, X, [1, 1])


def test_whatever_the_data_a_fit_is_finite_or_its_own_error():
    models = [
        lambda x, a, b: a * np.exp(b * x),
        lambda x, a, b: a / (b + x),
        lambda x, a, b: np.sqrt(a + b * x),
        lambda x, a, b: a**x * b,
    ]
    rng, outcomes = RNG(7), set()
    for _ in range(100):
        x, y = (rng.standard_normal(5) * 10.0 ** rng.integers(-6, 7) for _ in "xy")
        try:
            found = fit(
                models[rng.integers(4)], x, y, rng.standard_normal(2) * 10.0 ** rng.integers(0, 4)
            )
            assert np.all(np.isfinite(found.parameters))
            assert np.all(np.isfinite(found.covariance))
            outcomes.add("fit")
        except (ValueError, RuntimeError) as refusal:
            outcomes.add(
                re.search("at the guess|don't determine|no optimum found", str(refusal)).group()
            )
    assert outcomes == {"fit", "at the guess", "don't determine", "no optimum found"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"targets": NOISY[:-1]}, "30 inputs, 29 targets, 29 sigmas; give one of each per point"),
        ({"sigma": np.ones(3)}, "30 inputs, 30 targets, 3 sigmas"),
        ({"sigma": np.zeros(30)}, r"sigma: 0\.0 is among them; give positive standard deviations"),
        (
            {"targets": np.where(X > 1, np.nan, NOISY)},
            "targets: nan is among them; give finite numbers",
        ),
        ({"inputs": np.where(X > 1, np.inf, X)}, "inputs: inf is among them"),
        ({"guess": [1, np.nan, 0]}, "guess: nan is among them"),
        (
            {"guess": [1, 1]},
            "a guess of 2 numbers for the parameters amplitude, rate, offset; give one each",
        ),
        ({"guess": [1, 1, 1, 1]}, "a guess of 4 numbers"),
        ({"guess": []}, "a guess of 0 numbers"),
        ({"guess": [1, -1e4, 0]}, "the model has no finite value for each input; start elsewhere"),
        (
            {"inputs": X[:2], "targets": NOISY[:2]},
            "2 points for 3 parameters; give at least as many points",
        ),
        ({"inputs": [], "targets": []}, "0 points for 3 parameters"),
        ({"model": lambda x, a: np.cumsum(a * x), "guess": [1]}, "is not pointwise"),
    ],
)
def test_what_can_t_be_fitted_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        fit(**{"model": decay, "inputs": X, "targets": NOISY, "guess": [1, 1, 0]} | changed)


def covered(fits, truth):
    """Shares of `fits` whose intervals hold the parameters, and whose bands the model and a new target at 1.7."""
    at, rng = np.array([1.7]), RNG(99)
    inside = []
    for found in fits:
        bands = [
            (found.intervals(), np.array(truth)),
            (found.confidence_band(at).T, decay(at, *truth)),
        ]
        bands += [(found.prediction_band(at).T, decay(at, *truth) + 0.05 * rng.standard_normal(1))]
        inside.append(
            np.concatenate(
                [(low_high[:, 0] < true) & (true < low_high[:, 1]) for low_high, true in bands]
            )
        )
    return np.mean(inside, axis=0)


def test_95_percent_intervals_and_bands_cover_95_percent():
    rng = RNG(2026)
    fits = [
        fit(decay, X, decay(X, *TRUTH) + 0.05 * rng.standard_normal(len(X)), TRUTH)
        for _ in range(2000)
    ]
    shares = covered(fits, TRUTH)
    assert shares.shape == (5,)
    assert np.all((shares > 0.93) & (shares < 0.97)), shares


@pytest.mark.parametrize("guess", [[1.0, 1.0], [0.0, 0.0], [-3e5, 2e-7]])
def test_where_nothing_is_measured_nothing_is_found(guess):
    found = fit(lambda x, a, b: a + b * x, [0.0, 1.0, 2.0], [0.0, 0.0, 0.0], guess)
    assert np.allclose(found.parameters, 0, rtol=0, atol=1e-9)
    assert np.allclose(found.residuals, 0, rtol=0, atol=1e-9)


def test_a_parameter_that_is_exactly_zero_is_shown_as_zero():
    exact = fit(lambda x, a, b: a + b * x, [0.0, 1.0, 2.0], [0.0, 0.0, 0.0], [0.0, 0.0])
    assert repr(exact) == "a = 0 ± 0\nb = 0 ± 0"


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_targets_whose_squares_are_no_numbers_are_refused(size):
    with pytest.raises(
        ValueError, match=r"the largest target is 1e[+-]200 sigma, and its square no number; change"
    ):
        fit(lambda x, a: a * x, [1.0, 2.0], [size, size], [1.0])


def test_a_fit_through_every_point_can_be_shown():
    found = fit(line, [0, 1], [1, 3], [0, 0])
    assert repr(found) == "intercept = 1 ± inf\nslope = 2 ± inf"
    assert found._repr_markdown_().splitlines()[-1] == "| slope | 2 | inf | nan to nan |"


def test_a_default_of_the_model_is_fitted_only_where_the_guess_has_it():
    def model(x, a, b, c=0.0):
        return a + b * x + c * x**2

    assert fit(model, X, NOISY, [1, 1]).names == ("a", "b")
    assert len(repr(fit(model, X, NOISY, [1, 1])).splitlines()) == 2
    assert fit(model, X, NOISY, [1, 1, 1]).names == ("a", "b", "c")
    assert fit(lambda x, a, *p: a + p[0] * x, X, NOISY, [1, 1]).names == ("p0", "p1")
    with pytest.raises(ValueError, match="a guess of 0 numbers"):
        fit(lambda x, a=1.0: a * x, X, NOISY, [])


@pytest.mark.parametrize("sigma", [1e-9, 1e-6, 1e6])
def test_a_parameter_at_zero_is_found_whatever_the_unit_of_sigma(sigma):
    assert abs(fit(line, X, 2.0 * X, [1, 1], np.full(len(X), sigma)).parameters[0]) < 1e-13


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_the_targets_does_not_matter(unit):
    there = fit(decay, X, unit * NOISY, [unit, 1, 0])
    here = fit(decay, X, NOISY, [1, 1, 0])
    assert np.allclose(there.parameters, here.parameters * [unit, 1, unit], rtol=1e-10, atol=0)
    assert np.allclose(
        there.standard_errors, here.standard_errors * [unit, 1, unit], rtol=1e-8, atol=0
    )


def test_a_guess_that_is_right_already_stays():
    assert abs(fit(line, X, 2.0 * X, [1e-13, 2.0]).parameters[0]) < 1e-13


def test_a_value_of_zero_an_error_of_zero_and_an_error_above_the_value_can_be_shown():
    assert repr(fit(lambda x, a: a * x, [-1.0, 0.0, 1.0], [1.0, -2.0, 1.0], [0.0])).startswith(
        "a = 0 ± "
    )
    assert repr(fit(lambda x, a: a + 0 * x, [1.0, 2.0, 4.0], [1.0, 1.0, 1.0], [1.0])) == "a = 1 ± 0"
    assert repr(fit(lambda x, a: a + 0 * x, [1, 2], [-1000.0, 1001.0], [1.0])) == "a = 0.5 ± 1e+03"


def test_many_points_take_no_more_memory_than_their_jacobian():
    x = np.linspace(0, 1, 100_000)
    assert np.allclose(fit(line, x, 1 + 2 * x, [0, 0]).parameters, [1, 2], rtol=1e-12)


def test_a_column_where_one_value_per_input_belongs_is_refused():
    with pytest.raises(
        ValueError, match=r"at the guess \[1\.\] the model has no finite value for each input"
    ):
        fit(lambda x, a: a * x[:, np.newaxis], X, NOISY, [1])


def test_integers_are_numbers():
    found = fit(lambda x, a: a * x**-2, [1, 2], [3, 0.75], [1])
    assert np.allclose(found.predict([1, 2]), [3, 0.75], rtol=1e-15)
