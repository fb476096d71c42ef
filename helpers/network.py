"""A perceptron as a plain function of its layers, and how to train it."""

from dataclasses import dataclass
from itertools import pairwise

import autograd.numpy as np
from autograd import elementwise_grad
from scipy.linalg import solve_triangular
from scipy.optimize import least_squares

from helpers.checks import finite_array, whole
from helpers.derivatives import tanh

STEEPNESS = 2.0  # the spread of the first slopes, per standard deviation of the inputs
DAMPING = 1e-8  # of the outer weights: without it units that are all but equal cancel, and digits are lost
EXACT = 2e-7  # RMSE, per standard deviation of the targets, below which another start buys nothing


def random_layers(sizes, rng, scale=0.1):
    """Normally distributed (weights, biases) between layers of `sizes` units: shapes (n_in, n_out), (n_out,)."""
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes are {sizes}; give at least two, each at least 1: (1, 3, 1)")
    return [
        (rng.standard_normal((n_in, n_out)) * scale, rng.standard_normal(n_out) * scale)
        for n_in, n_out in pairwise(sizes)
    ]


def predict(layers, inputs, activation=tanh):
    """Outputs (n_inputs, n_outputs) of the perceptron `layers` at `inputs` (n_inputs, n_features)."""
    _check_shapes(layers, inputs)
    *hidden, (weights, biases) = layers
    for hidden_weights, hidden_biases in hidden:
        inputs = activation(np.dot(inputs, hidden_weights) + hidden_biases)
    return np.dot(inputs, weights) + biases


@dataclass(frozen=True, eq=False)
class Network:
    """A trained perceptron with one output: call it on inputs (n_inputs,) or (n_inputs, n_features)."""

    layers: list  # of (weights, biases), for `predict`
    rmse: float  # of the training targets, in their unit

    def __call__(self, inputs):
        """Outputs (n_inputs,) at `inputs`."""
        return predict(self.layers, _columns(finite_array("inputs", inputs, (1, 2))))[:, 0]

    def slope(self, inputs):
        """Derivatives of the outputs by the inputs, in the shape of `inputs`."""
        inputs = finite_array("inputs", inputs, (1, 2))
        slope = elementwise_grad(lambda columns: predict(self.layers, columns))
        return slope(_columns(inputs)).reshape(inputs.shape)


def train(inputs, targets, hidden, rng, starts=8):
    """The `Network` of `hidden` tanh units that fits `targets` (n_inputs,) best, of up to `starts` random starts.

    Variable projection: the linear output layer is solved exactly for each hidden layer, and
    Levenberg–Marquardt moves the hidden layer alone. Source: Golub & Pereyra, SIAM J. Numer. Anal. 10, 413
    (1973), with the Jacobian of Kaufman, BIT 15, 49 (1975).
    """
    columns, targets = _columns(finite_array("inputs", inputs, (1, 2))), finite_array("targets", targets, (1,))
    _check_data(columns, targets, whole("hidden", hidden), rng)
    shift, scale = columns.mean(axis=0), columns.std(axis=0)
    centre, spread = targets.mean(), targets.std() or 1.0
    best = None, None, np.inf
    for _ in range(whole("starts", starts)):
        fit = _fit_hidden((columns - shift) / scale, (targets - centre) / spread, hidden, rng)
        best = min(best, fit, key=lambda fit: fit[2])
        if best[2] <= EXACT**2 * len(targets):
            break
    (weights, biases), (offset, *outer), _ = best
    weights = weights / scale[:, np.newaxis]
    outer = spread * np.array(outer)[:, np.newaxis], np.array([spread * offset + centre])
    layers = [(weights, biases - shift @ weights), outer]
    errors = predict(layers, columns)[:, 0] - targets
    return Network(layers, float(np.sqrt(np.mean(errors**2))))


def _fit_hidden(inputs, targets, hidden, rng):
    """From one random start: the hidden layer, the outer weights behind it, offset first, and their SSE."""
    n_inputs, n_features = inputs.shape
    padded = np.concatenate([targets, np.zeros(hidden + 1)])  # the zeros are the damping's

    def unpack(flat):
        return flat[:-hidden].reshape(n_features, hidden), flat[-hidden:]

    def project(flat):
        weights, biases = unpack(flat)
        sums = np.dot(inputs, weights) + biases
        units = np.column_stack([np.ones(n_inputs), tanh(sums)])
        basis, triangle = np.linalg.qr(np.vstack([units, DAMPING * np.identity(hidden + 1)]))
        return sums, basis, solve_triangular(triangle, basis.T @ padded)

    def residuals(flat):
        _, basis, _ = project(flat)
        return basis @ (basis.T @ padded) - padded

    def jacobian(flat):
        sums, basis, outer = project(flat)
        slopes = elementwise_grad(tanh)(sums) * outer[1:]  # ∂output/∂sum, (n_inputs, hidden)
        whole = np.zeros((len(padded), len(flat)))
        whole[:n_inputs] = np.hstack([column[:, np.newaxis] * slopes for column in inputs.T] + [slopes])
        return whole - basis @ (basis.T @ whole)  # Kaufman: less what the outer weights make up for

    weights = rng.standard_normal((n_features, hidden)) * STEEPNESS
    knees = inputs[rng.integers(n_inputs, size=hidden)]  # each unit bends at one of the data
    start = np.concatenate([weights.ravel(), -np.sum(knees.T * weights, axis=0)])
    end = least_squares(residuals, start, jacobian, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=300)
    return unpack(end.x), project(end.x)[2], 2 * end.cost


def _columns(inputs):
    """`inputs` (n_inputs,) as a column, or (n_inputs, n_features) as they are."""
    return inputs if inputs.ndim == 2 else inputs[:, np.newaxis]


def _check_data(inputs, targets, hidden, rng):
    """Refuse what can't be trained on."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng is {rng!r}; give a generator: numpy.random.default_rng(seed)")
    if targets.shape != inputs.shape[:1]:
        raise ValueError(f"{len(targets)} targets for {len(inputs)} inputs; give one for each")
    parameters = hidden * (inputs.shape[1] + 2) + 1
    if len(targets) < parameters:
        raise ValueError(f"{len(targets)} points for {parameters} parameters; give more, or fewer hidden units")
    ranges = np.ptp(inputs, axis=0)
    if not np.all(ranges > 0):
        raise ValueError("inputs: a column is constant; leave it out")
    if np.any((ranges < 1e-150) | (ranges > 1e150)) or not (np.ptp(targets) == 0 or 1e-150 < np.ptp(targets) < 1e150):
        raise ValueError("the range of the data is beyond 1e-150 to 1e150; change the unit")


def _check_shapes(layers, inputs):
    """Refuse inputs and layers that don't fit one behind the other."""
    if not layers:
        raise ValueError("there are no layers; give a list of (weights, biases)")
    if np.ndim(inputs) != 2:
        raise ValueError(f"inputs have shape {np.shape(inputs)}; give (n_inputs, n_features): inputs[:, np.newaxis]")
    width = np.shape(inputs)[1]
    for i, (weights, biases) in enumerate(layers):
        n_in, n_out = np.shape(weights) if np.ndim(weights) == 2 else (None, None)
        if n_in != width or np.shape(biases) != (n_out,):
            raise ValueError(
                f"layer {i}: weights {np.shape(weights)} and biases {np.shape(biases)} behind {width} columns; "
                f"give ({width}, n) and (n,)"
            )
        width = n_out
