"""Exact derivatives of models written with autograd.numpy."""

import inspect
from contextlib import contextmanager
from typing import NamedTuple

import autograd.numpy as np
import numpy
from autograd.core import VJPNode, backward_pass
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import isbox, notrace_primitives, trace

STEP_FUNCTIONS = {np.floor, np.ceil, np.round, np.around, np.rint, np.fix, np.trunc}
STEP_FUNCTIONS |= {np.floor_divide}
AGREEMENT = 1e-9  # relative difference of two exact values that rounding may cause
EXPONENTS = 500  # of two, different weights of outputs that don't overflow
UNDERFLOW = 1e-200  # derivatives that small have lost digits
FINITE_DIFFERENCE_STEP = 1e-3  # relative; the error of the five-point formula is its fourth power
FINITE_DIFFERENCE_AGREEMENT = 1e-6  # of two steps, below which their common limit is believed


def model_jacobian(model):
    """The function jac(inputs, *parameters) → ∂model/∂parameter, shape (n_inputs, n_parameters).

    `model(inputs, *parameters)` returns one output per input, shape (n_inputs,); the first axis of
    `inputs` counts the inputs. `jac` can be given to SciPy as `curve_fit(..., jac=jac)`.

    Most models are pointwise: an output depends on its own input and on no other. Then a single
    reverse pass is enough, where `autograd.jacobian` needs one per output: every input receives its
    own copy of the parameters, and the gradient of the sum of the outputs with respect to the
    copies is the Jacobian. A second pass with other weights in that sum shows whether an output
    depends on another input's copy. If one does (a curve divided by its own maximum, a cumulative
    sum), or if the model can't take arrays of parameters (a product with a design matrix), `jac`
    makes one pass per output instead.

    Where a derivative is NaN or infinite although the model is finite, for example ∂(b x)^½/∂b at
    x = 0, its limit is taken by a finite difference of fourth order. ValueError names the input and
    the parameter where there is no limit, and refuses a model that rounds its values or computes
    them in single precision, because such derivatives say nothing about the steps.
    """

    def jac(inputs, *parameters):
        found = differentiate(model, inputs, parameters)
        not_finite = ~np.isfinite(found.jacobian) & np.isfinite(found.outputs)[:, np.newaxis]
        if np.any(not_finite):
            row, column = np.argwhere(not_finite)[0]
            raise ValueError(
                f"the derivative of {_name(model)} with respect to "
                f"{parameter_names(model, len(parameters))[column]} is not finite at input {row} "
                f"({np.asarray(inputs)[row]}); leave that input out, or write the model so that it "
                "is smooth there"
            )
        return found.jacobian

    return jac


class Derivatives(NamedTuple):
    """A model and its Jacobian at some parameters."""

    outputs: numpy.ndarray  # (n_inputs,)
    jacobian: numpy.ndarray  # (n_inputs, n_parameters)
    limits: numpy.ndarray  # (n_inputs, n_parameters), True where a finite difference was needed
    pointwise: bool  # whether one reverse pass was enough


def differentiate(model, inputs, parameters):
    """The `Derivatives` of `model` at `inputs` and `parameters`, as `model_jacobian` describes.

    Entries of the Jacobian are not finite where neither a derivative nor a limit is.
    """
    inputs = np.asarray(inputs, dtype=float)
    parameters = np.array(parameters, dtype=float)
    if parameters.ndim != 1 or inputs.ndim == 0:
        raise ValueError("give inputs with at least one axis and parameters that are numbers")
    with np.errstate(all="ignore"):  # the limits below deal with what is not finite
        outputs = outputs_of(model, inputs, parameters)
        jacobian = _one_pass(model, inputs, parameters, outputs)
        pointwise = jacobian is not None
        if not pointwise:
            jacobian = _one_pass_per_output(model, inputs, parameters)
        limits = ~np.isfinite(jacobian) & np.isfinite(outputs)[:, np.newaxis]
        for column in np.flatnonzero(np.any(limits, axis=0)):
            rows = limits[:, column]
            jacobian[rows, column] = _limit(model, inputs, parameters, column)[rows]
    return Derivatives(outputs, jacobian, limits, pointwise)


def outputs_of(model, inputs, parameters):
    """Outputs (n_inputs,) of `model`; an error unless it returns one real number per input."""
    outputs = model(inputs, *parameters)
    if np.shape(outputs) == ():
        outputs = np.full(len(inputs), outputs)  # a constant
    if np.shape(outputs) != (len(inputs),):
        raise ValueError(
            f"{_name(model)} returns shape {np.shape(outputs)}; "
            f"give one output per input, shape ({len(inputs)},)"
        )
    if np.iscomplexobj(outputs):
        raise TypeError(f"{_name(model)} returns complex numbers; give real ones")
    return np.asarray(outputs)


def differentiate_pointwise(model, inputs, parameters):
    """Outputs and Jacobian of a model that `differentiate` has found to be pointwise nearby."""
    copies = np.repeat(parameters[:, np.newaxis], len(inputs), axis=1)
    outputs, vjp = trace_vjp(model, inputs, copies)
    return outputs, np.array(vjp(np.ones(len(inputs)))).T


def parameter_names(model, n_parameters):
    """The names of `n_parameters` parameters in the signature of `model`, behind its inputs."""
    try:
        _, *arguments = inspect.signature(model).parameters.values()
    except (TypeError, ValueError):  # some compiled functions have no signature
        return tuple(f"p{i}" for i in range(n_parameters))
    if any(argument.kind is argument.VAR_POSITIONAL for argument in arguments):
        return tuple(f"p{i}" for i in range(n_parameters))
    keywords = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    positional = [argument for argument in arguments if argument.kind not in keywords]
    unset = [
        argument.name
        for argument in arguments
        if argument.kind is argument.KEYWORD_ONLY and argument.default is argument.empty
    ]
    if unset:
        raise ValueError(
            f"{_name(model)} takes {', '.join(unset)} by keyword only; to fix a parameter that is "
            "not the last, write a lambda: lambda x, b: model(x, 1.0, b)"
        )
    required = sum(argument.default is argument.empty for argument in positional)
    if not required <= n_parameters <= len(positional):
        names = ", ".join(argument.name for argument in positional)
        raise ValueError(f"{n_parameters} numbers for the parameters {names}; give one for each")
    return tuple(argument.name for argument in positional[:n_parameters])


@primitive
def tanh(x):
    """Hyperbolic tangent whose derivative is accurate to the last digits everywhere.

    autograd differentiates its own `np.tanh` as 1 / cosh², and cosh² overflows beyond |x| = 355.
    """
    return numpy.tanh(x)


def sech_squared(x):
    """1 / cosh²(x), which neither overflows nor cancels: 4 e / (1 + e)² with e = exp(-2 |x|)."""
    decay = np.exp(-2 * np.abs(x))
    return 4 * decay / (1 + decay) ** 2


defvjp(tanh, lambda tanh_x, x: lambda g: g * sech_squared(x))
defjvp(tanh, lambda g, tanh_x, x: g * sech_squared(x))  # forward mode, for autograd's deriv


class SmoothNode(VJPNode):
    """A step of the calculation that depends on the parameters, and has to be smooth in them."""

    __slots__ = ()

    def __init__(self, value, fun, args, kwargs, parent_argnums, parents):
        if fun in STEP_FUNCTIONS:
            raise NotSmoothError(
                f"uses {fun.__name__}, which has steps whose height no derivative shows; leave the "
                "rounding out, or write np.mod for a phase"
            )
        dtype = getattr(value, "dtype", numpy.dtype(type(value)))
        if dtype.kind in "iuf" and dtype.char not in "dg":
            raise NotSmoothError(f"computes in {dtype}, which rounds; let it compute in float64")
        super().__init__(value, fun, args, kwargs, parent_argnums, parents)


notrace_primitives[SmoothNode] = notrace_primitives[VJPNode] - STEP_FUNCTIONS


class NotSmoothError(ValueError):
    """A model is rounded somewhere between its parameters and its outputs."""


@primitive
def _tap(dummy_input, values, cotangents):
    """`values`, unchanged; the reverse pass stores their cotangents in `cotangents`."""
    return values


def _store_cotangent(_, dummy_input, values, cotangents):
    def vjp(g):
        cotangents[...] = np.sum(g) if np.ndim(values) == 0 else g
        return 0.0  # nothing to pass on to the dummy input

    return vjp


defvjp(_tap, _store_cotangent, argnums=[0])


def trace_vjp(model, inputs, arguments, node_type=VJPNode):
    """Outputs of `model(inputs, *arguments)`, and the function from weights to cotangents.

    The cotangents, a list of arrays in the shapes of the `arguments`, numbers or arrays, are the
    gradient of the sum of the outputs times `weights`.
    """
    cotangents = [np.zeros(np.shape(argument)) for argument in arguments]

    def tapped(dummy_input):  # one for all arguments: tracing a tuple costs more than most models
        taps = [_tap(dummy_input, *pair) for pair in zip(arguments, cotangents, strict=True)]
        outputs = model(inputs, *taps)
        if not isbox(outputs):
            outputs = np.array(outputs)  # of a list of numbers, some of which depend
        return outputs if isbox(outputs) else outputs + 0 * dummy_input  # autograd would warn

    outputs, node = trace(node_type.new_root(), tapped, 0.0)

    def vjp(weights):
        for cotangent in cotangents:
            cotangent[...] = 0.0
        backward_pass(weights, node)
        return [cotangent.copy() for cotangent in cotangents]

    return outputs, vjp


def _one_pass(model, inputs, parameters, outputs):
    """The Jacobian by a copy of the parameters per input, or None where copies don't serve.

    That is where the model doesn't take arrays of parameters, returns something else for them than
    the `outputs` (n_inputs,) for shared parameters, or lets outputs depend on each other.
    """
    copies = np.repeat(parameters[:, np.newaxis], len(inputs), axis=1)
    try:
        same_outputs, vjp = trace_vjp(model, inputs, copies, SmoothNode)
        if np.shape(same_outputs) != outputs.shape or not _close(same_outputs, outputs):
            return None
        transposed = np.array(vjp(np.ones(len(inputs))))
        period = 1
        while period < max(2, len(inputs)):  # any two inputs differ in one of their digits
            weights = 2.0 ** (np.arange(len(inputs)) // period % EXPONENTS)
            weighted = np.array(vjp(weights))  # rounds nothing, unless outputs are coupled
            if np.any(np.abs(weighted - weights * transposed) > UNDERFLOW * weights):
                return None
            period *= EXPONENTS
    except NotSmoothError as problem:
        raise ValueError(f"{_name(model)} {problem}") from None
    except Exception:  # if the model is at fault, the pass per output shows it
        return None
    return transposed.T


def _one_pass_per_output(model, inputs, parameters):
    """The Jacobian of any model, by one reverse pass for each output."""
    with explained(_name(model)):
        _, vjp = trace_vjp(model, inputs, parameters, SmoothNode)
        rows = [vjp(1.0 * (np.arange(len(inputs)) == output)) for output in range(len(inputs))]
    return np.array(rows).reshape(len(inputs), len(parameters))


@contextmanager
def explained(name):
    """Where autograd fails to differentiate the function called `name`, ValueError says why."""
    try:
        yield
    except NotSmoothError as problem:
        raise ValueError(f"{name} {problem}") from None
    except (TypeError, ValueError, AttributeError, NotImplementedError, IndexError) as problem:
        raise ValueError(
            f"{name} can't be differentiated: {problem}; write it with autograd.numpy"
        ) from problem


def _close(first, second):
    """Whether outputs agree but for rounding, wherever both are finite."""
    difference = np.abs(first - second)
    scale = np.abs(second)
    if not np.isfinite(np.sum(difference) + np.sum(scale)):
        ignored = ~(np.isfinite(first) & np.isfinite(second))
        difference[ignored] = 0.0
        scale[ignored] = 0.0
    largest = np.max(difference, axis=-1, initial=0.0)
    return bool(np.all(largest <= AGREEMENT * np.max(scale, axis=-1, initial=0.0)))


def _limit(model, inputs, parameters, column):
    """∂model/∂parameter `column` at every input by finite differences, or NaN without a limit."""

    def difference(step):
        unit = step * np.eye(len(parameters))[column]
        far_below, below, above, far_above = (
            model(inputs, *(parameters + k * unit)) for k in (-2, -1, 1, 2)
        )
        return (8 * (above - below) - (far_above - far_below)) / (12 * step)

    step = FINITE_DIFFERENCE_STEP * (abs(parameters[column]) or 1.0)
    coarse = difference(2 * step)
    fine = difference(step)
    scale = np.nanmax(np.where(np.isfinite(fine), np.abs(fine), 0.0))
    believed = np.abs(fine - coarse) <= FINITE_DIFFERENCE_AGREEMENT * scale
    return np.where(believed, fine, np.nan)


def _name(model):
    return getattr(model, "__name__", "the model")
