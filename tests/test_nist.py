"""The certified results of NIST's nonlinear regression problems, from both starts of each."""

import numpy as np
import pytest

from helpers.least_squares import fit
from reference_problems.nist import MODELS, certified_sum_of_squares, read_problem


def digits(found, certified):
    """Number of digits to which all of `found` agree with `certified`."""
    return -np.log10(np.max(np.abs(found / certified - 1)) + 1e-12)


@pytest.mark.parametrize("start", [1, 2])
@pytest.mark.parametrize("name", MODELS)
def test_certified_values_are_met(name, start):
    inputs, targets, parameters = read_problem(name)
    found = fit(MODELS[name], inputs, targets, parameters[:, start - 1])
    standard_error_digits = 3 if name == "Lanczos1" else 8  # its residuals are rounding errors
    assert digits(found.parameters, parameters[:, 2]) > 9
    assert digits(found.standard_errors, parameters[:, 3]) > standard_error_digits


@pytest.mark.parametrize("name", MODELS)
def test_certified_sum_of_squares_belongs_to_certified_parameters(name):
    inputs, targets, parameters = read_problem(name)
    residuals = MODELS[name](inputs, *parameters[:, 2]) - targets
    tolerance = 1e-3 if name == "Lanczos1" else 1e-8
    assert np.isclose(residuals @ residuals, certified_sum_of_squares(name), rtol=tolerance)
