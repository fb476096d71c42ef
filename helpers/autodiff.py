"""Exact derivatives of models written with autograd.numpy."""

import numpy as np
from autograd import make_vjp
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import isbox

BLOCK = 16_384  # inputs in one reverse pass: its arrays then stay in the processor's cache


def model_jacobian(model):
    """The function jac(inputs, *parameters) that returns ∂model/∂parameter, shape (n_inputs, n_parameters).

    `model(inputs, *parameters)` has to be pointwise: one output per input, the first axis of `inputs`
    counting them, and no output may depend on another's input. Then one reverse pass is enough, where
    `autograd.jacobian` makes one per output: give every input its own copy of the parameters, and the
    gradient of the sum of the outputs by those copies is the Jacobian. It fits `curve_fit(jac=...)`.
    """

    def jac(inputs, *parameters):
        inputs = np.asarray(inputs, dtype=float)
        parameters = np.array(parameters, dtype=float)
        if parameters.ndim != 1 or inputs.ndim == 0:
            raise ValueError(
                "give inputs with at least one axis, and parameters that are single numbers"
            )
        jacobian, outputs = np.empty((len(inputs), len(parameters))), np.empty(len(inputs))
        for start in range(0, len(inputs), BLOCK):
            block = slice(start, start + BLOCK)
            outputs[block] = _one_pass(model, inputs[block], parameters, jacobian[block])
        _check_pointwise(model, inputs, parameters, outputs)
        return jacobian

    return jac


@primitive
def tanh(x):
    """Hyperbolic tangent with the gradient 1 - tanh², which neither overflows nor warns.

    autograd differentiates its own `np.tanh` as 1 / cosh², and cosh² overflows beyond |x| = 355.
    """
    return np.tanh(x)


defvjp(tanh, lambda tanh_x, x: lambda g: g * (1 - tanh_x**2))
defjvp(tanh, lambda g, tanh_x, x: g * (1 - tanh_x**2))  # forward, for autograd's deriv


@primitive
def _own_copy(anchor, copies, gradient):
    """`copies`, unchanged; what comes back to them in the reverse pass is put into `gradient`."""
    return copies


def _put_aside(_, anchor, copies, gradient):
    def pull_back(g):
        gradient[:] = g
        return 0.0  # nothing goes on to the anchor

    return pull_back


defvjp(_own_copy, _put_aside, argnums=[0])


def _one_pass(model, inputs, parameters, jacobian):
    """Outputs at `inputs`; fills `jacobian` by one reverse pass, every input with copies of the parameters."""

    def with_copies(
        anchor,
    ):  # one anchor for all: differentiating a tuple costs more than most models
        copies = np.repeat(parameters[:, np.newaxis], len(inputs), axis=1)
        outputs = model(inputs, *map(_own_copy, [anchor] * len(copies), copies, jacobian.T))
        return (
            outputs if isbox(outputs) else outputs + 0 * anchor
        )  # autograd warns of what depends on nothing

    jacobian[:] = 0
    try:
        pull_back, outputs = make_vjp(with_copies)(0.0)
        if np.shape(outputs) == (len(inputs),):
            pull_back(np.ones(len(inputs)))
    except (TypeError, ValueError, AttributeError) as problem:
        model(inputs, *parameters)  # where the model is at fault, its own error is the better one
        raise ValueError(
            f"{_name(model)} can't be differentiated point by point: {problem}; write it with autograd.numpy, "
            "for parameters that may be arrays, one value per input"
        ) from problem
    if np.shape(outputs) != (len(inputs),):
        raise ValueError(
            f"{_name(model)} returns shape {np.shape(outputs)}; give one output per input: {len(inputs)}"
        )
    return outputs


def _check_pointwise(model, inputs, parameters, outputs):
    """Refuse a model whose outputs at the last and the first input change when these stand alone."""
    if len(inputs) > 1:
        ends = [-1, 0, 0]  # no mirror image of itself
        alone = np.broadcast_to(model(inputs[ends], *parameters), len(ends))
        if np.any(np.abs(alone - outputs[ends]) > 1e-9 * np.abs(alone)):
            raise ValueError(
                f"{_name(model)} is not pointwise: what it returns for one input depends on the others; "
                "autograd.jacobian takes any function, at one pass per output"
            )


def _name(model):
    return getattr(model, "__name__", "the model")
