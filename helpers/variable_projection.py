"""Nonlinear least squares for models that are linear in some of their parameters.

The outputs of a perceptron with one hidden layer are linear combinations of its hidden units, so
the output weights that fit best follow exactly for each hidden layer. Variable projection
eliminates them, and Levenberg–Marquardt moves the hidden layer alone.

Sources: Golub & Pereyra, SIAM J. Numer. Anal. 10, 413 (1973); the Jacobian of Kaufman, BIT 15, 49
(1975).
"""

from typing import NamedTuple

import numpy as np

RIDGE = 3e-9  # on the output weights: without it nearly equal hidden units cancel and lose digits
STATIONARY = 1e-3  # at a minimum, the relative offset of Bates & Watts is no larger
POLISHED = 1e-4  # the same where the search ends: then other machines end at the same curve
MAX_ITERATIONS = 300  # of Levenberg–Marquardt, unless the caller wants more
BLOCK = 7000  # numbers in one QR: with more, BLAS starts threads that wait for each other


class Projection(NamedTuple):
    """The objective as a function of the hidden layer alone, with the best output layer.

    The system holds Kaufman's Jacobian and, as its last column, the errors (targets minus outputs).
    A QR decomposition has reduced both to a triangle: lengths and angles of columns stay the same.
    """

    layer: np.ndarray  # (n_features + 1, n_hidden), the biases last
    output_weights: np.ndarray  # (1 + n_hidden,), the bias first
    system: np.ndarray  # (at most layer.size + 1, layer.size + 1)
    objective: float


def project(layer, basis, basis_jacobian, targets, penalty):
    """The `Projection` at a hidden `layer`: the best fit of `targets` by the columns of `basis`.

    The last n_hidden columns of `basis` (n_targets, n_basis) are the hidden units; the columns
    before them, such as one of ones, don't depend on the layer. `basis_jacobian` (n_targets,
    n_features + 1, n_hidden) holds the derivatives of each unit with respect to its own column of
    the layer. `penalty` is on all weights, those of the layer included, but not on biases.
    """
    n_hidden = layer.shape[1]
    table = np.column_stack([basis, basis_jacobian.reshape(len(basis), layer.size), targets])
    ridge = np.full(basis.shape[1], RIDGE)
    ridge[-n_hidden:] = np.sqrt(max(RIDGE**2, penalty))
    output_weights, system = _ridge_qr(table, ridge)
    system = system * np.append(np.tile(output_weights[-n_hidden:], len(layer)), 1)
    if penalty:
        n_weights = layer[:-1].size
        rows = np.eye(n_weights, layer.size + 1)
        rows[:, -1] = -layer[:-1].ravel()
        system = _triangle(np.vstack([system, np.sqrt(penalty) * rows]))
    return Projection(layer, output_weights, system, np.sum(system[:, -1] ** 2))


def levenberg_marquardt(
    project, here, target_sse, min_gain, max_iterations=MAX_ITERATIONS, damping=0.01, scaling=True
):
    """The `Projection` where Levenberg–Marquardt ends, and whether it has converged.

    It has if the objective is below `target_sse`, or if the errors are all but perpendicular to the
    tangent plane of the model (Bates & Watts, Technometrics 23, 179, 1981). Damping as in Madsen,
    Nielsen & Tingleff, Methods for non-linear least squares problems, 2004. With `scaling`, as in
    MINPACK, the steps don't depend on the units of the layer; without, the layer has to be in units
    in which ordinary values are about 1.
    """
    growth = 2.0
    scale = np.full(here.layer.size, 1e-9 if scaling else 1.0)
    for _ in range(max_iterations):
        jacobian = here.system[:, :-1]
        errors = here.system[:, -1]
        if scaling:
            scale = np.maximum(scale, np.sqrt(np.sum(jacobian**2, axis=0)))
        if _relative_offset(here, scale) <= POLISHED:
            break
        step, _ = _ridge_qr(here.system, np.sqrt(damping) * scale)
        trial = project(here.layer + step.reshape(here.layer.shape))
        gain = here.objective - trial.objective
        predicted_gain = here.objective - np.sum((errors - jacobian @ step) ** 2)
        if gain > 0:
            here = trial
            agreement = gain / predicted_gain if predicted_gain > 0 else 1.0
            damping *= max(1 / 5, 1 - (2 * agreement - 1) ** 3)
            growth = 2.0
        else:
            damping *= growth
            growth *= 2
        enough = 0.5 if here.objective <= target_sse else min_gain
        if 0 <= gain <= enough * here.objective or damping > 1e12:
            break
    converged = here.objective <= target_sse or _relative_offset(here, scale) <= STATIONARY
    return here, converged


def _relative_offset(here, scale):
    """Cosine of the angle between the errors and the tangent plane.

    Directions in which the model has become flat, such as those of a unit that is a step between
    two points, don't count.
    """
    diagonal = np.abs(np.diag(here.system[:, :-1]))
    curved = diagonal > 1e-10 * scale[: len(diagonal)]
    in_plane = here.system[: len(diagonal), -1][curved]
    return np.sqrt(np.sum(in_plane**2) / max(here.objective, np.finfo(float).tiny))


def _ridge_qr(table, ridge):
    """Ridge regression of the last column of `table` on the first ones, one for each of `ridge`.

    Returns the coefficients and, of the other columns, what the first ones don't explain.
    """
    n = len(ridge)
    penalties = np.eye(n, table.shape[1]) * ridge[:, np.newaxis]
    triangle = _triangle(np.vstack([table, penalties]))
    return np.linalg.solve(triangle[:n, :n], triangle[:n, -1]), triangle[n:, n:]


def _triangle(table):
    """The triangular factor R of a QR decomposition of `table`, block by block."""
    n_columns = table.shape[1]
    n_rows = max(2 * n_columns, BLOCK // n_columns)
    while len(table) > n_rows:
        n_blocks = -(-len(table) // n_rows)
        padding = np.zeros((-len(table) % n_blocks, n_columns))
        blocks = np.vstack([table, padding]).reshape(n_blocks, -1, n_columns)
        table = np.linalg.qr(blocks, mode="r").reshape(-1, n_columns)
    return np.linalg.qr(table, mode="r")
