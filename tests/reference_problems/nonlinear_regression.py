"""Measurements that books on nonlinear regression fit, with the results that they print.

The data are distributed with R in its package `datasets` (the reaction rates: with MATLAB's
Statistics Toolbox) and were published by the authors named below. Estimates and standard errors
are text with the digits that the source prints; `COMPUTED` marks those that were computed for this
collection, by Gauss–Newton iteration in 40-digit arithmetic. R stops early enough for the last
printed digit to be wrong by one.
"""

from collections.abc import Callable
from typing import NamedTuple

import autograd.numpy as np

R_STATS = "R 4, reference output of the examples of package stats"
R_DATASETS = "R 4, reference output of the examples of package datasets"
COMPUTED = "computed with 40 digits"


class Regression(NamedTuple):
    """Measurements, a model, and the published result of the fit."""

    name: str
    model: Callable  # model(inputs, *parameters)
    inputs: np.ndarray
    targets: np.ndarray
    start: tuple
    estimates: tuple  # as printed
    standard_errors: tuple  # as printed
    source: str
    sigma: np.ndarray | None = None


def michaelis_menten(concentration, maximum, half_saturation):
    return maximum * concentration / (half_saturation + concentration)


def weighted_michaelis_menten(data, maximum, half_saturation):
    """Residuals divided by the square root of the fitted rate; the columns are inputs and rates."""
    concentration, rate = data.T
    fitted = michaelis_menten(concentration, maximum, half_saturation)
    return (rate - fitted) / np.sqrt(fitted)


def logistic(x, asymptote, midpoint, scale):
    return asymptote / (1 + np.exp((midpoint - x) / scale))


def four_parameter_logistic(x, left, right, midpoint, scale):
    return left + (right - left) / (1 + np.exp((midpoint - x) / scale))


def gompertz(x, asymptote, b2, b3):
    return asymptote * np.exp(-b2 * b3**x)


def biexponential(time, amplitude1, log_rate1, amplitude2, log_rate2):
    return amplitude1 * np.exp(-np.exp(log_rate1) * time) + amplitude2 * np.exp(
        -np.exp(log_rate2) * time
    )


def saturation(time, asymptote, log_rate):
    return asymptote * (1 - np.exp(-np.exp(log_rate) * time))


def offset_saturation(x, asymptote, log_rate, onset):
    return asymptote * (1 - np.exp(-np.exp(log_rate) * (x - onset)))


def asymptotic(x, asymptote, at_zero, log_rate):
    return asymptote + (at_zero - asymptote) * np.exp(-np.exp(log_rate) * x)


def weibull(time, asymptote, drop, log_rate, power):
    return asymptote - drop * np.exp(-np.exp(log_rate) * time**power)


def oral_dose(dose):
    """Concentration after one oral `dose`: absorption and elimination, both of first order."""

    def concentration(time, log_elimination, log_absorption, log_clearance):
        elimination = np.exp(log_elimination)
        absorption = np.exp(log_absorption)
        factor = dose * elimination * absorption / np.exp(log_clearance)
        decays = np.exp(-elimination * time) - np.exp(-absorption * time)
        return factor * decays / (absorption - elimination)

    return concentration


def hougen_watson(pressures, b1, b2, b3, b4, b5):
    hydrogen, pentane, isopentane = pressures.T
    adsorbed = b2 * hydrogen + b3 * pentane + b4 * isopentane
    return (b1 * pentane - isopentane / b5) / (1 + adsorbed)


# Treloar (1974), in Bates & Watts, Nonlinear Regression Analysis and Its Applications (1988)
PUROMYCIN = np.repeat([0.02, 0.06, 0.11, 0.22, 0.56, 1.10], 2)
TREATED = np.array([76.0, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200])
UNTREATED = np.array([67.0, 51, 84, 86, 98, 115, 131, 124, 144, 158, 160])

# Davidian & Giltinan, Nonlinear Models for Repeated Measurement Data (1995), run 1
LOG_DNASE = np.log(
    np.repeat([0.04882812, 0.1953125, 0.390625, 0.78125, 1.5625, 3.125, 6.25, 12.5], 2)
)
DENSITY = np.array(
    [
        *(0.017, 0.018, 0.121, 0.124, 0.206, 0.215, 0.377, 0.374),
        *(0.614, 0.609, 1.019, 1.001, 1.334, 1.364, 1.730, 1.710),
    ]
)

# Kwan et al. (1976), in Davidian & Giltinan (1995), subject 1
INDOMETH_TIME = np.array([0.25, 0.5, 0.75, 1, 1.25, 2, 3, 4, 5, 6, 8])
INDOMETH = np.array([1.50, 0.94, 0.78, 0.48, 0.37, 0.19, 0.12, 0.11, 0.08, 0.07, 0.05])

# Crowder & Hand, Analysis of Repeated Measures (1990), chicks 1 and 6
CHICK_TIME = np.array([0.0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 21])
CHICK_1 = np.array([42.0, 51, 59, 64, 76, 93, 106, 125, 149, 171, 199, 205])
CHICK_6 = np.array([41.0, 49, 59, 74, 97, 124, 141, 148, 155, 160, 160, 157])

# Marske (1967), in Bates & Watts (1988)
BOD_TIME = np.array([1.0, 2, 3, 4, 5, 7])
BOD = np.array([8.3, 10.3, 19.0, 16.0, 15.6, 19.8])

# Kung (1986), in Pinheiro & Bates, Mixed-Effects Models in S and S-PLUS (2000), seed 329
LOBLOLLY_AGE = np.array([3.0, 5, 10, 15, 20, 25])
LOBLOLLY = np.array([3.93, 9.34, 26.08, 37.79, 48.31, 56.43])

# Draper & Smith, Applied Regression Analysis (1998), tree 3
ORANGE_AGE = np.array([118.0, 484, 664, 1004, 1231, 1372, 1582])
ORANGE = np.array([30.0, 51, 75, 108, 115, 139, 140])

# Boeckmann, Sheiner & Beal (1994), in Davidian & Giltinan (1995), subjects 1 and 4
THEOPH_1_TIME = np.array([0, 0.25, 0.57, 1.12, 2.02, 3.82, 5.10, 7.03, 9.05, 12.12, 24.37])
THEOPH_1 = np.array([0.74, 2.84, 6.57, 10.50, 9.66, 8.58, 8.36, 7.47, 6.89, 5.94, 3.28])
THEOPH_4_TIME = np.array([0, 0.35, 0.60, 1.07, 2.13, 3.50, 5.02, 7.02, 9.02, 11.98, 24.65])
THEOPH_4 = np.array([0, 1.89, 4.60, 8.60, 8.38, 7.54, 6.88, 5.78, 5.33, 4.19, 1.15])

# Potvin, Lechowicz & Tardif (1990), in Pinheiro & Bates (2000), plant Qn1
CO2 = np.array([95.0, 175, 250, 350, 500, 675, 1000])
UPTAKE = np.array([16.0, 30.4, 34.8, 37.2, 35.3, 39.2, 39.7])

# Carr (1960), in Bates & Watts (1988): the 13 of its 24 runs that MATLAB has as `reaction`
PRESSURES = np.array(
    [
        [470.0, 300, 10],
        [285, 80, 10],
        [470, 300, 120],
        [470, 80, 120],
        [470, 80, 10],
        [100, 190, 10],
        [100, 80, 65],
        [470, 190, 65],
        [100, 300, 54],
        [100, 300, 120],
        [100, 80, 120],
        [285, 300, 10],
        [285, 190, 120],
    ]
)
RATES = np.array([8.55, 3.79, 4.82, 0.02, 2.75, 14.39, 2.54, 4.35, 13.00, 8.50, 0.05, 11.32, 3.13])

REGRESSIONS = [
    Regression(
        "Puromycin, treated",
        michaelis_menten,
        PUROMYCIN,
        TREATED,
        (200, 0.05),
        ("212.7", "0.06412"),
        ("6.947", "0.008281"),
        R_DATASETS,
    ),
    Regression(
        "Puromycin, untreated",
        michaelis_menten,
        PUROMYCIN[:11],
        UNTREATED,
        (160, 0.05),
        ("160.3", "0.04771"),
        ("6.480", "0.007782"),
        R_DATASETS,
    ),
    Regression(
        "Puromycin, treated, weighted",
        weighted_michaelis_menten,
        np.column_stack([PUROMYCIN, TREATED]),
        np.zeros(12),
        (200, 0.1),
        ("207", "0.0546"),
        ("9.22", "0.00798"),
        R_STATS,
    ),
    Regression(
        "DNase, logistic",
        logistic,
        LOG_DNASE,
        DENSITY,
        (3, 0, 1),
        ("2.3452", "1.4831", "1.0415"),
        ("0.078154", "0.081353", "0.032271"),
        R_STATS,
    ),
    Regression(
        "DNase, logistic, weighted",
        logistic,
        LOG_DNASE,
        DENSITY,
        (3, 0, 1),
        ("2.3350", "1.4731", "1.0385"),
        ("0.0966", "0.0947", "0.0304"),
        "R 4, reference output of the tests of nls",
        np.repeat(np.arange(8.0, 0, -1), 2) ** -0.5,
    ),
    Regression(
        "DNase, four-parameter logistic",
        four_parameter_logistic,
        LOG_DNASE,
        DENSITY,
        (0, 3, 1, 1),
        ("-0.007897", "2.377239", "1.507403", "1.062579"),
        ("0.017200", "0.109516", "0.102080", "0.056996"),
        R_DATASETS,
    ),
    Regression(
        "DNase, Gompertz",
        gompertz,
        LOG_DNASE,
        DENSITY,
        (4, 2, 0.5),
        ("4.60333", "2.27134", "0.71647"),
        ("0.65321", "0.14373", "0.02206"),
        R_STATS,
    ),
    Regression(
        "Indometh, subject 1",
        biexponential,
        INDOMETH_TIME,
        INDOMETH,
        (2, 0, 0.5, -1),
        ("2.0293", "0.5794", "0.1915", "-1.7878"),
        ("0.1099", "0.1247", "0.1106", "0.7871"),
        R_STATS,
    ),
    Regression(
        "Chick 1",
        four_parameter_logistic,
        CHICK_TIME,
        CHICK_1,
        (30, 250, 15, 5),
        ("27.453", "348.971", "19.391", "6.673"),
        ("6.601", "57.899", "2.194", "1.002"),
        R_STATS,
    ),
    Regression(
        "Chick 6",
        weibull,
        CHICK_TIME[1:],
        CHICK_6[1:],
        (160, 115, -5.5, 2.5),
        ("158.5012", "110.9971", "-5.9934", "2.6461"),
        ("1.1769", "2.6330", "0.3733", "0.1613"),
        R_STATS,
    ),
    Regression(
        "BOD",
        saturation,
        BOD_TIME,
        BOD,
        (20, -1.05),
        ("19.143", "-0.633"),
        ("2.496", "0.382"),
        R_DATASETS,
    ),
    Regression(
        "Loblolly, seed 329",
        asymptotic,
        LOBLOLLY_AGE,
        LOBLOLLY,
        (80, -5, -3),
        ("94.1282", "-8.2508", "-3.2176"),
        ("8.4030", "1.2261", "0.1386"),
        R_STATS,
    ),
    Regression(
        "Orange, tree 3",
        logistic,
        ORANGE_AGE,
        ORANGE,
        (150, 700, 300),
        ("158.8294542", "734.8421941", "400.9549218"),
        ("15.085145", "102.58729", "74.329513"),
        COMPUTED,
    ),
    Regression(
        "Theoph, subject 1",
        oral_dose(4.02),
        THEOPH_1_TIME,
        THEOPH_1,
        (-2.5, 0.5, -3),
        ("-2.9196", "0.5752", "-3.9159"),
        ("0.1709", "0.1728", "0.1273"),
        R_STATS,
    ),
    Regression(
        "Theoph, subject 4",
        oral_dose(4.40),
        THEOPH_4_TIME,
        THEOPH_4,
        (-2.5, 0.5, -3),
        ("-2.4365", "0.1583", "-3.2861"),
        ("0.2257", "0.2297", "0.1448"),
        R_DATASETS,
    ),
    Regression(
        "CO2, plant Qn1",
        offset_saturation,
        CO2,
        UPTAKE,
        (40, -4, 50),
        ("38.1398", "-4.3806", "51.2232"),
        ("0.9164", "0.2042", "11.6698"),
        R_STATS,
    ),
    Regression(
        "CO2, plant Qn1, from zero",
        asymptotic,
        CO2,
        UPTAKE,
        (40, -30, -4),
        ("38.1398", "-34.2766", "-4.3806"),
        ("0.9164", "18.9661", "0.2042"),
        R_DATASETS,
    ),
    Regression(
        "Reaction rates",
        hougen_watson,
        PRESSURES,
        RATES,
        (1, 0.05, 0.02, 0.1, 2),
        ("1.2526", "0.0628", "0.0400", "0.1124", "1.1914"),
        (),
        "MATLAB, documentation of nlinfit",
    ),
]
