"""Fits that a least-squares program gets wrong easily, and what it should answer.

Some models are not pointwise, some have no slope at one input although the fit is well defined,
and some data have no minimum. The disturbances of the targets are fixed, so that the sums of
squares can be stored.
"""

from collections.abc import Callable
from typing import NamedTuple

import autograd.numpy as np

UNDETERMINED = "don't determine"
AT_INFINITY = "has its minimum at infinity"
ANY = ""


class HardModel(NamedTuple):
    """A fit, with its sum of squares at the minimum or with what the refusal has to say."""

    name: str
    model: Callable
    inputs: np.ndarray
    targets: np.ndarray
    start: tuple
    sum_of_squares: float | None = None  # at the minimum, unless there is none
    refusal: str | None = None  # part of the message, where a refusal is right


def disturbed(values, size):
    """`values` with fixed disturbances of at most `size`."""
    return values + size * np.sin(3.0 * np.arange(len(values)) ** 2 + 1)


# The outputs depend on each other

X = np.linspace(0.1, 4, 30)


def hill_by_maximum(x, affinity, exponent):
    power = (affinity * x) ** exponent
    response = power / (1 + power)
    return response / np.max(response)


def peak_by_maximum(x, center, width):
    peak = np.exp(-(((x - center) / width) ** 2))
    return peak / np.max(peak)


def decay_by_first(x, rate, background):
    signal = np.exp(-rate * x) + background
    return signal / signal[0]


def growth_by_last(x, rate, offset):
    signal = offset - np.exp(-rate * x)
    return signal / signal[-1]


def decay_by_mean(x, rate, background):
    signal = np.exp(-rate * x) + background
    return signal / np.mean(signal)


def square_of_share(x, factor, offset):
    return factor * (x / np.max(x)) ** 2 + offset


# The data are part of the model

DESIGN = np.column_stack([np.ones_like(X), X, np.cos(2 * X)])
LAMP = 1 + 0.3 * np.sin(X)


def design_matrix(x, *coefficients):
    return np.dot(DESIGN, np.array(coefficients))


def lamp_spectrum(x, amplitude, rate):
    return amplitude * LAMP * np.exp(-rate * x)


# One input has no slope

FROM_ZERO = np.linspace(0, 4, 21)
SYMMETRIC = np.linspace(-4, 4, 33)
DOSES = np.array([0, 0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300])


def square_root(x, factor):
    return np.sqrt(factor * x)


def inverse_hill(x, maximum, half_saturation, exponent):
    return maximum / (1 + (half_saturation / x) ** exponent)


def log_normal(x, height, center, width):
    return height * np.exp(-(((np.log(x) - center) / width) ** 2) / 2)


def sinc(x, amplitude, frequency):
    return amplitude * np.where(x == 0, frequency, np.sin(frequency * x) / x)


def threshold(x, factor, onset):
    return np.where(x > onset, factor * np.sqrt(x - onset), 0)


def dose_response(dose, bottom, top, half_dose, slope):
    return bottom + (top - bottom) / (1 + (dose / half_dose) ** slope)


# Large residuals


def exponential(x, rate):
    return np.exp(rate * x)


# No minimum, or none that is unique


def saturating(x, maximum, half_saturation):
    return maximum * x / (half_saturation + x)


def exponential_saturation(x, asymptote, rate):
    return asymptote * (1 - np.exp(-rate * x))


def step(x, midpoint, rate):
    return 1 / (1 + np.exp(-rate * (x - midpoint)))


def product(x, a, b):
    return a * b * x


def rounded(x, factor):
    return np.round(factor * x)


def steps_of_inputs(x, factor, offset):
    return factor * np.floor(x) + offset


# Other number formats and units


def single_precision(x, amplitude, rate):
    return (amplitude * np.exp(-rate * x)).astype(np.float32)


def decay(x, amplitude, rate, offset):
    return amplitude * np.exp(-rate * x) + offset


def hard_model(model, inputs, truth, start, size=0.03, **answer):
    """The fit of a model to its own disturbed outputs."""
    with np.errstate(all="ignore"):
        targets = disturbed(model(inputs, *truth), size)
    return HardModel(model.__name__, model, inputs, targets, start, **answer)


def _from(name, model, inputs, targets, start, **answer):
    arrays = (np.array(values, dtype=float) for values in (inputs, targets))
    return HardModel(name, model, *arrays, start, **answer)


HARD_MODELS = [
    hard_model(hill_by_maximum, X, (0.8, 1.7), (1, 1), sum_of_squares=0.0132210706),
    hard_model(peak_by_maximum, X, (1.8, 0.9), (2, 1), sum_of_squares=0.0141782056),
    hard_model(decay_by_first, X, (1.1, 0.2), (1, 0.1), sum_of_squares=0.0135617563),
    hard_model(growth_by_last, X, (0.9, 1.3), (1, 1.5), sum_of_squares=0.0130794927),
    hard_model(decay_by_mean, X, (1.1, 0.2), (1, 0.1), sum_of_squares=0.0136549404),
    hard_model(square_of_share, X, (2, 0.5), (1, 1), sum_of_squares=0.0140611206),
    hard_model(design_matrix, X, (1, 0.5, -0.3), (0, 0, 0), sum_of_squares=0.0122218631),
    hard_model(lamp_spectrum, X, (2, 0.7), (1, 1), sum_of_squares=0.0133167341),
    hard_model(square_root, FROM_ZERO, (1.3,), (1,), sum_of_squares=0.00849167516),
    hard_model(inverse_hill, FROM_ZERO, (2, 1.2, 1.6), (1.5, 1, 1), sum_of_squares=0.00762533821),
    hard_model(log_normal, FROM_ZERO, (2, 0.3, 0.6), (1.5, 0, 0.5), sum_of_squares=0.00738573916),
    hard_model(sinc, SYMMETRIC, (1.5, 1.8), (1, 2), sum_of_squares=0.0147410661),
    hard_model(threshold, FROM_ZERO, (1.4, 1.07), (1, 1.1), sum_of_squares=0.00856202065),
    hard_model(
        dose_response, DOSES, (1, 0.1, 2, 1.2), (0.9, 0.2, 1, 1), sum_of_squares=0.00278496006
    ),
    _from(
        "Dennis and Schnabel, 4", exponential, [1, 2, 3], [2, 4, 4], (1,), sum_of_squares=1.99303151
    ),
    _from(
        "Dennis and Schnabel, -1",
        exponential,
        [1, 2, 3],
        [2, 4, -1],
        (1,),
        sum_of_squares=13.9529223,
    ),
    _from(
        "Dennis and Schnabel, -4",
        exponential,
        [1, 2, 3],
        [2, 4, -4],
        (1,),
        sum_of_squares=32.8699558,
    ),
    _from(
        "Dennis and Schnabel, -8",
        exponential,
        [1, 2, 3],
        [2, 4, -8],
        (1,),
        sum_of_squares=82.2896436,
    ),
    _from("Decay at once", exponential, [0, 1, 2, 3], [1, 0, 0, 0], (-1,), refusal=AT_INFINITY),
    _from("Saturation of a line", saturating, X, 2 * X, (10, 5), refusal=AT_INFINITY),
    _from(
        "Saturation of a bent line", saturating, X, 2 * X + 0.1 * X**2, (10, 5), refusal=AT_INFINITY
    ),
    _from(
        "Exponential saturation of a line",
        exponential_saturation,
        X,
        2 * X,
        (10, 0.2),
        refusal=AT_INFINITY,
    ),
    _from("Step", step, range(8), [0] * 4 + [1] * 4, (3, 1), refusal=AT_INFINITY),
    hard_model(product, X, (1, 2), (1, 1), refusal=UNDETERMINED),
    _from("Rounding", rounded, range(10), [0, 1, 3, 4, 6, 7, 9, 10, 12, 13], (1.4,), refusal=ANY),
    hard_model(steps_of_inputs, X, (1.2, 0.4), (1, 1), sum_of_squares=0.0141013277),
    hard_model(single_precision, X, (2, 0.7), (1, 1), sum_of_squares=0.0134793, refusal=ANY),
    _from(
        "Offset of ten million",
        decay,
        X,
        disturbed(decay(X, 3, 1.2, 1e7), 0.03),
        (1, 1, 1e7),
        sum_of_squares=0.0130976843,
    ),
    _from(
        "Nanometres and picoamperes",
        decay,
        1e-9 * X,
        disturbed(1e-12 * decay(X, 3, 1.2, 0.5), 3e-14),
        (1e-12, 1e9, 0),
        sum_of_squares=1.30976843e-26,
    ),
]
