"""A ⇌ B, against its rate law, an integrator, closed forms and quadrature."""

from pathlib import Path

import autograd.numpy as np
import mpmath
import pytest
from autograd import elementwise_grad, jacobian
from scipy import stats
from scipy.integrate import solve_ivp
from scipy.stats import norm, uniform

from helpers.reversible_reaction import (
    concentration,
    normalised_sensitivities,
    sensitivities,
    sobol_indices,
)
from helpers.tables import read_columns

REFERENCE = Path(__file__).parent / "reference"
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
    assert np.allclose(
        concentration(TIMES, forward, backward, initial), integrated.y[0], rtol=0, atol=1e-10
    )


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


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_one_pass_finds_what_autograd_finds_time_by_time(forward, backward, initial):
    by_autograd = [
        jacobian(concentration, which)(TIMES, forward, backward, initial) for which in (1, 2)
    ]
    found = sensitivities(TIMES, forward, backward, initial)
    assert np.allclose(found, np.stack(by_autograd, axis=1), rtol=0, atol=1e-15)


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_faster_constants_are_a_faster_clock(forward, backward, initial):
    """Σ k ∂[A]/∂k = t d[A]/dt, Euler's identity: [A] depends on the products of k and t only."""
    rate = elementwise_grad(concentration)(TIMES, forward, backward, initial)
    assert np.allclose(
        sensitivities(TIMES, forward, backward, initial) @ [forward, backward],
        TIMES * rate,
        rtol=0,
        atol=1e-14,
    )


def test_the_local_sensitivities_are_the_papers():
    times, forward, backward, s1, s2 = read_columns(
        REFERENCE / "sensitivity_local.csv", "t", "abs_dA_dk1", "abs_dA_dkm1", "S_k1", "S_km1"
    )
    assert np.allclose(
        np.abs(sensitivities(times, 3, 3)),
        np.stack([forward, backward], axis=1),
        rtol=1e-10,
        atol=1e-13,
    )
    found = normalised_sensitivities(times, 3, 3, 0.3, 1)
    assert np.allclose(found, np.stack([s1, s2], axis=1), rtol=0, atol=1e-11)


def test_the_normalised_sensitivities_cross_where_both_are_half_of_the_variance():
    assert normalised_sensitivities([0.188724447045722], 3, 3, 0.3, 1) == pytest.approx(
        np.sqrt(0.5), rel=1e-12
    )


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_at_the_start_only_the_forward_constant_counts(forward, backward, initial):
    assert np.array_equal(normalised_sensitivities([0], forward, backward, 0.3, 1), [[1, 0]])


@pytest.mark.parametrize("time", [1e-300, 1e-17, 1e-12, 1e-9, 1.6e-9])
def test_there_the_other_grows_in_proportion_to_the_time(time):
    assert normalised_sensitivities([time], 3, 3, 0.3, 1)[0] == pytest.approx(
        [1, 3 * time / 2 / 0.3], rel=1e-7, abs=0
    )


def test_the_squares_share_out_the_variance():
    squares = normalised_sensitivities(TIMES, 2, 5, 0.7, 0.2) ** 2
    assert np.allclose(squares.sum(axis=1), 1, rtol=1e-14)
    variances = (sensitivities(TIMES[1:], 2, 5) * [0.7, 0.2]) ** 2
    assert np.allclose(squares[1:], variances / variances.sum(axis=1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_sobol_indices_are_those_of_the_quadrature(seed):
    names = ["t", "S1_k1", "S1_km1", "ST_k1", "ST_km1"]
    times, *exact = read_columns(REFERENCE / "sensitivity_sobol.csv", *names)
    found = sobol_indices(times, norm(3, 0.3), norm(3, 1), np.random.default_rng(seed))
    assert np.allclose(np.hstack(found), np.stack(exact, axis=1), rtol=0, atol=3e-3)


def test_their_limits_at_the_start_are_those_of_the_forward_constant_alone():
    (first,), (total,) = sobol_indices([0], norm(3, 0.3), norm(3, 1), np.random.default_rng(0))
    assert first[1] == total[1] == 0
    assert [first[0], total[0]] == pytest.approx([1, 1], abs=1e-3)


def test_small_uncertainties_make_the_squares_of_the_local_ones():
    first, total = sobol_indices(TIMES, norm(3, 0.003), norm(3, 0.01), np.random.default_rng(0))
    squares = normalised_sensitivities(TIMES, 3, 3, 0.003, 0.01) ** 2
    assert np.allclose(first, squares, rtol=0, atol=1e-3)
    assert np.allclose(total, squares, rtol=0, atol=1e-3)


def test_they_are_those_of_a_by_plain_double_sampling():
    """S1 = Var E[A | k] / Var A, the inner mean and the outer variance over uniform grids."""
    middle = (np.arange(400) + 0.5) / 400
    k1, k_1 = np.meshgrid(2 + 2 * middle, 1 + 3 * middle, indexing="ij")
    a = concentration(0.3, k1, k_1)
    exact = [a.mean(axis=1).var() / a.var(), a.mean(axis=0).var() / a.var()]
    found, _ = sobol_indices([0.3], uniform(2, 2), uniform(1, 3), np.random.default_rng(0))
    assert found[0] == pytest.approx(exact, abs=3e-3)


def test_the_generator_decides_and_one_time_is_like_many():
    runs = [
        sobol_indices(times, norm(3, 0.3), norm(3, 1), np.random.default_rng(7))
        for times in ([0.3], [0.1, 0.3])
    ]
    assert np.allclose(runs[0][0], runs[1][0][1:], rtol=1e-13)
    assert runs[0][0].shape == runs[0][1].shape == (1, 2)


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda: sensitivities([-1], 3, 3), "times from the start"),
        (lambda: sensitivities([], 3, 3), "times from the start"),
        (lambda: sensitivities([np.nan], 3, 3), "give finite numbers"),
        (lambda: sensitivities([1], -1, 3), "none below zero"),
        (lambda: sensitivities([-1, 1], 3, 3), "times from the start"),
        (
            lambda: sensitivities([1], 3, -1),
            "the rate constants are 3 and -1; give none below zero",
        ),
        (lambda: sensitivities([1], np.nan, 3), "none below zero"),
        (lambda: sensitivities([1], np.inf, 3), "none below zero"),
        (
            lambda: sensitivities([1], 3, 3, 0),
            "the initial concentration is 0; give",
        ),
        (lambda: sensitivities([1], 3, 3, np.inf), "the initial concentration is inf"),
        (
            lambda: normalised_sensitivities([1], 3, 3, -1, 2),
            "deviations are -1 and 2; give positive ones",
        ),
        (lambda: normalised_sensitivities([1], 3, 3, 0, 1), "give positive ones"),
        (lambda: normalised_sensitivities([1], 3, 3, 2, 0), "give positive ones"),
        (lambda: normalised_sensitivities([1], 3, 3, 1, np.inf), "give positive ones"),
        (
            lambda: sobol_indices([1], norm(3, 1), norm(3, 1), 0, n_samples=1000),
            "n_samples is 1000; give a power of 2",
        ),
        (
            lambda: sobol_indices([1], norm(3, 1), norm(3, 1), 0, n_samples=1),
            "give an integer, at least 2",
        ),
        (lambda: sobol_indices([0, 1e3], norm(-5, 1), norm(-5, 1), 0), "other distributions"),
        (lambda: sobol_indices([1e3], norm(-5, 1), norm(-5, 1), 0), "other distributions"),
    ],
)
def test_what_makes_no_sense_is_refused(call, advice):
    with pytest.raises(ValueError, match=advice):
        call()


@pytest.mark.parametrize(("forward", "backward"), [(5.0, 0.0), (0.0, 2.0)])
def test_the_squares_share_out_the_variance_of_a_reaction_that_goes_one_way(forward, backward):
    squares = normalised_sensitivities(TIMES[1:], forward, backward, 0.7, 0.2) ** 2
    variances = (sensitivities(TIMES[1:], forward, backward) * [0.7, 0.2]) ** 2
    assert np.allclose(squares, variances / variances.sum(axis=1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 86400])
@pytest.mark.parametrize(("forward", "backward"), [(3.0, 2.0), (5.0, 0.0)])
def test_the_units_of_time_and_concentration_don_t_matter(unit, forward, backward):
    there = sensitivities(TIMES * unit, forward / unit, backward / unit, 2e-3) / unit / 2e-3
    assert np.allclose(there, sensitivities(TIMES, forward, backward), rtol=1e-11, atol=1e-15)
    there = normalised_sensitivities(
        TIMES * unit, forward / unit, backward / unit, 0.3 / unit, 1 / unit
    )
    assert np.allclose(
        there, normalised_sensitivities(TIMES, forward, backward, 0.3, 1), rtol=1e-11, atol=1e-15
    )


def test_sobol_indices_do_not_depend_on_the_time_zero():
    """The mean rate of loss has the indices of [A]: checked by sampling [A] itself."""
    known_as = norm(3, 0.3), norm(3, 1)
    found = sobol_indices([0.3], *known_as, np.random.default_rng(0), n_samples=2**12)
    direct = stats.sobol_indices(
        func=lambda k: concentration(0.3, *k),
        n=2**12,
        dists=list(known_as),
        rng=np.random.default_rng(0),
    )
    assert np.allclose(found[0][0], direct.first_order, rtol=0, atol=1e-12)
    assert np.allclose(found[1][0], direct.total_order, rtol=0, atol=1e-12)


def test_number_of_samples_is_an_integer():
    with pytest.raises(TypeError, match="give an integer, at least 2"):
        sobol_indices([1], norm(3, 1), norm(3, 1), 0, n_samples=1.5)


def test_without_reactions_the_concentration_stays():
    assert concentration(1.0, 0.0, 0.0, 2.5) == 2.5
    assert np.array_equal(sensitivities([1.0], 0.0, 0.0, 2.5), [[-2.5, 0.0]])


@pytest.mark.parametrize(("forward", "backward"), [(3.0, 3.0), (3.0, 0.0), (0.0, 3.0), (2, 1e-9)])
def test_values_and_derivatives_have_all_digits_at_all_times(forward, backward):
    """Against closed forms in 700 digits, because they cancel at early times."""
    times = np.array([1e-300, 1e-150, 1e-17, 1e-9, 2e-9, 1e-8, 1e-6, 1e-3, 0.1, 1.0, 10.0, 100.0])
    exact = []
    with mpmath.workdps(700):
        k1, k_1 = mpmath.mpf(forward), mpmath.mpf(backward)
        total = k1 + k_1
        for t in map(mpmath.mpf, times.tolist()):
            decay = mpmath.exp(-total * t)
            value = (k1 * decay + k_1) / total
            by_forward = -k_1 * (1 - decay) / total**2 - k1 * t * decay / total
            by_backward = k1 * (1 - decay) / total**2 - k1 * t * decay / total
            exact.append([float(value), float(by_forward), float(by_backward)])
    exact = np.array(exact)
    assert np.allclose(concentration(times, forward, backward), exact[:, 0], rtol=1e-14, atol=0)
    found = sensitivities(times, forward, backward)
    assert np.allclose(found, exact[:, 1:], rtol=3e-14, atol=1e-307)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.abs(exact[:, 1:] / times[:, np.newaxis]) * [0.3, 1.0]
    shares /= np.linalg.norm(shares, axis=1, keepdims=True)
    shares = np.where(times[:, np.newaxis] < 1e-140, [1, 0], shares)
    found = normalised_sensitivities(times, forward, backward, 0.3, 1.0)
    assert np.allclose(found, shares, rtol=1e-13, atol=1e-140)
