"""The reversible first-order reaction A ⇌ B, its course and its sensitivities. Times in s, rate constants in 1/s."""

import autograd.numpy as np
from scipy import stats
from scipy.special import exprel

from helpers.autodiff import model_jacobian
from helpers.validation import check_integer, finite_array

EARLY = 1e-8  # of (k1 + k-1) t: below it a series is as good as the formula, which cancels there


def concentration(time, k_forward, k_backward, initial=1.0):
    """Concentration of A at `time`, starting from pure A at `initial`, in the unit of `initial`.

    [A] = [A]0 / (k1 + k-1) · (k1 exp(-(k1 + k-1) t) + k-1)
    Source: Saltelli, Ratto, Tarantola & Campolongo, Chem. Rev. 105, 2811 (2005), section 2.1.
    """
    total = k_forward + k_backward
    return initial / total * (k_forward * np.exp(-total * time) + k_backward)


def sensitivities(time, k_forward, k_backward, initial=1.0):
    """∂[A]/∂k1 and ∂[A]/∂k-1 at `time`, shape (n_times, 2), in the unit of `initial` times s."""
    time = _times(time)
    if not (
        k_forward >= 0
        and k_backward >= 0
        and 0 < k_forward + k_backward < np.inf
        and 0 < initial < np.inf
    ):
        given = (
            f"rate constants are {k_forward} and {k_backward}, the initial concentration {initial}"
        )
        raise ValueError(f"the {given}; give none below zero, one constant above it, and some A")
    return model_jacobian(concentration)(time, k_forward, k_backward, initial)[:, :2]


def normalised_sensitivities(time, k_forward, k_backward, sigma_forward, sigma_backward):
    """Shares S_k = σ_k / σ_A · |∂[A]/∂k| of k1 and k-1 in the uncertainty of [A] at `time`, shape (n_times, 2).

    σ_A² = Σ σ_k² (∂[A]/∂k)², so that ΣS_k² = 1; the σ_k are standard deviations in 1/s. At t = 0 both
    derivatives vanish. They begin as -t and k1 t²/2 times [A]0: over t, that gives the limits 1 and 0.
    Source: Saltelli et al. (2005), Figure 2b.
    """
    time, total = _times(time), k_forward + k_backward
    if not (0 < sigma_forward < np.inf and 0 < sigma_backward < np.inf):
        raise ValueError(
            f"the standard deviations are {sigma_forward} and {sigma_backward}; give positive ones"
        )
    weights = np.abs(sensitivities(time, k_forward, k_backward))
    series = np.stack(
        [np.ones_like(time), k_forward * time / 2], axis=1
    )  # of the derivatives over t
    weights = np.where((total * time < EARLY)[:, np.newaxis], series, weights) * [
        sigma_forward,
        sigma_backward,
    ]
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def sobol_indices(time, k_forward, k_backward, rng, n_samples=2**14):
    """First-order and total indices S1, ST of k1 and k-1 in the variance of [A] at `time`, each (n_times, 2).

    `k_forward` and `k_backward` are distributions of scipy.stats, such as `norm(3, 0.3)`; `n_samples`, a power
    of 2, is the size of each sample. At t = 0 [A] has no variance to share. Its mean rate of loss,
    ([A]0 - [A]) / t, has some: it is k1 itself there. Later its indices are those of [A], for an index
    doesn't change with a constant added or multiplied. So the mean rate is sampled, and t = 0 gets the limits.
    Source: Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), as in `scipy.stats.sobol_indices`.
    """
    time = _times(time)[:, np.newaxis]
    if check_integer("n_samples", n_samples, minimum=2) & (n_samples - 1):
        raise ValueError(f"n_samples is {n_samples}; give a power of 2")

    def mean_rate(constants):
        k1, k_1 = constants
        rates = k1 * exprel(-(k1 + k_1) * time)  # k1 (1 - exp(-(k1 + k-1) t)) / ((k1 + k-1) t)
        if not np.all(np.isfinite(rates)):
            raise ValueError(
                "sampled constants are so far below zero that [A] overflows; give other distributions"
            )
        return rates

    found = stats.sobol_indices(func=mean_rate, n=n_samples, dists=[k_forward, k_backward], rng=rng)
    return found.first_order.reshape(-1, 2), found.total_order.reshape(
        -1, 2
    )  # one time comes without its axis


def _times(time):
    """`time` as an array (n_times,), none of it before the start."""
    time = finite_array("times", time, (1,))
    if not len(time) or np.any(time < 0):
        raise ValueError(
            "times: none, or one below zero; give times from the start of the reaction on"
        )
    return time
