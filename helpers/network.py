"""A perceptron as a function of its layers, its training, and the choice of its size.

Training works in standardised units: each column of the inputs and the targets are shifted to mean
zero and divided by their standard deviation. In these units it minimises

    Σ (output - target)² + penalty · Σ weight²

over the weights and biases of both layers; the biases are not penalised. The penalty is therefore a
pure number: it has the meaning of `alpha` in scikit-learn's `MLPRegressor` on standardised data.
"""

from dataclasses import dataclass
from itertools import pairwise, product

import autograd.numpy as anp
import numpy as np
from autograd import elementwise_grad

from helpers.autodiff import sech_squared, tanh
from helpers.validation import check_generator, check_integer, finite_array
from helpers.variable_projection import levenberg_marquardt, project

STEEPNESS = 2.0  # spread of the initial slopes, per standard deviation of the inputs
TARGET_RMSE = 5e-7  # per standard deviation of the targets; with less, no other start is tried
SCREENING_GAIN = 1e-3  # a start is given up once a step lowers its objective by less than this
NOISE = 0.01  # residual standard deviation, per standard deviation of the targets


def random_layers(sizes, rng, scale=0.1):
    """Normally distributed (weights, biases) of each layer: shapes (n_in, n_out) and (n_out,).

    `sizes` counts the inputs, the units of each hidden layer and the outputs.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes are {sizes}; give at least two, each at least 1: (1, 3, 1)")
    return [
        (rng.standard_normal((n_in, n_out)) * scale, rng.standard_normal(n_out) * scale)
        for n_in, n_out in pairwise(sizes)
    ]


def predict(layers, inputs, activation=tanh):
    """Outputs (n_inputs, n_outputs) of the perceptron at `inputs` (n_inputs, n_features).

    `layers` lists (weights, biases); `activation` follows every layer but the last.
    """
    _check_layers(layers, inputs)
    *hidden, (weights, biases) = layers
    for hidden_weights, hidden_biases in hidden:
        inputs = activation(anp.dot(inputs, hidden_weights) + hidden_biases)
    return anp.dot(inputs, weights) + biases


@dataclass(frozen=True, eq=False)
class Network:
    """A trained perceptron with one output: a function of inputs (n_inputs[, n_features])."""

    layers: tuple  # of (weights, biases), for `predict`
    rmse: float  # on the training data, in the unit of the targets
    converged: bool = False  # to a minimum, or below TARGET_RMSE; False: out of iterations

    def __call__(self, inputs):
        """Outputs (n_inputs,) at `inputs` (n_inputs,) or (n_inputs, n_features)."""
        return predict(self.layers, _columns(finite_array("inputs", inputs, (1, 2))))[:, 0]

    def gradient(self, inputs):
        """Derivatives of the outputs with respect to the inputs, in the shape of `inputs`."""
        inputs = finite_array("inputs", inputs, (1, 2))
        gradient = elementwise_grad(lambda columns: predict(self.layers, columns))
        return gradient(_columns(inputs)).reshape(inputs.shape)


def train(inputs, targets, hidden, rng, starts=12, penalty=0.0):
    """The `Network` of `hidden` tanh units that fits `targets` (n_inputs,) best.

    `inputs` are (n_inputs,) or (n_inputs, n_features). Several random starts are compared, and the
    best of them is trained until no small change of the weights lowers the objective. The module's
    docstring states the objective. Without a penalty this is least squares, which suits data
    without noise. For noisy data a penalty, such as 0.1 or 1, keeps the network from following the
    noise: `cross_validate` chooses one. It also bounds the network: in standardised units the slope
    with respect to any input is at most n_inputs / (2 penalty) once the fit beats the mean of the
    targets.

    Without a penalty, ValueError is raised for fewer points than parameters; for fewer than two
    points for each parameter if the residual standard deviation exceeds 1 % of the standard
    deviation of the targets; and for fewer than four if the network explodes between the points,
    that is, if it leaves the range of the targets by more than that range.

    Method: the output layer is solved exactly for each hidden layer, and Levenberg–Marquardt moves
    the hidden layer alone (variable projection). Sources: Golub & Pereyra, SIAM J. Numer. Anal. 10,
    413 (1973); the Jacobian of Kaufman, BIT 15, 49 (1975).
    """
    columns = _columns(finite_array("inputs", inputs, (1, 2)))
    targets = finite_array("targets", targets, (1,))
    hidden = check_integer("hidden", hidden)
    starts = check_integer("starts", starts)
    (penalty,) = _check_penalties("penalty", [penalty])
    _check_training(columns, targets, rng)
    _check_count(len(targets), columns.shape[1], hidden, penalty)
    network = _fit(columns, targets, hidden, rng, starts, penalty)
    if penalty == 0:
        _check_overfitting(network, columns, targets)
    return network


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Errors of networks on data that they were not trained on; print it for a table."""

    candidates: tuple  # of (hidden units, penalty)
    errors: np.ndarray  # (n_candidates,), held-out RMSE in the unit of the targets
    standard_errors: np.ndarray  # (n_candidates,), of the errors, from their spread over the folds

    @property
    def hidden(self):
        """The number of hidden units with the smallest held-out error."""
        return self.candidates[np.argmin(self.errors)][0]

    @property
    def penalty(self):
        """The penalty with the smallest held-out error."""
        return self.candidates[np.argmin(self.errors)][1]

    def __str__(self):
        lines = ["hidden units     penalty  held-out RMSE"]
        best = np.argmin(self.errors)
        rows = zip(self.candidates, self.errors, self.standard_errors, strict=True)
        for i, ((hidden, penalty), error, spread) in enumerate(rows):
            mark = "  smallest" if i == best else ""
            lines.append(f"{hidden:12d}  {penalty:10.4g}  {error:.4g} ± {spread:.2g}{mark}")
        return "\n".join(lines)


def cross_validate(
    inputs, targets, hidden, rng, penalties=(0.01, 0.1, 1.0, 10.0), folds=5, starts=3
):
    """The `CrossValidation` of each number of units in `hidden` with each of `penalties`.

    The points are divided into `folds` parts at random. Each part is predicted by a network that
    was trained on the others; the error is the root mean square over all points. To save time these
    networks are not trained to the last digit. Then train the chosen network on all points:

        chosen = cross_validate(x, y, (2, 4, 8), rng)
        network = train(x, y, chosen.hidden, rng, penalty=chosen.penalty)
    """
    columns = _columns(finite_array("inputs", inputs, (1, 2)))
    targets = finite_array("targets", targets, (1,))
    starts = check_integer("starts", starts)
    folds = check_integer("folds", folds, minimum=2)
    _check_training(columns, targets, rng)
    if folds > len(targets):
        raise ValueError(f"{folds} folds for {len(targets)} points; give fewer folds")
    candidates = _candidates(hidden, penalties)
    parts = np.array_split(rng.permutation(len(targets)), folds)
    for units, penalty in candidates:
        _check_count(len(targets) - len(parts[0]), columns.shape[1], units, penalty)
    fold_errors = np.empty((len(candidates), folds))  # mean squares
    for i, (units, penalty) in enumerate(candidates):
        for j, part in enumerate(parts):
            kept = np.delete(np.arange(len(targets)), part)
            network = _fit(
                columns[kept], targets[kept], units, rng, starts, penalty, SCREENING_GAIN
            )
            fold_errors[i, j] = np.mean((network(columns[part]) - targets[part]) ** 2)
    errors = np.sqrt(np.average(fold_errors, axis=1, weights=[len(part) for part in parts]))
    spread = np.std(np.sqrt(fold_errors), axis=1, ddof=1) / np.sqrt(folds)
    return CrossValidation(candidates, _read_only(errors), _read_only(spread))


def _fit(columns, targets, hidden, rng, starts, penalty, min_gain=0.0):
    """The best `Network` of several starts; a positive `min_gain` stops its training early."""
    shift = columns.mean(axis=0)
    scale = columns.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    center = targets.mean()
    spread = targets.std() or 1.0
    inputs = np.column_stack([(columns - shift) / scale, np.ones(len(columns))])
    target_sse = TARGET_RMSE**2 * len(targets)

    standardized = (targets - center) / spread

    def fit_output(layer):
        return project(layer, *_hidden_units(layer, inputs), standardized, penalty)

    best = None
    for _ in range(starts):
        start = fit_output(_random_hidden(inputs, hidden, rng))
        end, converged = levenberg_marquardt(fit_output, start, target_sse, SCREENING_GAIN)
        if best is None or end.objective < best.objective:
            best = end
        if best.objective <= target_sse:
            break
    if min_gain < SCREENING_GAIN:
        best, converged = levenberg_marquardt(fit_output, best, target_sse, min_gain)
    weights = best.layer[:-1] / scale[:, np.newaxis]
    biases = best.layer[-1] - shift @ weights
    output_weights = spread * best.output_weights[1:, np.newaxis]
    output_bias = spread * best.output_weights[:1] + center
    layers = (weights, biases), (output_weights, output_bias)
    errors = predict(layers, columns)[:, 0] - targets
    layers = tuple(tuple(map(_read_only, layer)) for layer in layers)
    return Network(layers, float(np.sqrt(np.mean(errors**2))), bool(converged))


def _hidden_units(layer, inputs):
    """A column of ones and the hidden units, and the derivatives of the units: see `project`."""
    arguments = inputs[:, :-1] @ layer[:-1] + layer[-1]  # (n_inputs, n_hidden)
    slopes = sech_squared(arguments)
    basis = np.column_stack([np.ones(len(inputs)), np.tanh(arguments)])
    return basis, inputs[:, :, np.newaxis] * slopes[:, np.newaxis, :]


def _random_hidden(inputs, hidden, rng):
    """A random hidden layer: its weights and, where `inputs` have ones, a last row of biases."""
    n_features = inputs.shape[1] - 1
    steepness = STEEPNESS / np.sqrt(n_features)
    weights = rng.standard_normal((n_features, hidden)) * steepness
    centers = inputs[rng.integers(len(inputs), size=hidden), :-1]  # each tanh is 0 at one point
    return np.vstack([weights, -np.sum(centers.T * weights, axis=0)])


def _columns(inputs):
    """`inputs` (n_inputs,) as a column, or (n_inputs, n_features) unchanged."""
    return inputs if inputs.ndim == 2 else inputs[:, np.newaxis]


def _read_only(values):
    """A copy of the array that can't be changed."""
    values = np.array(values)
    values.setflags(write=False)
    return values


def _candidates(hidden, penalties):
    """Each number of hidden units with each penalty."""
    hidden = [check_integer("hidden", number) for number in np.ravel(hidden).tolist()]
    penalties = _check_penalties("penalties", penalties)
    if not hidden or not penalties:
        raise ValueError("there is nothing to compare; give numbers of hidden units and penalties")
    return tuple(product(hidden, penalties))


def _check_penalties(name, penalties):
    """`penalties` as a list of floats, provided that none is negative."""
    penalties = finite_array(name, penalties, (1,)).tolist()
    if any(penalty < 0 for penalty in penalties):
        raise ValueError(f"{name}: contains {min(penalties)}; give zero or positive numbers")
    return penalties


def _count_parameters(n_features, hidden):
    """Weights and biases of a perceptron with one hidden layer and one output."""
    return hidden * (n_features + 2) + 1


def _check_count(n_points, n_features, hidden, penalty):
    """Refuse fewer points than parameters, unless a penalty determines the parameters."""
    parameters = _count_parameters(n_features, hidden)
    if n_points < parameters and penalty == 0:
        raise ValueError(
            f"{n_points} points for {parameters} parameters; "
            "give more points, fewer hidden units or a penalty"
        )


def _check_training(inputs, targets, rng):
    """Refuse `inputs` (n_inputs, n_features) and `targets` that can't be standardised."""
    check_generator(rng)
    if targets.shape != inputs.shape[:1]:
        raise ValueError(f"{len(targets)} targets for {len(inputs)} inputs; give one for each")
    if inputs.shape[1] == 0:
        raise ValueError("inputs: there are no columns; give at least one")
    if len(inputs) < 2:
        raise ValueError(f"inputs: number of points is {len(inputs)}; give at least two")
    ranges = np.ptp(inputs, axis=0)
    if not np.all(ranges > 0):
        raise ValueError("inputs: a column is constant; leave it out")
    ranges = np.append(ranges, np.ptp(targets) or 1.0)
    if np.any((ranges < 1e-150) | (ranges > 1e150)):
        raise ValueError("the range of the data is beyond 1e-150 to 1e150; change the unit")


def _check_overfitting(network, inputs, targets):
    """Refuse a network without a penalty that follows noise, or that explodes between its points.

    Noise is what fewer than two points for each parameter leave unexplained. Fewer than four allow
    explosions; 10,000 inputs on lines between random pairs of points, always the same, show them.
    """
    n_points = len(inputs)
    parameters = sum(array.size for layer in network.layers for array in layer)
    advice = "give fewer hidden units, more points or a penalty (cross_validate chooses one)"
    deviation = network.rmse * np.sqrt(n_points / max(1, n_points - parameters))
    if n_points < 2 * parameters and deviation > NOISE * targets.std() > 0:
        raise ValueError(
            f"{n_points} points for {parameters} parameters are too few, because the data have "
            f"noise or are not fitted (residual standard deviation {deviation:.2g}); {advice}"
        )
    if n_points >= 4 * parameters:
        return
    rng = np.random.default_rng(0)
    first, second = rng.integers(n_points, size=(2, 10_000))
    fractions = rng.random((10_000, 1))
    outputs = network(inputs[first] + fractions * (inputs[second] - inputs[first]))
    beyond = np.maximum(targets.min() - outputs, outputs - targets.max())
    if beyond.max() > np.ptp(targets) + 1e-6 * np.abs(targets).max():
        raise ValueError(
            f"the network reaches {outputs[np.argmax(beyond)]:.2g} between its training points, "
            f"whose targets lie between {targets.min():.2g} and {targets.max():.2g}; {advice}"
        )


def _check_layers(layers, inputs):
    """Refuse inputs and layers whose shapes don't fit together."""
    if not layers:
        raise ValueError("there are no layers; give a list of (weights, biases)")
    if np.ndim(inputs) != 2:
        raise ValueError(
            f"inputs: shape {np.shape(inputs)}; give (n_inputs, n_features), "
            "for example inputs[:, np.newaxis]"
        )
    width = np.shape(inputs)[1]
    for i, (weights, biases) in enumerate(layers):
        n_in, n_out = np.shape(weights) if np.ndim(weights) == 2 else (None, None)
        if n_in != width or np.shape(biases) != (n_out,):
            raise ValueError(
                f"layer {i}: weights {np.shape(weights)} and biases {np.shape(biases)} follow "
                f"{width} columns; give ({width}, n) and (n,)"
            )
        width = n_out
