"""The reversible first-order reaction A ⇌ B: its course and its sensitivities.

Times are in s and rate constants in 1/s, or in any unit and its reciprocal.
"""

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
    """Shares S_k = σ_k / σ_A · |∂[A]/∂k| of k1 and k-1 in the uncertainty of [A], (n_times, 2).

    σ_A² = Σ σ_k² (∂[A]/∂k)², so that ΣS_k² = 1; the σ_k are standard deviations in 1/s. At t = 0
    both derivatives vanish. Divided by t they do not, and their limits are the shares there: 1, 0.
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
    time = _times(time)[:, np.newaxis]
    if check_integer("n_samples", n_samples, minimum=2) & (n_samples - 1):
        raise ValueError(f"n_samples is {n_samples}; give a power of 2")

    def mean_rate(constants):
        k1, k_1 = constants
        rates = k1 * special.exprel(-(k1 + k_1) * time)  # k1 (1 - exp(-x)) / x, x = (k1 + k-1) t
        if not np.all(np.isfinite(rates)):
            raise ValueError(
                "sampled rate constants are so far below zero that [A] overflows; "
                "give other distributions"
            )
        return rates

    found = stats.sobol_indices(func=mean_rate, n=n_samples, dists=[k_forward, k_backward], rng=rng)
    first_order = found.first_order.reshape(-1, 2)  # a single time comes without its axis
    return first_order, found.total_order.reshape(-1, 2)


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
