"""A perceptron as a plain function of its layers, and how to train it."""

from dataclasses import dataclass
from itertools import pairwise

import autograd.numpy as np
from autograd import elementwise_grad, make_vjp

from helpers.autodiff import tanh
from helpers.validation import check_integer, finite_array

STEEPNESS = 2.0  # the spread of the first slopes, per standard deviation of the inputs
DAMPING = 1e-8  # of the outer weights: without it units that are all but equal cancel, and digits are lost
EXACT = 5e-7  # RMSE, per standard deviation of the targets, below which another start buys nothing
STEPS = 300  # from one start, at most
BLOCK = 7000  # numbers in one QR: with more, BLAS starts threads, and they wait for each other


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
    _check_layers(layers, inputs)
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
        """Outputs (n_inputs,) at `inputs`: those of `predict`, computed in place, a row for each unit."""
        columns = _columns(finite_array("inputs", inputs, (1, 2)))
        _check_layers(self.layers, columns)
        *hidden, (weights, biases) = self.layers
        units = columns.T
        for hidden_weights, hidden_biases in hidden:
            units = np.dot(hidden_weights.T, units)
            units += hidden_biases[:, np.newaxis]
            np.tanh(units, out=units)
        return np.dot(weights[:, 0], units) + biases[0]

    def gradient(self, inputs):
        """Derivatives of the outputs by the inputs, in the shape of `inputs`."""
        inputs = finite_array("inputs", inputs, (1, 2))
        slope = elementwise_grad(lambda columns: predict(self.layers, columns))
        return slope(_columns(inputs)).reshape(inputs.shape)


def train(inputs, targets, hidden, rng, starts=12):
    """The `Network` of `hidden` tanh units that fits `targets` (n_inputs,) best, of up to `starts` random starts.

    Variable projection: the linear output layer is solved exactly for each hidden layer, and
    Levenberg–Marquardt moves the hidden layer alone. Source: Golub & Pereyra, SIAM J. Numer. Anal. 10, 413
    (1973), with the Jacobian of Kaufman, BIT 15, 49 (1975).
    """
    columns, targets = (
        _columns(finite_array("inputs", inputs, (1, 2))),
        finite_array("targets", targets, (1,)),
    )
    _check_training(columns, targets, check_integer("hidden", hidden), rng)
    shift, scale = columns.mean(axis=0), columns.std(axis=0)
    centre, spread = targets.mean(), targets.std() or 1.0
    scaled = np.column_stack(
        [(columns - shift) / scale, np.ones(len(columns))]
    )  # the ones are the biases'
    best = None, None, np.inf
    for _ in range(check_integer("starts", starts)):
        fit = _descend(_random_hidden(scaled, hidden, rng), scaled, (targets - centre) / spread)
        best = min(best, fit, key=lambda fit: fit[2])
        if best[2] <= EXACT**2 * len(targets):
            break
    layer, (offset, *outer), _ = best
    weights, biases = layer[:-1] / scale[:, np.newaxis], layer[-1]
    outer = spread * np.array(outer)[:, np.newaxis], np.array([spread * offset + centre])
    layers = [(weights, biases - shift @ weights), outer]
    errors = predict(layers, columns)[:, 0] - targets
    return Network(layers, float(np.sqrt(np.mean(errors**2))))


def _random_hidden(inputs, hidden, rng):
    """A hidden layer: its weights, and its biases as the last row, where `inputs` have ones."""
    weights = rng.standard_normal((inputs.shape[1] - 1, hidden)) * STEEPNESS
    knees = inputs[
        rng.integers(len(inputs), size=hidden), :-1
    ]  # each unit bends at one of the data
    return np.vstack([weights, -np.sum(knees.T * weights, axis=0)])


def _descend(layer, inputs, targets):
    """Levenberg–Marquardt from `layer`: the hidden layer where it ends, the outer weights there, and their SSE."""
    (outer, system), caution, scale = _project(layer, inputs, targets), 0.01, 1e-9
    sse = np.sum(system[:, -1] ** 2)
    for _ in range(STEPS):
        scale = np.maximum(scale, np.sqrt(np.sum(system[:, :-1] ** 2, axis=0)))  # Moré's
        step, _ = _eliminate(system, np.sqrt(caution) * scale)
        trial = layer + step.reshape(layer.shape)
        trial_outer, trial_system = _project(trial, inputs, targets)
        gain = sse - np.sum(trial_system[:, -1] ** 2)
        caution = caution / 5 if gain > 0 else caution * 4
        if gain > 0:
            layer, outer, system, sse = trial, trial_outer, trial_system, sse - gain
        if 0 <= gain <= (0.5 if sse <= EXACT**2 * len(targets) else 1e-3) * sse or caution > 1e12:
            break
    return layer, outer, sse


def _project(layer, inputs, targets):
    """The best outer weights behind `layer`, offset first, and the columns of their Jacobian, then their errors.

    The rows are turned, as QR turns them: the few that are left have the same lengths and angles.
    """
    pull_back, units = make_vjp(tanh)(np.dot(inputs, layer))
    slopes = pull_back(np.ones_like(units))  # (n_inputs, hidden)
    moves = (inputs[:, :, np.newaxis] * slopes[:, np.newaxis, :]).reshape(len(inputs), layer.size)
    table = np.column_stack([np.ones(len(inputs)), units, moves, targets])
    outer, rest = _eliminate(table, np.full(1 + units.shape[1], DAMPING))
    return outer, rest * np.append(np.tile(outer[1:], len(layer)), 1)


def _eliminate(table, damping):
    """Damped weights of the first columns that sum to the last best, and the others less what the first explain."""
    n = len(damping)
    padded = np.vstack([table, np.eye(n, table.shape[1]) * damping[:, np.newaxis]])
    triangle, rows = padded[:0], n + BLOCK // len(padded.T)
    for start in range(0, len(padded), rows):
        triangle = np.linalg.qr(np.vstack([triangle, padded[start : start + rows]]), mode="r")
    return np.linalg.solve(triangle[:n, :n], triangle[:n, -1]), triangle[n:, n:]


def _columns(inputs):
    """`inputs` (n_inputs,) as a column, or (n_inputs, n_features) as they are."""
    return inputs if inputs.ndim == 2 else inputs[:, np.newaxis]


def _check_training(inputs, targets, hidden, rng):
    """Refuse `inputs` (n_inputs, n_features) and `targets` on which no network of `hidden` units can be trained."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng is {rng!r}; give a generator: numpy.random.default_rng(seed)")
    if targets.shape != inputs.shape[:1]:
        raise ValueError(f"{len(targets)} targets for {len(inputs)} inputs; give one for each")
    parameters = hidden * (inputs.shape[1] + 2) + 1
    if len(targets) < parameters:
        raise ValueError(
            f"{len(targets)} points for {parameters} parameters; give more, or fewer hidden units"
        )
    ranges = np.ptp(inputs, axis=0)
    if not np.all(ranges > 0):
        raise ValueError("inputs: a column is constant; leave it out")
    if np.any((ranges < 1e-150) | (ranges > 1e150)) or not (
        np.ptp(targets) == 0 or 1e-150 < np.ptp(targets) < 1e150
    ):
        raise ValueError("the range of the data is beyond 1e-150 to 1e150; change the unit")


def _check_layers(layers, inputs):
    """Refuse inputs and layers that don't fit one behind the other."""
    if not layers:
        raise ValueError("there are no layers; give a list of (weights, biases)")
    if np.ndim(inputs) != 2:
        raise ValueError(
            f"inputs have shape {np.shape(inputs)}; give (n_inputs, n_features): inputs[:, np.newaxis]"
        )
    width = np.shape(inputs)[1]
    for i, (weights, biases) in enumerate(layers):
        n_in, n_out = np.shape(weights) if np.ndim(weights) == 2 else (None, None)
        if n_in != width or np.shape(biases) != (n_out,):
            raise ValueError(
                f"layer {i}: weights {np.shape(weights)} and biases {np.shape(biases)} behind {width} columns; "
                f"give ({width}, n) and (n,)"
            )
        width = n_out
