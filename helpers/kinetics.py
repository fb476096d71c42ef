"""The reversible first-order reaction A ⇌ B. Times in s, rate constants in 1/s."""

import autograd.numpy as np


def concentration(time, k_forward, k_backward, initial=1.0):
    """Concentration of A at `time`, starting from pure A at `initial`, in the unit of `initial`.

    [A] = [A]0 / (k1 + k-1) · (k1 exp(-(k1 + k-1) t) + k-1)
    Source: Saltelli, Ratto, Tarantola & Campolongo, Chem. Rev. 105, 2811 (2005), section 2.1.
    """
    total = k_forward + k_backward
    return initial / total * (k_forward * np.exp(-total * time) + k_backward)
