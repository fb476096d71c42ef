"""Checks that parameters minimise a sum of squares, without automatic differentiation."""

from typing import NamedTuple

import numpy as np


class Stationarity(NamedTuple):
    """How near parameters are to a minimum, and how well-conditioned it is."""

    sum_of_squares: float
    reduction: float  # of the sum of squares by one Newton step, as a share of it
    smallest: float  # eigenvalue of the Hessian, scaled by the norms of the Jacobian's columns
    largest: float  # eigenvalue of the same matrix
    independence: float  # smallest singular value of the scaled Jacobian, per largest
    step: np.ndarray  # Newton's, to be added to the parameters

    @property
    def is_strict_minimum(self):
        """Whether no Newton step helps and the scaled Hessian is positive definite."""
        return self.reduction < 1e-9 and self.smallest > 1e-12 * self.largest > 0

    @property
    def is_well_conditioned(self):
        """Whether it is also so clear a minimum that any program should accept it."""
        return self.is_strict_minimum and self.smallest > 1e-6 * self.largest

    @property
    def determines_parameters(self):
        """Whether the columns of the Jacobian are independent, so that standard errors exist."""
        return self.independence > 1e-6


def stationarity(model, inputs, targets, parameters, sigma=1.0):
    """The `Stationarity` of a fit, by complex steps where the model allows, else by differences."""
    parameters = np.asarray(parameters, dtype=float)
    targets = np.asarray(targets, dtype=float)

    def residuals(values):
        return (model(inputs, *values) - targets) / sigma

    with np.errstate(all="ignore"):
        return _stationarity(residuals, parameters, np.linalg.norm(targets / sigma))


def _stationarity(residuals, parameters, size):
    here = np.asarray(residuals(parameters), dtype=float)
    sum_of_squares = float(here @ here)
    size = max(size, sum_of_squares**0.5)
    rough = _central_jacobian(residuals, parameters, 1e-5 * np.abs(parameters) + 1e-9)
    norms = np.linalg.norm(rough, axis=0)
    if not np.all(np.isfinite(norms)) or np.any(norms == 0):
        return Stationarity(sum_of_squares, np.inf, 0.0, 0.0, 0.0, 0 * parameters)
    steps = 1e-3 * np.maximum(size / norms, 1e-3 * np.abs(parameters))
    jacobian = _complex_jacobian(residuals, parameters)
    if jacobian is None or np.any(np.abs(jacobian - rough) > 1e-3 * norms):
        jacobian = None

    def gradient(values):
        slopes = _complex_jacobian(residuals, values) if jacobian is not None else None
        if slopes is None:
            slopes = _central_jacobian(residuals, values, steps / 10)
        return slopes.T @ np.asarray(residuals(values), dtype=float)

    hessian = _hessian(gradient, parameters, steps)
    exact = jacobian if jacobian is not None else _central_jacobian(residuals, parameters, steps)
    norms = np.linalg.norm(exact, axis=0)
    scaled = hessian / norms / norms[:, np.newaxis]
    if not np.all(np.isfinite(scaled)):
        return Stationarity(sum_of_squares, np.inf, 0.0, 0.0, 0.0, 0 * parameters)
    eigenvalues, vectors = np.linalg.eigh(scaled)
    along = vectors.T @ (exact.T @ here / norms)
    floor = 1e-13 * eigenvalues[-1]
    reduction = np.sum(along**2 / np.maximum(np.abs(eigenvalues), floor))
    rounding = (1e-12 * size) ** 2
    share = reduction / sum_of_squares if reduction > rounding else 0.0
    step = -(vectors / np.maximum(np.abs(eigenvalues), floor)) @ along / norms
    singular_values = np.linalg.svd(exact / norms, compute_uv=False)
    independence = singular_values[-1] / singular_values[0]
    return Stationarity(
        sum_of_squares, float(share), eigenvalues[0], eigenvalues[-1], independence, step
    )


def _complex_jacobian(residuals, parameters):
    columns = []
    for j in range(len(parameters)):
        shifted = parameters.astype(complex)
        step = 1e-40 * (abs(parameters[j]) or 1.0)
        shifted[j] += 1j * step
        try:
            column = np.imag(residuals(shifted)) / step
        except (TypeError, ValueError):
            return None
        columns.append(column)
    jacobian = np.stack(columns, axis=1)
    return jacobian if np.all(np.isfinite(jacobian)) else None


def _central_jacobian(residuals, parameters, steps):
    """Central differences of fourth order."""
    columns = []
    for j, step in enumerate(steps):
        unit = np.eye(len(parameters))[j] * step
        near = residuals(parameters + unit) - residuals(parameters - unit)
        far = residuals(parameters + 2 * unit) - residuals(parameters - 2 * unit)
        columns.append((8 * near - far) / (12 * step))
    return np.stack(columns, axis=1).astype(float)


def _hessian(gradient, parameters, steps):
    rows = []
    for j, step in enumerate(steps):
        unit = np.eye(len(parameters))[j] * step
        near = gradient(parameters + unit) - gradient(parameters - unit)
        far = gradient(parameters + 2 * unit) - gradient(parameters - 2 * unit)
        rows.append((8 * near - far) / (12 * step))
    hessian = np.stack(rows)
    return (hessian + hessian.T) / 2
