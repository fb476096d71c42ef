"""NIST's nonlinear regression problems: their models, and the data that tests/data/nist holds."""

import re
from pathlib import Path

import autograd.numpy as np
from autograd.numpy import arctan, cos, exp, pi, sin

FOLDER = Path(__file__).parents[1] / "data" / "nist"


def saturation(x, b1, b2):
    return b1 * (1 - exp(-b2 * x))


def decay_over_line(x, b1, b2, b3):
    return exp(-b1 * x) / (b2 + b3 * x)


def three_decays(x, b1, b2, b3, b4, b5, b6):
    return b1 * exp(-b2 * x) + b3 * exp(-b4 * x) + b5 * exp(-b6 * x)


def decay_and_two_peaks(x, b1, b2, b3, b4, b5, b6, b7, b8):
    return (
        b1 * exp(-b2 * x) + b3 * exp(-((x - b4) ** 2) / b5**2) + b6 * exp(-((x - b7) ** 2) / b8**2)
    )


def cubic_over_cubic(x, b1, b2, b3, b4, b5, b6, b7):
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


def three_cycles(x, b1, b2, b3, b4, b5, b6, b7, b8, b9):
    year = b2 * cos(2 * pi * x / 12) + b3 * sin(2 * pi * x / 12)
    longer = b5 * cos(2 * pi * x / b4) + b6 * sin(2 * pi * x / b4)
    return b1 + year + longer + b8 * cos(2 * pi * x / b7) + b9 * sin(2 * pi * x / b7)


MODELS = {
    "Bennett5": lambda x, b1, b2, b3: b1 * (b2 + x) ** (-1 / b3),
    "BoxBOD": saturation,
    "Chwirut1": decay_over_line,
    "Chwirut2": decay_over_line,
    "DanWood": lambda x, b1, b2: b1 * x**b2,
    "ENSO": three_cycles,
    "Eckerle4": lambda x, b1, b2, b3: b1 / b2 * exp(-0.5 * ((x - b3) / b2) ** 2),
    "Gauss1": decay_and_two_peaks,
    "Gauss2": decay_and_two_peaks,
    "Gauss3": decay_and_two_peaks,
    "Hahn1": cubic_over_cubic,
    "Kirby2": lambda x, b1, b2, b3, b4, b5: (b1 + b2 * x + b3 * x**2) / (1 + b4 * x + b5 * x**2),
    "Lanczos1": three_decays,
    "Lanczos2": three_decays,
    "Lanczos3": three_decays,
    "MGH09": lambda x, b1, b2, b3, b4: b1 * (x**2 + x * b2) / (x**2 + x * b3 + b4),
    "MGH10": lambda x, b1, b2, b3: b1 * exp(b2 / (x + b3)),
    "MGH17": lambda x, b1, b2, b3, b4, b5: b1 + b2 * exp(-x * b4) + b3 * exp(-x * b5),
    "Misra1a": saturation,
    "Misra1b": lambda x, b1, b2: b1 * (1 - (1 + b2 * x / 2) ** -2),
    "Misra1c": lambda x, b1, b2: b1 * (1 - (1 + 2 * b2 * x) ** -0.5),
    "Misra1d": lambda x, b1, b2: b1 * b2 * x / (1 + b2 * x),
    "Nelson": lambda x, b1, b2, b3: b1 - b2 * x[:, 0] * exp(-b3 * x[:, 1]),  # of log y
    "Rat42": lambda x, b1, b2, b3: b1 / (1 + exp(b2 - b3 * x)),
    "Rat43": lambda x, b1, b2, b3, b4: b1 / (1 + exp(b2 - b3 * x)) ** (1 / b4),
    "Roszman1": lambda x, b1, b2, b3, b4: b1 - b2 * x - arctan(b3 / (x - b4)) / pi,
    "Thurber": cubic_over_cubic,
}


def _table(lines, header):
    """The numbers in the lines that the file's own header names."""
    span = re.search(header + r"\s+\(lines\s+(\d+)\s+to\s+(\d+)\)", "\n".join(lines))
    first, last = map(int, span.groups())
    rows = (line.split("=")[-1].split() for line in lines[first - 1 : last])
    return np.array([[float(number) for number in row] for row in rows if row])


def read_problem(name):
    """Inputs, targets, and a table with one row per parameter.

    The columns of the table are the first start, the second start, the certified parameter and its
    certified standard error. The targets of Nelson are logarithms, as its model is.
    """
    lines = (FOLDER / f"{name}.dat").read_text().splitlines()
    targets, *inputs = _table(lines, "Data").T
    parameters = _table(lines, "Starting Values")
    if name == "Nelson":
        return np.stack(inputs, axis=1), np.log(targets), parameters
    return inputs[0], targets, parameters


def certified_sum_of_squares(name):
    """The certified residual sum of squares."""
    text = (FOLDER / f"{name}.dat").read_text()
    return float(re.search(r"Residual Sum of Squares:\s+(\S+)", text)[1])
