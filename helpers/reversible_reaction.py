"""The reversible first-order reaction A ⇌ B: its course and its sensitivities.

Times are in s and rate constants in 1/s, or in any unit and its reciprocal.
"""

from functools import partial

import autograd.numpy as np
import numpy
from autograd.extend import defjvp, defvjp, primitive
from autograd.numpy.numpy_vjps import unbroadcast_f
from scipy import special, stats

from helpers.autodiff import model_jacobian
from helpers.validation import check_integer, finite_array


def concentration(time, k_forward, k_backward, initial=1.0):
    """Concentration of A at `time`, starting from pure A at `initial`, in the unit of `initial`.

    [A] = [A]0 / (k1 + k-1) · (k1 exp(-(k1 + k-1) t) + k-1), or [A]0 where both constants are zero.
    Source: Saltelli, Ratto, Tarantola & Campolongo, Chem. Rev. 105, 2811 (2005), section 2.1.
    """
    return initial * _remaining(time, k_forward, k_backward)


@primitive
def _moment(n, x):
    """∫₀¹ sⁿ exp(-x s) ds: every derivative of (1 - exp(-x)) / x, to the last digits at any x."""
    return special.hyp1f1(n + 1, n + 2, -numpy.asarray(x, dtype=float)) / (n + 1)


defvjp(_moment, lambda moment, n, x: lambda g: -g * _moment(n + 1, x), argnums=[1])
defjvp(_moment, lambda g, moment, n, x: -g * _moment(n + 1, x), argnums=[1])


@primitive
def _remaining(time, k_forward, k_backward):
    """[A] / [A]0, a sum of terms that don't cancel; so are its derivatives."""
    x = (k_forward + k_backward) * time
    return numpy.exp(-x) + k_backward * time * _moment(0, x)


def _by_time(time, k_forward, k_backward):
    return -k_forward * np.exp(-(k_forward + k_backward) * time)


def _by_k_forward(time, k_forward, k_backward):
    x = (k_forward + k_backward) * time
    return -time * (np.exp(-x) + k_backward * time * _moment(1, x))


def _by_k_backward(time, k_forward, k_backward):
    return k_forward * time**2 * _moment(1, (k_forward + k_backward) * time)


PARTIALS = (_by_time, _by_k_forward, _by_k_backward)
defvjp(
    _remaining,
    *(
        lambda _, *args, i=i, partial=partial: unbroadcast_f(args[i], lambda g: g * partial(*args))
        for i, partial in enumerate(PARTIALS)
    ),
)
defjvp(
    _remaining, *(lambda g, _, *args, partial=partial: g * partial(*args) for partial in PARTIALS)
)


def sensitivities(time, k_forward, k_backward, initial=1.0):
    """∂[A]/∂k1 and ∂[A]/∂k-1 at `time`, shape (n_times, 2), in the unit of `initial` times s."""
    time = _times(time)
    _check_constants(k_forward, k_backward)
    if not 0 < initial < np.inf:
        raise ValueError(f"the initial concentration is {initial}; give a positive number")
    return model_jacobian(concentration)(time, k_forward, k_backward, initial)[:, :2]


def normalised_sensitivities(time, k_forward, k_backward, sigma_forward, sigma_backward):
    """Normalised sensitivities σ_k / σ_A · |∂[A]/∂k| of [A] to k1 and k-1, shape (n_times, 2).

    σ_A² = Σ σ_k² (∂[A]/∂k)², so that their squares, the shares of the variance, add up to 1; the
    σ_k are standard deviations in 1/s. At t = 0 both derivatives vanish. Divided by t they do not,
    and their limits give the result there: 1, 0.
    Source: Saltelli et al. (2005), Figure 2b.
    """
    time = _times(time)
    _check_constants(k_forward, k_backward)
    if not (0 < sigma_forward < np.inf and 0 < sigma_backward < np.inf):
        raise ValueError(
            f"the standard deviations are {sigma_forward} and {sigma_backward}; give positive ones"
        )
    x = (k_forward + k_backward) * time
    by_forward = np.exp(-x) + k_backward * time * _moment(1, x)  # both derivatives, over t
    by_backward = k_forward * time * _moment(1, x)
    shares = np.stack([sigma_forward * by_forward, sigma_backward * by_backward], axis=1)
    return shares / np.linalg.norm(shares, axis=1, keepdims=True)


def sobol_indices(time, k_forward, k_backward, rng, n_samples=2**14):
    """First-order and total indices of k1 and k-1 in the variance of [A], each (n_times, 2).

    `k_forward` and `k_backward` are distributions of scipy.stats, such as `norm(3, 0.3)`;
    `n_samples`, a power of 2, is the size of each sample. At t = 0 [A] has no variance to share.
    The mean rate of its loss, ([A]0 - [A]) / t, has: there it is k1 itself. At later times the
    indices of both are the same, because a constant that is added or multiplied changes none. So
    the mean rate is sampled, and t = 0 receives the limits.
    Source: Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), `scipy.stats.sobol_indices`.
    """
    model = _mean_rate(time)
    n_samples = _check_n_samples(n_samples)
    found = stats.sobol_indices(func=model, n=n_samples, dists=[k_forward, k_backward], rng=rng)
    first_order = found.first_order.reshape(-1, 2)  # a single time comes without its axis
    return first_order, found.total_order.reshape(-1, 2)


def sobol_intervals(
    time, k_forward, k_backward, rng, n_samples=2**12, level=0.95, n_resamples=200, workers=map
):
    """Bootstrap intervals (lower, upper) of the `sobol_indices`, two arrays (2, n_times, 2).

    The samples are those of `sobol_indices` for an `rng` of the same seed. They are drawn again
    with replacement, `n_resamples` times, and the interval holds the middle `level` of the indices
    that result. It assumes independent samples. SciPy's fill the space more evenly than that, so
    that the indices usually are closer to the truth than the interval says. `workers` is the
    built-in `map` or anything that is called like it; the result doesn't depend on it.
    Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), section 13.3.
    """
    model = _mean_rate(time)
    n_samples = _check_n_samples(n_samples)
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; give a probability between 0 and 1, such as 0.95")
    check_integer("n_resamples", n_resamples, minimum=2)
    evaluations = {}

    def keep(f_A, f_B, f_AB):  # in the place of a formula for the indices
        evaluations.update(f_A=f_A, f_B=f_B, f_AB=f_AB)
        return np.zeros((len(time), 2)), np.zeros((len(time), 2))

    distributions = [k_forward, k_backward]
    stats.sobol_indices(func=model, n=n_samples, dists=distributions, method=keep, rng=rng)
    resampled = list(workers(partial(_resampled_indices, evaluations), rng.spawn(n_resamples)))
    ends = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return ends[:, 0], ends[:, 1]


def _resampled_indices(evaluations, rng):
    """First-order and total indices (2, n_times, 2) of samples drawn again with replacement."""
    n_samples = evaluations["f_A"].shape[-1]
    chosen = rng.integers(n_samples, size=n_samples)
    again = {name: outputs[..., chosen] for name, outputs in evaluations.items()}
    found = stats.sobol_indices(func=again, n=n_samples)
    return np.array([found.first_order.reshape(-1, 2), found.total_order.reshape(-1, 2)])


def _mean_rate(time):
    """The function from rate constants (2, n_samples) to ([A]0 - [A]) / t, (n_times, n_samples)."""
    time = _times(time)[:, np.newaxis]

    def mean_rate(constants):
        k_forward, k_backward = constants
        x = (k_forward + k_backward) * time
        rates = k_forward * special.exprel(-x)  # k1 (1 - exp(-x)) / x
        if not np.all(np.isfinite(rates)):
            raise ValueError(
                "sampled rate constants are so far below zero that [A] overflows; "
                "give other distributions"
            )
        return rates

    return mean_rate


def _check_n_samples(n_samples):
    if check_integer("n_samples", n_samples, minimum=2) & (n_samples - 1):
        raise ValueError(f"n_samples is {n_samples}; give a power of 2")
    return n_samples


def _check_constants(k_forward, k_backward):
    """Refuse rate constants that are negative or not finite."""
    if not (0 <= k_forward < np.inf and 0 <= k_backward < np.inf):
        raise ValueError(
            f"the rate constants are {k_forward} and {k_backward}; give none below zero"
        )


def _times(time):
    """`time` as an array (n_times,), none of it before the start."""
    time = finite_array("times", time, (1,))
    if not len(time) or np.any(time < 0):
        raise ValueError(
            "times: empty, or one below zero; give times from the start of the reaction on"
        )
    return time
