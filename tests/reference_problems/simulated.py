"""Noisy data of eight common models, with the guesses that an experimenter would make."""

from collections.abc import Callable
from typing import NamedTuple

import autograd.numpy as np

N_POINTS = 36


def gaussian(x, height, center, width):
    return height * np.exp(-(((x - center) / width) ** 2) / 2)


def lorentzian(x, height, center, width):
    return height / (1 + ((x - center) / width) ** 2)


def sine(x, amplitude, frequency, phase):
    return amplitude * np.sin(frequency * x + phase)


def biexponential(x, amplitude1, rate1, amplitude2, rate2):
    return amplitude1 * np.exp(-rate1 * x) + amplitude2 * np.exp(-rate2 * x)


def michaelis_menten(x, maximum, half_saturation):
    return maximum * x / (half_saturation + x)


def logistic(x, asymptote, rate, midpoint):
    return asymptote / (1 + np.exp(-rate * (x - midpoint)))


def hill(x, maximum, half_saturation, exponent):
    power = x**exponent
    return maximum * power / (half_saturation**exponent + power)


def power_law(x, factor, exponent):
    return factor * x**exponent


def _peak_guess(x, y, truth, rng):
    return [y.max(), x[np.argmax(y)], (x[-1] - x[0]) / 8]


def _sine_guess(x, y, truth, rng):
    _, frequency, phase = truth
    return [2**0.5 * y.std(), frequency * rng.uniform(0.9, 1.1), phase + rng.uniform(-0.5, 0.5)]


def _biexponential_guess(x, y, truth, rng):
    return [y[0] / 2, 10 / x[-1], y[0] / 2, 2 / x[-1]]


def _michaelis_menten_guess(x, y, truth, rng):
    return [y.max(), np.median(x)]


def _logistic_guess(x, y, truth, rng):
    return [y.max(), 8 / (x[-1] - x[0]), x[np.argmin(np.abs(y - y.max() / 2))]]


def _hill_guess(x, y, truth, rng):
    return [y.max(), np.median(x), 1.5]


def _power_law_guess(x, y, truth, rng):
    return [y.max() / x[-1], 1.0]


class Family(NamedTuple):
    """A model, the inputs of the simulated experiment, its truth and the rule for a guess."""

    model: Callable
    inputs: np.ndarray
    truth: tuple
    guess: Callable  # guess(inputs, targets, truth, rng)


FAMILIES = {
    "Gaussian": Family(gaussian, np.linspace(-5, 5, N_POINTS), (1.0, 0.4, 1.1), _peak_guess),
    "sine": Family(sine, np.linspace(0, 10, N_POINTS), (1.0, 1.7, 0.6), _sine_guess),
    "biexponential": Family(
        biexponential, np.linspace(0, 10, N_POINTS), (2.0, 1.5, 1.0, 0.25), _biexponential_guess
    ),
    "Michaelis-Menten": Family(
        michaelis_menten, np.linspace(0.1, 8, N_POINTS), (2.0, 1.2), _michaelis_menten_guess
    ),
    "logistic": Family(logistic, np.linspace(0, 12, N_POINTS), (3.0, 1.1, 5.5), _logistic_guess),
    "Hill": Family(hill, np.linspace(0.2, 10, N_POINTS), (1.5, 3.0, 2.2), _hill_guess),
    "Lorentzian": Family(lorentzian, np.linspace(-6, 6, N_POINTS), (2.0, -0.7, 0.9), _peak_guess),
    "power law": Family(power_law, np.linspace(0.3, 6, N_POINTS), (0.8, 1.6), _power_law_guess),
}


def noisy_data(family, noise_fraction, rng):
    """Model, inputs, targets and guess of one simulated experiment.

    The standard deviation of the noise is `noise_fraction` times the range of the true outputs.
    """
    model, inputs, truth, guess = FAMILIES[family]
    exact = model(inputs, *truth)
    noise = noise_fraction * np.ptp(exact) * rng.standard_normal(len(inputs))
    targets = exact + noise
    return model, inputs, targets, np.array(guess(inputs, targets, truth, rng))
