"""Least squares: the minimum, how well the data determine it, and what is refused."""

import contextlib
import time
import warnings
from functools import partial

import autograd.numpy as np
import pytest
from numpy.polynomial import Polynomial
from pycse import nlinfit
from scipy.optimize import Bounds, brentq, curve_fit
from scipy.stats import norm
from scipy.stats import t as student

from helpers.autodiff import model_jacobian
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
BOD_TIMES = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 7.0])
BOD = np.array([8.3, 10.3, 19.0, 16.0, 15.6, 19.8])


def saturation(time, limit, rate):
    return limit * (1 - np.exp(-rate * time))


def murnaghan_fit():
    return fit(
        murnaghan, *read_columns("energy_volume.csv", "volume", "energy"), [-400, 0.5, 2, 210]
    )


# the minimum


def test_line_matches_linear_regression():
    """The estimate, its covariance and the bands have closed forms."""
    y = 2 + 3 * X + RNG(1).standard_normal(len(X))
    found = fit(line, X, y, [0, 0])
    design = np.column_stack([np.ones_like(X), X])
    inverse = np.linalg.inv(design.T @ design)
    parameters = inverse @ design.T @ y
    variance = np.sum((y - design @ parameters) ** 2) / (len(X) - 2)
    assert np.allclose(found.parameters, parameters, rtol=1e-13)
    assert np.allclose(found.covariance, variance * inverse, rtol=1e-12)
    assert found.dof == 28
    quantile = 2.0484071417952445  # t(0.975, 28)
    spread = np.einsum("ij,jk,ik->i", design, inverse, design)
    half = quantile * np.sqrt(variance * spread)
    band = design @ parameters + np.array([-half, half])
    assert np.allclose(found.confidence_band(X), band, rtol=1e-12)
    half = quantile * np.sqrt(variance * (1 + spread))
    band = design @ parameters + np.array([-half, half])
    assert np.allclose(found.prediction_band(X), band, rtol=1e-12)


def test_chi_square_is_smallest_at_the_estimate():
    found = fit(decay, X, NOISY, [1, 1, 0])
    for i, size in enumerate(found.parameters):
        step = np.eye(3)[i] * 1e-5 * size
        moved = [found.parameters + s for s in (-step, 0 * step, step)]
        below, here, above = (np.sum((NOISY - decay(X, *p)) ** 2) for p in moved)
        assert here < min(below, above)
        assert abs(above - below) < 1e-4 * (above + below - 2 * here)


def test_guess_does_not_matter_to_ten_digits():
    first = fit(decay, X, NOISY, [1, 1, 0])
    second = fit(decay, X, NOISY, [5, 0.3, -1])
    assert np.allclose(first.parameters, second.parameters, rtol=1e-10)
    assert not np.array_equal(first.parameters, [1, 1, 0])


def test_murnaghan_fit_matches_50_digit_arithmetic():
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


def test_large_residuals_have_a_minimum_too():
    """Dennis & Schnabel (1983), example 10.2.4: Gauss-Newton diverges from the minimum."""

    def model(t, x):
        return np.exp(t * x)

    times = np.array([1.0, 2.0, 3.0])
    targets = np.array([2.0, 4.0, -8.0])

    def slope(x):
        return np.sum(times * np.exp(times * x) * (np.exp(times * x) - targets))

    minimum = brentq(slope, -1.5, -0.5, xtol=1e-15)
    for guess in (minimum, 0.0, -2.0, 1.0):
        assert fit(model, times, targets, [guess])["x"].value == pytest.approx(minimum, rel=1e-10)


def test_maximum_given_as_the_guess_is_left():
    """The phase π is a stationary point: by symmetry, no gradient leads away from it."""
    x = np.linspace(0, 2 * np.pi, 40)
    found = fit(lambda x, phase: np.cos(x + phase), x, np.cos(x) + 0.01 * np.cos(5 * x), [np.pi])
    assert abs(np.sin(found["phase"].value / 2)) < 1e-3
    assert found.chi_square < 0.01


def test_minimum_given_as_the_guess_is_returned():
    first = fit(decay, X, NOISY, [1, 1, 0])
    again = fit(decay, X, NOISY, first.parameters)
    assert np.allclose(again.parameters, first.parameters, rtol=1e-11)


def test_lower_of_two_minima_is_returned():
    """From 1.5, one search ends beside the true frequency and another at it."""
    x = np.linspace(0, 6, 60)
    y = np.sin(2.2 * x) + 0.5 * RNG(3).standard_normal(60)

    def chi_square(frequency):
        return np.sum((np.sin(frequency * x) - y) ** 2)

    found = fit(lambda x, frequency: np.sin(frequency * x), x, y, [1.5])
    peer, _ = curve_fit(lambda x, frequency: np.sin(frequency * x), x, y, [1.5])
    assert chi_square(found["frequency"].value) <= chi_square(peer[0]) * (1 + 1e-9)


@pytest.mark.parametrize("guess", [(1.0, 1.0), (100.0, 0.75)])  # from the first MINPACK fails
@pytest.mark.parametrize("units", [(1.0, 1.0), (1e6, 1e-6), (1e-9, 1.0), (1.0, 1e9), (1.0, 1e-9)])
def test_units_of_the_parameters_do_not_matter(guess, units):
    times = np.array([1.0, 2.0, 3.0, 5.0, 7.0, 10.0])
    demand = saturation(times, 210, 0.55) + np.array([20.0, -25.0, 30.0, -20.0, 15.0, -10.0])

    def best_limit(rate):
        shape = 1 - np.exp(-rate * times)
        return demand @ shape / (shape @ shape)

    def slope(rate):
        errors = saturation(times, best_limit(rate), rate) - demand
        return errors @ (times * np.exp(-rate * times))

    rate = brentq(slope, 0.3, 1.5, xtol=1e-15)
    found = fit(
        lambda time, limit, rate: saturation(time, limit * units[0], rate * units[1]),
        times,
        demand,
        np.array(guess) / units,
    )
    assert np.allclose(found.parameters * units, [best_limit(rate), rate], rtol=1e-10, atol=0)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_unit_of_the_targets_does_not_matter(unit):
    scaled = fit(decay, X, unit * NOISY, [unit, 1, 0])
    plain = fit(decay, X, NOISY, [1, 1, 0])
    units = [unit, 1, unit]
    assert np.allclose(scaled.parameters, plain.parameters * units, rtol=1e-10, atol=0)
    assert np.allclose(scaled.standard_errors, plain.standard_errors * units, rtol=1e-8, atol=0)


def test_exact_data_are_met_and_errors_are_rounding():
    found = fit(decay, X, decay(X, *TRUTH), [1, 1, 0])
    assert np.allclose(found.parameters, TRUTH, rtol=1e-13)
    assert np.all(found.standard_errors < 1e-13)
    assert np.allclose(found["rate"].profile_interval(), TRUTH[1], rtol=1e-12)


def test_parameter_whose_estimate_is_zero_is_found():
    assert abs(fit(line, X, 2.0 * X, [1, 1])["intercept"].value) < 1e-14
    assert abs(fit(line, X - 2, (X - 2) ** 2, [1, 1])["slope"].value) < 1e-14
    assert abs(fit(line, X, 2.0 * X, [1e-13, 2.0])["intercept"].value) < 1e-13


@pytest.mark.parametrize("sigma", [1e-9, 1e-6, 1e6])
def test_zero_is_found_whatever_the_unit_of_sigma(sigma):
    found = fit(line, X, 2.0 * X, [1, 1], np.full(len(X), sigma))
    assert abs(found["intercept"].value) < 1e-13


@pytest.mark.parametrize("guess", [[1.0, 1.0], [0.0, 0.0], [-3e5, 2e-7]])
def test_targets_of_zero_are_fitted_by_zero(guess):
    found = fit(line, [0.0, 1.0, 2.0], [0.0, 0.0, 0.0], guess)
    assert np.allclose(found.parameters, 0, rtol=0, atol=1e-9)
    assert np.allclose(found.residuals, 0, rtol=0, atol=1e-9)


def test_polynomial_of_high_degree_is_still_solved():
    """Condition number 1e9; against an orthogonal basis."""
    x = np.linspace(0, 10, 60)
    powers = 10.0 ** -np.arange(9)

    def polynomial(x, *coefficients):
        return sum(c * x**i for i, c in enumerate(coefficients))

    y = polynomial(x, *powers) + 0.01 * RNG(0).standard_normal(60)
    found = fit(polynomial, x, y, np.full(9, 0.1))
    expected = Polynomial.fit(x, y, 8)
    assert found.chi_square == pytest.approx(np.sum((expected(x) - y) ** 2), rel=1e-9)
    assert np.allclose(found.predict(x), expected(x), rtol=1e-8)


def test_several_predictors_and_a_vararg_model():
    inputs = RNG(3).uniform(1, 2, (40, 2))
    model = lambda x, *p: p[0] * x[:, 0] + np.exp(p[1] * x[:, 1])  # noqa: E731
    found = fit(model, inputs, model(inputs, 2.0, 0.5), [1, 1])
    assert np.allclose(found.parameters, [2, 0.5], rtol=1e-12)
    assert found.names == ("p0", "p1")


def test_many_points_need_no_square_matrix():
    x = np.linspace(0, 1, 100_000)
    assert np.allclose(fit(line, x, 1 + 2 * x, [0, 0]).parameters, [1, 2], rtol=1e-12)


def test_integers_are_numbers():
    found = fit(lambda x, a: a * x**-2, [1, 2], [3, 0.75], [1])
    assert np.allclose(found.predict([1, 2]), [3, 0.75], rtol=1e-15)


# models that are not pointwise, or not smooth


def normalised_hill(x, constant, exponent):
    curve = (constant * x) ** exponent / (1 + (constant * x) ** exponent)
    return curve / np.max(curve)


def test_curve_divided_by_its_maximum_is_fitted():
    x = np.linspace(1, 9, 30)
    y = normalised_hill(x, 0.3, 2.0) + 0.02 * RNG(0).standard_normal(30)
    found = fit(normalised_hill, x, y, [0.5, 1.5])
    parameters, covariance = curve_fit(normalised_hill, x, y, [0.5, 1.5], xtol=1e-12, ftol=1e-12)
    assert np.allclose(found.parameters, parameters, rtol=1e-6)
    assert np.allclose(found.covariance, covariance, rtol=1e-4)


def test_product_with_a_design_matrix_is_fitted():
    design = np.column_stack([np.ones(30), X, X**2])
    found = fit(lambda x, *p: np.dot(design, np.array(p)), X, NOISY, [1, 1, 1])
    assert np.allclose(found.parameters, np.linalg.lstsq(design, NOISY, rcond=None)[0], rtol=1e-12)


def test_nan_derivative_at_one_input_is_replaced_and_noted():
    def uptake(dose, maximum, middle, slope):
        with np.errstate(divide="ignore", invalid="ignore"):
            return maximum / (1 + (middle / dose) ** slope)

    doses = np.linspace(0, 4, 20)
    y = uptake(doses, 2, 1.5, 1.7) + 0.01 * RNG(0).standard_normal(20)
    found = fit(uptake, doses, y, [1, 1, 1.0])
    parameters, covariance = curve_fit(uptake, doses, y, [1, 1, 1.0])
    assert np.allclose(found.parameters, parameters, rtol=1e-5)
    assert np.allclose(found.covariance, covariance, rtol=1e-3)
    assert found.notes == ("some derivatives are not finite; finite differences took their limits",)


def test_infinite_derivative_is_named():
    with pytest.raises(ValueError, match=r"with respect to a is not finite at input 0 \(0\.0\)"):
        fit(lambda x, a: np.where(x == 0, np.cbrt(a - 1) if a > 2 else np.sqrt(a - 1), a * x),
            X, X, [1.0])  # fmt: skip


# errors, intervals and bands


def test_intervals_match_pycse():
    found = fit(decay, X, NOISY, [1, 1, 0])
    parameters, intervals, errors = nlinfit(decay, X, NOISY, [1, 1, 0])
    assert np.allclose(found.parameters, parameters, rtol=1e-6)
    assert np.allclose(found.standard_errors, errors, rtol=1e-4)
    assert np.allclose(found.intervals(), intervals, rtol=1e-4)


def test_estimates_are_read_by_name():
    found = murnaghan_fit()
    estimate = found["volume0"]
    assert estimate.value == found.parameters[3]
    assert estimate.standard_error == found.standard_errors[3]
    assert estimate.interval(0.9) == pytest.approx(found.intervals(0.9)[3], rel=1e-15)
    with pytest.raises(KeyError, match="no parameter 'volume'; this fit has energy0, bulk_modulus"):
        found["volume"]


@pytest.mark.parametrize("absolute_sigma", [False, True])
def test_sigma_means_what_it_means_in_curve_fit(absolute_sigma):
    sigma = np.linspace(0.02, 0.2, len(X))
    found = fit(decay, X, NOISY, [1, 1, 0], sigma, absolute_sigma=absolute_sigma)
    parameters, covariance = curve_fit(
        decay, X, NOISY, [1, 1, 0], sigma, absolute_sigma=absolute_sigma
    )
    assert np.allclose(found.parameters, parameters, rtol=1e-6)
    assert np.allclose(found.covariance, covariance, rtol=1e-4)
    assert np.allclose(found.residuals, NOISY - decay(X, *found.parameters), rtol=0, atol=1e-15)
    assert found.chi_square == pytest.approx(np.sum((found.residuals / sigma) ** 2), rel=1e-12)
    assert np.array_equal(found.sigma, sigma)
    assert fit(decay, X, NOISY, [1, 1, 0]).sigma is None


def test_only_ratios_of_sigma_count_unless_it_is_absolute():
    sigma = np.linspace(0.02, 0.2, len(X))
    first, second = (fit(decay, X, NOISY, [1, 1, 0], unit * sigma) for unit in (1, 7))
    assert np.allclose(second.covariance, first.covariance, rtol=1e-9)
    bands = [f.prediction_band(X, sigma=u * sigma) for f, u in ((first, 1), (second, 7))]
    assert np.allclose(*bands, rtol=1e-9)
    absolute = fit(decay, X, NOISY, [1, 1, 0], 7 * sigma, absolute_sigma=True)
    assert np.allclose(
        absolute.covariance, first.covariance / first.chi_square * 27 * 49, rtol=1e-9
    )


def test_absolute_sigma_uses_the_normal_distribution():
    found = fit(line, [0, 1], [1, 3], [0, 0], [0.1, 0.2], absolute_sigma=True)
    half = norm.ppf(0.975) * np.sqrt([0.1**2, 0.1**2 + 0.2**2])
    expected = [[1 - half[0], 1 + half[0]], [2 - half[1], 2 + half[1]]]
    assert np.allclose(found.intervals(), expected, rtol=1e-12)


def test_weighted_prediction_band_asks_for_sigma():
    weighted = fit(decay, X, NOISY, [1, 1, 0], np.full(30, 0.05))
    plain = fit(decay, X, NOISY, [1, 1, 0])
    with pytest.raises(ValueError, match="a new target has a sigma of its own"):
        weighted.prediction_band(X)
    assert np.allclose(weighted.prediction_band(X, sigma=0.05), plain.prediction_band(X), rtol=1e-9)


def test_profile_interval_of_a_line_is_the_linear_one():
    found = fit(line, X, 2 + 3 * X + RNG(1).standard_normal(len(X)), [0, 0])
    for name in found.names:
        for level in (0.5, 0.95, 0.999):
            assert found[name].profile_interval(level) == pytest.approx(
                found[name].interval(level), rel=1e-6
            )


def test_profile_interval_ends_where_chi_square_says():
    """Against a dense scan: at each end the minimum over the limit exceeds by t² s²."""
    found = fit(saturation, BOD_TIMES, BOD, [20, 0.5])
    allowed = found.chi_square * (1 + student.ppf(0.9, 4) ** 2 / 4)

    def profile(rate):
        shape = 1 - np.exp(-rate * BOD_TIMES)
        errors = BOD - shape * (BOD @ shape) / (shape @ shape)
        return errors @ errors - allowed

    value = found["rate"].value
    ends = brentq(profile, 1e-3, value), brentq(profile, value, 5.0)
    assert found["rate"].profile_interval(0.8) == pytest.approx(ends, rel=1e-6)
    low, high = found["rate"].profile_interval(0.8)
    assert high - value > 1.5 * (value - low)


def test_profile_interval_without_an_end_is_infinite():
    """Bates & Watts (1988), section 6.1: the rate of the BOD data has no upper limit."""
    found = fit(saturation, BOD_TIMES, BOD, [20, 0.5])
    low, high = found["rate"].profile_interval(0.99)
    assert -1 < low < found["rate"].value
    assert high == np.inf


def test_profile_that_meets_a_lower_minimum_says_so():
    """Two wells, at p = -1 and, lower, at p = 1; with one degree of freedom both are inside."""

    def wells(i, p):
        return np.where(i == 0, p**2 - 1, 0.3 * (p - 1))

    found = fit(wells, [0, 1], [0, 0], [-1.0])
    assert found["p"].value < 0
    reach = (1 - found["p"].value) / found["p"].standard_error  # in one step to the other well
    with pytest.raises(RuntimeError, match="a lower minimum: fit again from the guess"):
        found["p"].profile_interval(2 * student.cdf(reach, 1) - 1)
    assert fit(wells, [0, 1], [0, 0], [0.9])["p"].value == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("rate", np.linspace(1, 4, 7))
def test_profile_of_data_that_are_exact_to_rounding(rate):
    """Residuals that are rounding alone have no lower minimum worth a complaint."""
    x = np.linspace(0, 1, 30)
    found = fit(decay, x, decay(x, 1.0, rate, 0.5), [0.7, 2.0, 0.2])
    for name, true in {"amplitude": 1.0, "rate": rate, "offset": 0.5}.items():
        assert found[name].profile_interval() == pytest.approx((true, true), rel=1e-12)


def test_profile_interval_with_absolute_sigma():
    found = fit(line, X, NOISY, [1, 1], np.full(30, 0.3), absolute_sigma=True)
    assert found["slope"].profile_interval() == pytest.approx(found["slope"].interval(), rel=1e-6)


AT = np.array([1.7])  # where the bands are looked at


def covered(found, new):
    """Whether the intervals and bands of a fit hold the truth, the last one a `new` target."""
    curve = decay(AT, *TRUTH)
    ends = np.vstack([found.intervals(), found.confidence_band(AT).T, found.prediction_band(AT).T])
    values = np.concatenate([TRUTH, curve, curve + new])
    return (ends[:, 0] < values) & (values < ends[:, 1])


def covered_if_linear(noise, new):
    """The same for the model's tangent at the truth, by the textbook's formulas."""
    jacobian, at = (model_jacobian(decay)(x, *TRUTH) for x in (X, AT))
    covariance = np.linalg.inv(jacobian.T @ jacobian)
    errors = covariance @ jacobian.T @ noise
    dof = len(X) - len(TRUTH)
    deviation = np.sqrt(np.sum((noise - jacobian @ errors) ** 2) / dof)
    band = at @ covariance @ at.T
    variances = np.concatenate([np.diag(covariance), band[0], 1 + band[0]])
    distances = np.concatenate([errors, at @ errors, new - at @ errors])
    return np.abs(distances) < student.ppf(0.975, dof) * deviation * np.sqrt(variances)


def test_intervals_and_bands_cover_as_often_as_they_say():
    """As often as for a linear model, where it is 95 % exactly.

    The same noise decides both. They disagree in 0.25 % of the samples, so that four Monte-Carlo
    standard errors of the difference are 1 % for 400 samples, and 2 % of each share for 2000.
    """
    rng = RNG(2026)
    differences = []
    for _ in range(400):
        noise = 0.05 * rng.standard_normal(len(X))
        new = 0.05 * rng.standard_normal(1)
        found = fit(decay, X, decay(X, *TRUTH) + noise, TRUTH)
        differences.append(1.0 * covered(found, new) - covered_if_linear(noise, new))
    assert np.shape(differences) == (400, 5)
    assert np.all(np.abs(np.mean(differences, axis=0)) <= 0.01)


def test_profile_intervals_cover_a_strongly_nonlinear_problem():
    """BOD with its own noise: 95 % within four Monte-Carlo standard errors."""
    truth = fit(saturation, BOD_TIMES, BOD, [20, 0.5])
    noise = np.sqrt(truth.chi_square / truth.dof)
    rng = RNG(1)
    inside = []
    while len(inside) < 100:
        y = truth.predict(BOD_TIMES) + noise * rng.standard_normal(6)
        try:
            low, high = fit(saturation, BOD_TIMES, y, truth.parameters)["rate"].profile_interval()
        except RuntimeError:  # no minimum
            continue
        inside.append(low < truth["rate"].value < high)
    assert 0.86 < np.mean(inside) <= 1


@pytest.mark.parametrize("level", [0, 1, -0.5, 95, np.nan])
def test_level_is_a_probability(level):
    with pytest.raises(ValueError, match=r"give a probability between 0 and 1, such as 0\.95"):
        murnaghan_fit().intervals(level)


def test_no_errors_without_degrees_of_freedom():
    found = fit(line, [0, 1], [1, 3], [0, 0])
    assert np.allclose(found.parameters, [1, 2], rtol=1e-14)
    assert np.all(np.isinf(found.standard_errors))
    for method in (
        found.intervals,
        found["slope"].profile_interval,
        lambda: found.confidence_band([0.5]),
        lambda: found.prediction_band([0.5]),
    ):
        with pytest.raises(ValueError, match="nothing is left to estimate errors from"):
            method()


# leverage


def test_leverage_of_a_line_has_its_closed_form():
    found = fit(line, X, NOISY, [1, 1])
    centered = X - X.mean()
    expected = 1 / len(X) + centered**2 / np.sum(centered**2)
    assert np.allclose(found.leverage, expected, rtol=1e-12)


def test_leverage_is_how_a_weighted_fit_follows_a_target():
    """Against refits: the derivative of each fitted value with respect to its own target."""
    sigma = np.linspace(0.02, 0.2, len(X))
    found = fit(line, X, NOISY, [1, 1], sigma)
    moved = [fit(line, X, NOISY + 0.5 * one, [1, 1], sigma).predict(X) for one in np.eye(len(X))]
    follows = np.diag(moved - found.predict(X)) / 0.5
    assert np.allclose(found.leverage, follows, rtol=1e-9)
    assert np.allclose(fit(line, X, NOISY, [1, 1], 7 * sigma).leverage, follows, rtol=1e-9)


def test_leverage_predicts_the_residual_of_a_point_left_out():
    """Exactly so for a model that is linear in its parameters."""
    sigma = np.linspace(0.02, 0.2, len(X))
    found = fit(line, X, NOISY, [1, 1], sigma)
    for i in (0, 7, 29):
        kept = np.arange(len(X)) != i
        without = fit(line, X[kept], NOISY[kept], [1, 1], sigma[kept])
        missed = NOISY[i] - without.predict(X[i : i + 1])[0]
        assert found.residuals[i] / (1 - found.leverage[i]) == pytest.approx(missed, rel=1e-9)


def test_leverages_add_up_to_the_number_of_parameters():
    found = murnaghan_fit()
    assert np.sum(found.leverage) == pytest.approx(4, rel=1e-12)
    assert np.all((found.leverage > 0) & (found.leverage < 1))
    assert found.leverage[0] == pytest.approx(0.957, abs=5e-4)


def test_leverage_takes_parameters_on_a_bound_as_known():
    bounds = ([0, 0, 0.6], [5, 5, 1])
    bounded = fit(decay, X, NOISY, [3, 1, 0.7], bounds=bounds)
    fixed = fit(partial(decay, offset=0.6), X, NOISY, [3, 1])
    assert bounded.parameters[2] == 0.6
    assert np.allclose(bounded.leverage, fixed.leverage, rtol=1e-6)
    assert np.sum(bounded.leverage) == pytest.approx(2, rel=1e-12)


def test_leverage_is_one_where_nothing_is_left_to_compare():
    assert np.allclose(fit(line, [0, 1], [1, 3], [0, 0]).leverage, 1, rtol=1e-12)


# bounds and fixed parameters


@pytest.mark.parametrize(
    ("bounds", "guess", "held"),
    [
        ((0, np.inf), [1, 1, 0.7], ()),
        (([0, 0, 0.6], [10, 10, 10]), [1, 1, 0.7], ("offset",)),
        (([0, 0, -1], [2, 0.9, 0.45]), [1, 0.5, 0], ("amplitude", "offset")),
        (Bounds([4, 0, 0], [5, 5, 5]), [4.5, 1, 1], ("amplitude",)),
        (([-np.inf, -np.inf, 0.55], np.inf), [1, 1, 1], ("offset",)),
        (([4, 2, 1], [5, 5, 5]), [4.5, 3, 2], ("amplitude", "offset")),
    ],
)
def test_bounds_mean_what_they_mean_in_curve_fit(bounds, guess, held):
    found = fit(decay, X, NOISY, guess, bounds=bounds)
    pair = (bounds.lb, bounds.ub) if isinstance(bounds, Bounds) else bounds
    tight = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-14)
    parameters, _ = curve_fit(decay, X, NOISY, guess, bounds=pair, **tight)
    assert np.allclose(found.parameters, parameters, rtol=1e-7)
    assert found.notes == tuple(f"{name} is on a bound" for name in held)
    for name in found.names:
        assert np.isnan(found[name].standard_error) == (name in held)


def test_free_parameters_have_errors_as_if_others_were_fixed():
    bounded = fit(decay, X, NOISY, [1, 1, 0.7], bounds=([0, 0, 0.6], 10))
    fixed = fit(partial(decay, offset=0.6), X, NOISY, [1, 1])
    assert fixed.names == ("amplitude", "rate")
    assert np.allclose(bounded.parameters[:2], fixed.parameters, rtol=1e-9)
    ratio = bounded.standard_errors[:2] / fixed.standard_errors
    assert np.allclose(ratio, np.sqrt(28 / 27), rtol=1e-8)
    assert np.allclose(bounded.confidence_band(X)[0], fixed.confidence_band(X)[0], rtol=1e-2)


@pytest.mark.parametrize("guess", [[0, 0, 0], [10, 10, 10], [10, 0, 0.1]])
def test_guess_on_a_bound_does_not_stay_there(guess):
    bounded = fit(decay, X, NOISY, guess, bounds=(0, 10))
    assert bounded.notes == ()
    assert np.allclose(bounded.parameters, fit(decay, X, NOISY, [1, 1, 0]).parameters, rtol=1e-9)


def test_bounds_that_nothing_touches_change_nothing():
    free = fit(saturation, BOD_TIMES, BOD, [20, 0.5])
    bounded = fit(saturation, BOD_TIMES, BOD, [20, 0.5], bounds=([0, 0], [100, 5]))
    assert np.allclose(bounded.parameters, free.parameters, rtol=1e-10)
    assert np.allclose(bounded.covariance, free.covariance, rtol=1e-8)
    assert bounded["rate"].profile_interval(0.99)[1] == 5.0


def test_profile_interval_ends_at_a_bound():
    found = fit(decay, X, NOISY, [1, 1, 0.7], bounds=([0, 0, 0.6], 10))
    low, high = found["offset"].profile_interval()
    assert low == 0.6
    assert high > 0.6


def test_parameter_is_fixed_by_a_lambda():
    found = fit(lambda x, rate, offset: decay(x, 3.0, rate, offset), X, NOISY, [1, 0])
    assert found.names == ("rate", "offset")


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((1, 0), "give lower bounds below the upper ones"),
        (([0, 0], [1, 1]), "each a number or one per parameter"),
        ((5, 6), "is outside of the bounds"),
        (7, "give \\(lower, upper\\)"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(bounds, message):
    with pytest.raises(ValueError, match=message):
        fit(decay, X, NOISY, [1, 1, 0], bounds=bounds)


# refusals


@pytest.mark.parametrize(
    ("model", "guess", "free"),
    [
        (lambda x, a, b, c: a * b * x + c, [1, 1, 1], "a, b"),
        (lambda x, a, b: a * x + 0 * b, [1, 1], "b"),
        (lambda x, a, b, c: a * np.exp(-b * x + c), [1, 1, 0], "a, c"),
        (lambda x, a, b: np.where(x > b, a, 0.5), [1, 2.5], "b"),
    ],
)
def test_parameters_that_data_do_not_determine_are_named(model, guess, free):
    with pytest.raises(ValueError, match=f"the data don't determine {free}: fix one of them"):
        fit(model, X, NOISY, guess)


@pytest.mark.parametrize(
    ("model", "targets", "guess", "runaway"),
    [
        (lambda x, maximum, rate: maximum * (1 - np.exp(-rate * x)), X, [1, 1], "maximum"),
        (lambda x, a: np.exp(a * x), (X == 0) * 1.0, [-1.0], "a"),
        (lambda x, a: np.exp(a * x), (X == 0) * 1.0, [0.0], "a"),
        (lambda x, k, c: 1 / (1 + np.exp(-k * (x - c))), (X > 2) * 1.0, [1, 1.5], "k"),
    ],
)
def test_parameter_of_a_minimum_at_infinity_is_named(model, targets, guess, runaway):
    with pytest.raises(RuntimeError, match=f"minimum at infinity: {runaway} grows without bound"):
        fit(model, X, targets, guess)


def test_search_that_fails_says_so():
    """Beale's function from ten times its standard start has no minimum on the way."""
    y = np.array([1.5, 2.25, 2.625])
    with pytest.raises(RuntimeError, match="did not converge from the guess"):
        fit(lambda i, a, b: a * (1 - b**i) - y, [1.0, 2.0, 3.0], np.zeros(3), [10.0, 10.0])


def test_any_data_give_a_minimum_or_a_reason():
    models = [
        lambda x, a, b: a * np.exp(b * x),
        lambda x, a, b: a / (b + x),
        lambda x, a, b: np.sqrt(a + b * x),
        lambda x, a, b: a**x * b,
    ]
    reasons = ("at the guess", "don't determine", "at infinity", "did not converge", "not finite")
    rng = RNG(7)
    seen = set()
    for _ in range(100):
        x, y = (rng.standard_normal(5) * 10.0 ** rng.integers(-6, 7) for _ in "xy")
        guess = rng.standard_normal(2) * 10.0 ** rng.integers(0, 4)
        try:
            found = fit(models[rng.integers(4)], x, y, guess)
        except (ValueError, RuntimeError) as refusal:
            (reason,) = [r for r in reasons if r in str(refusal)] or [str(refusal)]
            assert reason in reasons
            seen.add(reason)
        else:
            assert np.all(np.isfinite(found.parameters))
            assert np.all(np.isfinite(found.covariance))
            seen.add("fit")
    assert {"fit", "at the guess", "don't determine"} <= seen


def test_effort_is_bounded():
    """Evaluations, not seconds: no search goes on for ever."""
    calls = []

    def counted(x, a, b):
        calls.append(1)
        return np.sin(a * np.exp(b)) * x + np.cos(50 * b) * x**2

    with contextlib.suppress(ValueError, RuntimeError):
        fit(counted, X, np.sin(30 * X) * 1e6, [3e3, 8.0])
    assert len(calls) < 30_000


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"targets": NOISY[:-1]}, "30 inputs and 29 targets; give one target each"),
        ({"sigma": np.ones(3)}, "3 sigma and 30 targets; give one sigma each"),
        ({"sigma": np.zeros(30)}, r"sigma: contains 0\.0; give positive standard deviations"),
        ({"targets": np.where(X > 1, np.nan, NOISY)}, "targets: contains nan"),
        ({"inputs": np.where(X > 1, np.inf, X)}, "inputs: contains inf"),
        ({"guess": [1, np.nan, 0]}, "guess: contains nan"),
        ({"guess": [1, 1]}, "2 numbers for the parameters amplitude, rate, offset"),
        ({"guess": [1, 1, 1, 1]}, "4 numbers for the parameters"),
        ({"guess": []}, "the guess is empty"),
        ({"guess": [1, -1e4, 0]}, r"no finite value at input 1 \(0\.137.*\): it returns inf"),
        ({"inputs": X[:2], "targets": NOISY[:2]}, "2 points for 3 parameters"),
        ({"inputs": [], "targets": []}, "0 points for 3 parameters"),
        ({"model": lambda x, a, b, c: a * x[:, np.newaxis]}, r"returns shape \(30, 1\)"),
        ({"model": lambda x, a, b, c: np.floor(a * x)}, "uses floor, which has steps"),
        ({"model": lambda x, a, b, c: (a * x).astype(np.float32)}, "computes in float32"),
        ({"model": lambda x, a, *, b: a * x, "guess": [1]}, "takes b by keyword only"),
        ({"targets": NOISY * 1e200}, r"the largest target is 4e\+200 sigma"),
        ({"targets": NOISY * 1e-200}, "change the unit"),
    ],
)
def test_what_can_not_be_fitted_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        fit(**{"model": decay, "inputs": X, "targets": NOISY, "guess": [1, 1, 0]} | changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"targets": ["a"] * 30},
        {"guess": "abc"},
        {"model": lambda x, a, b, c: a * x + 1j * b},
    ],
)
def test_wrong_type_is_a_type_error(changed):
    with pytest.raises(TypeError):
        fit(**{"model": decay, "inputs": X, "targets": NOISY, "guess": [1, 1, 0]} | changed)


def test_callers_warnings_stay_warnings():
    def deprecated(x, a):
        warnings.warn("use another model", DeprecationWarning, stacklevel=1)
        return a * x

    with pytest.warns(DeprecationWarning, match="use another model"):
        assert fit(deprecated, X, 2 * X, [1]).parameters == pytest.approx([2])


# the result


def test_fit_can_not_be_changed():
    found = murnaghan_fit()
    assert isinstance(found, Fit)
    with pytest.raises(AttributeError):
        found.chi_square = 0.0
    for array in (found.parameters, found.covariance, found.residuals):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0


def test_fit_is_shown_as_a_small_table():
    found = murnaghan_fit()
    assert repr(found).splitlines()[1] == "bulk_modulus = 0.003736 ± 2.1e-05"
    assert found._repr_markdown_().splitlines() == [
        "| parameter | estimate | standard error | 95 % interval |",
        "|:--|--:|--:|:--|",
        "| energy0 | -400.02947 | 0.00011 | -400.02970 to -400.02923 |",
        "| bulk_modulus | 0.003736 | 2.1e-05 | 0.003692 to 0.003780 |",
        "| bulk_modulus_prime | 4.049 | 0.056 | 3.932 to 4.165 |",
        "| volume0 | 212.78 | 0.24 | 212.28 to 213.28 |",
    ]


def test_notes_are_shown_with_the_table():
    found = fit(decay, X, NOISY, [1, 1, 0.7], bounds=([0, 0, 0.6], 10))
    assert repr(found).splitlines()[2:] == ["offset = 0.6 ± nan", "offset is on a bound"]
    assert "| offset | 0.6 | nan | – |\n\noffset is on a bound" in found._repr_markdown_()


@pytest.mark.parametrize(
    ("model", "x", "y", "shown"),
    [
        (line, [0.0, 1.0, 2.0], [0.0, 0.0, 0.0], "intercept = 0 ± 0\nslope = 0 ± 0"),
        (line, [0, 1], [1, 3], "intercept = 1 ± inf\nslope = 2 ± inf"),
        (lambda x, a: a + 0 * x, [1.0, 2.0, 4.0], [1.0, 1.0, 1.0], "a = 1 ± 0"),
        (lambda x, a: a + 0 * x, [1, 2], [-1000.0, 1001.0], "a = 0.5 ± 1e+03"),
        (lambda x, a: a * x, [1.0, 2.0], [1.0e-6, 2.6e-6], "a = 1.24e-06 ± 1.2e-07"),
        (lambda x, a: a * x, [1.0, 2.0], [1.0e-6, 3.0e-6], "a = 1.40e-06 ± 2e-07"),
        (lambda x, a: a * x, [1.0, 2.0], [1.0e-6, 0.0], "a = 2.0e-07 ± 4e-07"),
        (lambda x, a: a + 0 * x, [1, 2], [-0.999e-3, 1.001e-3], "a = 1e-06 ± 0.001"),
        (lambda x, a: a + 0 * x, [1, 2], [-99.0, 101.0], "a = 1 ± 1e+02"),
    ],
)
def test_numbers_are_rounded_to_their_errors(model, x, y, shown):
    found = fit(model, x, y, np.zeros(2 if model is line else 1))
    assert repr(found) == shown


def test_predict_is_the_model_at_the_estimate():
    found = murnaghan_fit()
    volumes = np.array([200.0, 210.0])
    assert np.array_equal(found.predict([200, 210]), murnaghan(volumes, *found.parameters))


def test_default_is_fitted_only_where_the_guess_has_it():
    def model(x, a, b, c=0.0):
        return a + b * x + c * x**2

    assert fit(model, X, NOISY, [1, 1]).names == ("a", "b")
    assert fit(model, X, NOISY, [1, 1, 1]).names == ("a", "b", "c")
    assert fit(lambda x, a, *p: a + p[0] * x, X, NOISY, [1, 1]).names == ("p0", "p1")
    assert fit(lambda x, a, **options: a * x, X, NOISY, [1]).names == ("a",)


def test_small_problems_are_quick():
    """By a ratio in one run: no more than a few times SciPy's own fit of the same data."""

    def seconds(work):
        begin = time.process_time()
        for _ in range(20):
            work()
        return time.process_time() - begin

    ours = seconds(lambda: fit(decay, X, NOISY, [1, 1, 0]))
    peer = seconds(lambda: curve_fit(decay, X, NOISY, [1, 1, 0]))
    assert ours < 100 * peer
