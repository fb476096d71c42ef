"""A ⇌ B, against its rate law, an integrator, closed forms in many digits and quadrature."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import autograd.numpy as np
import mpmath
import pytest
from autograd import deriv, elementwise_grad, grad, hessian, jacobian
from autograd.test_util import check_grads
from scipy import stats
from scipy.integrate import solve_ivp
from scipy.stats import norm, uniform

from helpers.reversible_reaction import (
    concentration,
    normalised_sensitivities,
    sensitivities,
    sobol_indices,
    sobol_intervals,
)
from helpers.tables import read_columns

REFERENCE = Path(__file__).parent / "data"
TIMES = np.linspace(0, 0.5, 51)
CONSTANTS = [(3.0, 3.0, 1.0), (0.7, 2.5, 3.0), (5.0, 0.0, 1.0), (0.0, 2.0, 1.0)]


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_concentration_obeys_the_rate_law(forward, backward, initial):
    a = concentration(TIMES, forward, backward, initial)
    rate = elementwise_grad(concentration)(TIMES, forward, backward, initial)
    assert np.allclose(rate, backward * (initial - a) - forward * a, rtol=0, atol=1e-13)
    assert a[0] == pytest.approx(initial, rel=1e-15)


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_concentration_agrees_with_an_integrator(forward, backward, initial):
    integrated = solve_ivp(
        lambda _, a: backward * (initial - a) - forward * a,
        (0, 0.5), [initial], t_eval=TIMES, rtol=1e-12, atol=1e-13, method="DOP853",
    )  # fmt: skip
    assert np.allclose(
        concentration(TIMES, forward, backward, initial), integrated.y[0], rtol=0, atol=1e-10
    )


def test_concentration_ends_at_the_equilibrium():
    assert concentration(100.0, 3.0, 1.0, 2.0) == pytest.approx(2.0 * 1 / 4, rel=1e-15)


def test_derivatives_at_equal_constants_are_the_closed_forms():
    decay = np.exp(-6 * TIMES)
    forward = jacobian(concentration, 1)(TIMES, 3.0, 3.0)
    backward = jacobian(concentration, 2)(TIMES, 3.0, 3.0)
    assert np.allclose(forward, -(1 - decay) / 12 - TIMES / 2 * decay, rtol=0, atol=1e-14)
    assert np.allclose(backward, (1 - decay) / 12 - TIMES / 2 * decay, rtol=0, atol=1e-14)


def test_sensitivity_to_k_forward_peaks_at_a_third_of_a_second():
    sensitivity = elementwise_grad(concentration, 1)
    assert sensitivity(1 / 3, 3.0, 3.0) == pytest.approx(-0.0946112736030511, abs=1e-15)
    assert elementwise_grad(sensitivity)(1 / 3, 3.0, 3.0) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_sensitivities_are_autograds_jacobians(forward, backward, initial):
    by_autograd = [
        jacobian(concentration, which)(TIMES, forward, backward, initial) for which in (1, 2)
    ]
    found = sensitivities(TIMES, forward, backward, initial)
    assert np.allclose(found, np.stack(by_autograd, axis=1), rtol=0, atol=1e-15)


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_faster_constants_act_like_a_faster_clock(forward, backward, initial):
    """Σ k ∂[A]/∂k = t d[A]/dt, Euler's identity: [A] depends on the products of k and t only."""
    rate = elementwise_grad(concentration)(TIMES, forward, backward, initial)
    assert np.allclose(
        sensitivities(TIMES, forward, backward, initial) @ [forward, backward],
        TIMES * rate,
        rtol=0,
        atol=1e-14,
    )


def test_sensitivities_are_those_of_the_paper():
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


def test_shares_cross_where_both_are_half_of_the_variance():
    assert normalised_sensitivities([0.188724447045722], 3, 3, 0.3, 1) == pytest.approx(
        np.sqrt(0.5), rel=1e-12
    )


@pytest.mark.parametrize(("forward", "backward", "initial"), CONSTANTS)
def test_at_the_start_k_forward_has_the_whole_share(forward, backward, initial):
    assert np.array_equal(normalised_sensitivities([0], forward, backward, 0.3, 1), [[1, 0]])


@pytest.mark.parametrize("time", [1e-300, 1e-17, 1e-12, 1e-9, 1.6e-9, 2e-9, 1e-8, 1e-7, 1e-6])
def test_share_of_k_backward_grows_linearly_at_first(time):
    """S = σ-1 / σ1 · k1 t / 2, with a correction of the order of k t."""
    assert normalised_sensitivities([time], 3, 3, 0.3, 1)[0] == pytest.approx(
        [1, 3 * time / 2 / 0.3], rel=max(1e-14, 10 * time), abs=0
    )


def test_squared_shares_divide_the_variance():
    squares = normalised_sensitivities(TIMES, 2, 5, 0.7, 0.2) ** 2
    assert np.allclose(squares.sum(axis=1), 1, rtol=1e-14)
    variances = (sensitivities(TIMES[1:], 2, 5) * [0.7, 0.2]) ** 2
    assert np.allclose(squares[1:], variances / variances.sum(axis=1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_sobol_indices_agree_with_quadrature(seed):
    names = ["t", "S1_k1", "S1_km1", "ST_k1", "ST_km1"]
    times, *exact = read_columns(REFERENCE / "sensitivity_sobol.csv", *names)
    found = sobol_indices(times, norm(3, 0.3), norm(3, 1), np.random.default_rng(seed))
    assert np.allclose(np.hstack(found), np.stack(exact, axis=1), rtol=0, atol=3e-3)


@pytest.mark.parametrize("seed", range(3))
def test_sobol_intervals_contain_the_indices_by_quadrature(seed):
    names = ("t", "S1_k1", "S1_km1", "ST_k1", "ST_km1")
    times, *exact = read_columns(REFERENCE / "sensitivity_sobol.csv", *names)
    rng = np.random.default_rng(seed)
    first, total = sobol_intervals(times[1:], norm(3, 0.3), norm(3, 1), rng, n_samples=2**10)
    for (lower, upper), indices in zip((first, total), (exact[:2], exact[2:]), strict=True):
        assert np.all(lower < np.transpose(indices)[1:])
        assert np.all(np.transpose(indices)[1:] < upper)


def test_sobol_intervals_do_not_depend_on_the_workers():
    def intervals(workers):
        rng = np.random.default_rng(0)
        known_as = norm(3, 0.3), norm(3, 1)
        return sobol_intervals([0.1, 1], *known_as, rng, 2**8, n_resamples=20, workers=workers)

    with ThreadPoolExecutor(2) as executor:
        assert np.array_equal(intervals(executor.map), intervals(map))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert np.array_equal(intervals(executor.map), intervals(map))


def test_sobol_intervals_shrink_with_the_square_root_of_the_samples():
    widths = [
        np.diff(
            sobol_intervals([0.3], norm(3, 0.3), norm(3, 1), np.random.default_rng(0), n)[0], axis=0
        )
        for n in (2**8, 2**12)
    ]
    assert np.allclose(widths[0] / widths[1], 4, rtol=0.3)


def test_sobol_intervals_have_the_width_of_independent_samples():
    """Checked by the scatter of the estimate over 300 sets of independent samples."""
    known_as = norm(3, 0.3), norm(3, 1)
    n_samples = 2**9
    rng = np.random.default_rng(0)
    estimates = []
    for _ in range(300):
        first, second = (
            np.array([known.rvs(n_samples, random_state=rng) for known in known_as])
            for _ in range(2)
        )
        mixed = np.array([second[0], first[1]])
        f_first, f_second, f_mixed = (concentration(0.3, *k) for k in (first, second, mixed))
        centred = f_second - np.mean(f_second)
        variance = np.var([f_first, f_second])
        estimates.append(np.mean(centred * (f_mixed - f_first)) / variance)
    (ends,) = np.transpose(sobol_intervals([0.3], *known_as, rng, n_samples)[0], (1, 0, 2))
    assert np.diff(ends[:, 0]) == pytest.approx(2 * 1.96 * np.std(estimates), rel=0.35)


def test_sobol_indices_at_the_start_belong_to_k_forward_alone():
    (first,), (total,) = sobol_indices([0], norm(3, 0.3), norm(3, 1), np.random.default_rng(0))
    assert first[1] == total[1] == 0
    assert [first[0], total[0]] == pytest.approx([1, 1], abs=1e-3)


def test_sobol_indices_of_small_errors_are_squared_shares():
    first, total = sobol_indices(TIMES, norm(3, 0.003), norm(3, 0.01), np.random.default_rng(0))
    squares = normalised_sensitivities(TIMES, 3, 3, 0.003, 0.01) ** 2
    assert np.allclose(first, squares, rtol=0, atol=1e-3)
    assert np.allclose(total, squares, rtol=0, atol=1e-3)


def test_sobol_indices_agree_with_a_grid_of_constants():
    """S1 = Var E[A | k] / Var A, the inner mean and the outer variance over uniform grids."""
    middle = (np.arange(400) + 0.5) / 400
    k1, k_1 = np.meshgrid(2 + 2 * middle, 1 + 3 * middle, indexing="ij")
    a = concentration(0.3, k1, k_1)
    exact = [a.mean(axis=1).var() / a.var(), a.mean(axis=0).var() / a.var()]
    found, _ = sobol_indices([0.3], uniform(2, 2), uniform(1, 3), np.random.default_rng(0))
    assert found[0] == pytest.approx(exact, abs=3e-3)


def test_sobol_indices_depend_on_the_generator_not_on_the_times():
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
def test_arguments_without_meaning_are_refused(call, advice):
    with pytest.raises(ValueError, match=advice):
        call()


@pytest.mark.parametrize(("forward", "backward"), [(5.0, 0.0), (0.0, 2.0)])
def test_squared_shares_divide_the_variance_of_one_way_reactions(forward, backward):
    squares = normalised_sensitivities(TIMES[1:], forward, backward, 0.7, 0.2) ** 2
    variances = (sensitivities(TIMES[1:], forward, backward) * [0.7, 0.2]) ** 2
    assert np.allclose(squares, variances / variances.sum(axis=1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 86400])
@pytest.mark.parametrize(("forward", "backward"), [(3.0, 2.0), (5.0, 0.0)])
def test_sensitivities_follow_a_change_of_units(unit, forward, backward):
    other = sensitivities(TIMES * unit, forward / unit, backward / unit, 2e-3) / unit / 2e-3
    assert np.allclose(other, sensitivities(TIMES, forward, backward), rtol=1e-11, atol=1e-15)
    other = normalised_sensitivities(
        TIMES * unit, forward / unit, backward / unit, 0.3 / unit, 1 / unit
    )
    assert np.allclose(
        other, normalised_sensitivities(TIMES, forward, backward, 0.3, 1), rtol=1e-11, atol=1e-15
    )


def test_sobol_indices_agree_with_sampling_the_concentration():
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


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"n_samples": 1000}, "give a power of 2"),
        ({"level": 95}, "give a probability between 0 and 1"),
        ({"n_resamples": 1}, "give an integer, at least 2"),
    ],
)
def test_intervals_without_meaning_are_refused(options, advice):
    with pytest.raises(ValueError, match=advice):
        sobol_intervals([1], norm(3, 1), norm(3, 1), np.random.default_rng(0), **options)


def test_a_fractional_number_of_samples_is_a_type_error():
    with pytest.raises(TypeError, match="give an integer, at least 2"):
        sobol_indices([1], norm(3, 1), norm(3, 1), 0, n_samples=1.5)


# Values and derivatives in many digits

ALL_TIMES = np.concatenate([[2e-9], np.logspace(-300, 3, 102), np.linspace(0.01, 1, 20)])
EXTREMES = [(3.0, 3.0), (0.7, 2.5), (5.0, 0.0), (0.0, 2.0), (2.0, 1e-9), (1e-3, 1e4), (0.0, 0.0)]
SIGMAS = (0.3, 1.0)


def exact(time, forward, backward):
    """[A], ∂[A]/∂k1 and ∂[A]/∂k-1, to be called with digits to spare: they cancel early on."""
    t, k1, k_1 = (mpmath.mpf(float(number)) for number in (time, forward, backward))
    total = k1 + k_1
    if total == 0:
        return mpmath.mpf(1), -t, mpmath.mpf(0)
    decay = mpmath.exp(-total * t)
    value = (k1 * decay + k_1) / total
    by_forward = -k_1 * (1 - decay) / total**2 - k1 * t * decay / total
    by_backward = k1 * (1 - decay) / total**2 - k1 * t * decay / total
    return value, by_forward, by_backward


def exact_shares(time, forward, backward):
    _, *slopes = exact(time, forward, backward)
    parts = [sigma * abs(slope) for sigma, slope in zip(SIGMAS, slopes, strict=True)]
    norm = mpmath.sqrt(sum(part**2 for part in parts))
    return [part / norm for part in parts]


def table(function, forward, backward):
    with mpmath.workdps(700):
        return np.array([[float(v) for v in function(t, forward, backward)] for t in ALL_TIMES])


def assert_relative(found, expected, tolerance):
    """Each number by itself; where it is denormal, to the last bits that there are."""
    assert np.all(np.abs(found - expected) <= tolerance * np.abs(expected) + 2 * np.spacing(0.0))


@pytest.mark.parametrize(("forward", "backward"), EXTREMES)
def test_concentration_has_all_digits_at_all_times(forward, backward):
    found = concentration(ALL_TIMES, forward, backward)
    assert_relative(found, table(exact, forward, backward)[:, 0], 1e-14)


@pytest.mark.parametrize(("forward", "backward"), EXTREMES)
def test_sensitivities_have_all_digits_at_all_times(forward, backward):
    found = sensitivities(ALL_TIMES, forward, backward)
    assert_relative(found, table(exact, forward, backward)[:, 1:], 1e-14)


@pytest.mark.parametrize("differentiated", [elementwise_grad, deriv], ids=["reverse", "forward"])
@pytest.mark.parametrize(("forward", "backward"), EXTREMES)
def test_derivatives_by_autograd_have_all_digits(forward, backward, differentiated):
    known = table(exact, forward, backward)
    constants = (np.full(len(ALL_TIMES), forward), np.full(len(ALL_TIMES), backward))
    for which in (1, 2):
        found = differentiated(concentration, which)(ALL_TIMES, *constants)
        assert_relative(found, known[:, which], 1e-14)


@pytest.mark.parametrize(("forward", "backward"), EXTREMES)
def test_shares_have_all_digits_at_all_times(forward, backward):
    found = normalised_sensitivities(ALL_TIMES, forward, backward, *SIGMAS)
    assert_relative(found, table(exact_shares, forward, backward), 1e-14)


@pytest.mark.parametrize("time", [0.0, 1.0, 1e100])
def test_without_reactions_the_concentration_stays(time):
    assert concentration(time, 0.0, 0.0) == 1.0
    assert concentration(1, 0, 0, 2.5) == 2.5
    assert np.array_equal(concentration(np.array([0.0, time]), 0.0, 0.0, 2.5), [2.5, 2.5])
    assert np.array_equal(sensitivities([time], 0.0, 0.0, 2.5), [[-2.5 * time, 0.0]])


@pytest.mark.parametrize("which", range(4))
def test_concentration_takes_integers(which):
    numbers = (1, 3, 2, 1)
    assert concentration(*numbers) == concentration(*map(float, numbers))
    arrays = [np.full(2, number) if i == which else number for i, number in enumerate(numbers)]
    assert np.array_equal(concentration(*arrays), np.full(2, concentration(1.0, 3.0, 2.0, 1.0)))


# Derivatives with any mixture of scalars and arrays

POINTS = {
    "scalars": (0.3, 3.0, 2.0, 1.5),
    "times": (np.linspace(0.1, 0.5, 4), 3.0, 2.0, 1.5),
    "constants": (0.3, np.array([3.0, 1.0, 0.5]), 2.0, 1.5),
    "times by constants": (np.linspace(0.1, 0.5, 4), np.array([[3.0], [1.0], [0.5]]), 2.0, 1.5),
    "all of one shape": tuple(np.random.default_rng(0).uniform(0.5, 2, (4, 3))),
    "all but k1 arrays": (
        np.linspace(0.1, 0.5, 4),
        3.0,
        np.array([[2.0], [1.0]]),
        np.full((2, 1), 1.5),
    ),
    "a column of initial values": (np.linspace(0.1, 0.5, 4), 3.0, 2.0, np.array([[1.0], [2.0]])),
}
each_point = pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
each_argument = pytest.mark.parametrize("which", range(4), ids=["t", "k1", "k-1", "initial"])


def plain(time, k_forward, k_backward, initial):
    """The closed form in elementary functions, whose derivatives autograd knows by itself."""
    total = k_forward + k_backward
    return initial / total * (k_forward * np.exp(-total * time) + k_backward)


@each_point
def test_concentration_broadcasts_like_the_closed_form(point):
    found = concentration(*point)
    assert np.shape(found) == np.shape(plain(*point))
    assert np.allclose(found, plain(*point), rtol=1e-14)


@each_point
@each_argument
def test_jacobian_of_concentration_broadcasts(point, which):
    point = tuple(np.asarray(argument, dtype=float) for argument in point)
    found = jacobian(concentration, which)(*point)
    expected = jacobian(plain, which)(*point)
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-15)


@each_point
@each_argument
def test_forward_derivative_of_concentration_broadcasts(point, which):
    found = deriv(concentration, which)(*point)
    assert np.allclose(found, deriv(plain, which)(*point), rtol=1e-12, atol=1e-15)


@each_argument
def test_grad_of_concentration_is_the_closed_forms(which):
    point = POINTS["scalars"]
    assert grad(concentration, which)(*point) == pytest.approx(
        grad(plain, which)(*point), rel=1e-13
    )


@each_point
def test_second_derivatives_of_concentration_are_right(point):
    """In forward and reverse mode, against finite differences."""
    check_grads(concentration, modes=["rev", "fwd"], order=2)(*point)


def test_hessian_of_concentration_is_the_closed_forms():
    point = np.array(POINTS["scalars"])
    found = hessian(lambda p: concentration(*p))(point)
    assert np.allclose(found, hessian(lambda p: plain(*p))(point), rtol=1e-12, atol=1e-14)


def test_hessian_of_concentration_without_reactions():
    """[A] = [A]0 (1 - k1 t + k1 (k1 + k-1) t²/2 - …)."""
    t, initial = 0.3, 1.5
    found = hessian(lambda p: concentration(*p))(np.array([t, 0.0, 0.0, initial]))
    exact_values = initial * np.array(
        [[0, -1, 0, 0], [-1, t**2, t**2 / 2, -t / initial], [0, t**2 / 2, 0, 0], [0] * 4]
    )
    exact_values[3, 1] = -t
    assert np.allclose(found, exact_values, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("unit", [1e-9, 1e-3, 60.0, 86400.0])
@each_argument
def test_derivatives_of_concentration_follow_the_units(unit, which):
    """Times in another unit, and concentrations in mmol/L instead of mol/L."""
    factors = np.array([unit, 1 / unit, 1 / unit, 1e3])
    point = np.array(POINTS["scalars"])
    found = grad(concentration, which)(*(point * factors)) * factors[which] / 1e3
    assert found == pytest.approx(grad(concentration, which)(*point), rel=1e-13)
