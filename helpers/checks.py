"""What is refused at the door: arguments that no formula could use."""

from numbers import Integral

import numpy as np


def finite_array(name, values, ndims):
    """`values` as an array of finite floats whose number of axes is one of `ndims`."""
    if np.ma.is_masked(values) or np.iscomplexobj(values):
        raise ValueError(f"{name}: masked or complex values; give real numbers, all of them meant")
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name}: no array of numbers ({problem}); give a list or an array") from None
    if array.ndim not in ndims:
        raise ValueError(f"{name} have shape {array.shape}; give an array with {' or '.join(map(str, ndims))} axes")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name}: {array[~np.isfinite(array)][0]} is among them; give finite numbers")
    return array


def whole(name, number, least=1):
    """`number`, if it is a whole one and not below `least`."""
    if not isinstance(number, Integral) or isinstance(number, bool) or number < least:
        raise ValueError(f"{name} is {number!r}; give a whole number, at least {least}")
    return number


def check_points(inputs, targets, guess, sigma):
    """The data of a fit as arrays of finite floats, at least one point per parameter, one sigma per point."""
    inputs, targets = finite_array("inputs", inputs, (1, 2)), finite_array("targets", targets, (1,))
    guess = finite_array("guess", guess, (1,))
    sigma = np.ones(len(targets)) if sigma is None else finite_array("sigma", sigma, (1,))
    if not len(inputs) == len(targets) == len(sigma):
        raise ValueError(
            f"{len(inputs)} inputs, {len(targets)} targets, {len(sigma)} sigmas; give one of each per point"
        )
    if len(targets) < max(1, len(guess)):
        raise ValueError(f"{len(targets)} points for {len(guess)} parameters; give at least as many points")
    if np.any(sigma <= 0):
        raise ValueError(f"sigma: {sigma.min()} is among them; give positive standard deviations")
    with np.errstate(over="ignore"):
        size = np.abs(targets / sigma).max()
    if not (size == 0 or 1e-150 < size < 1e150):
        raise ValueError(f"the largest target is {size:.0e} sigma, and its square no number; change the unit")
    return inputs, targets, guess, sigma


def check_training(inputs, targets, hidden, rng):
    """Refuse `inputs` (n_inputs, n_features) and `targets` on which no network of `hidden` units can be trained."""
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


def check_layers(layers, inputs):
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
