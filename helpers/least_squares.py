"""Least squares with the exact Jacobian, and its intervals and bands."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from helpers.autodiff import model_jacobian
from helpers.optimum import find_optimum
from helpers.validation import finite_array

UNDETERMINED = 1e-13  # smallest singular value of the scaled Jacobian, per largest, that still tells parameters apart


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """A least-squares optimum of `model`, and how well the data determine it, to first order."""

    model: Callable
    names: tuple  # of the parameters, from the model's signature
    parameters: np.ndarray  # (n_parameters,)
    covariance: np.ndarray  # (n_parameters, n_parameters), s² (JᵀJ)⁻¹
    residuals: np.ndarray  # (n_inputs,), target - model, in the unit of the targets
    sse: float  # sum of the squared residuals, each divided by its sigma where there is one
    dof: int  # degrees of freedom, n_inputs - n_parameters

    @property
    def standard_errors(self):
        """Standard errors of the parameters, (n_parameters,)."""
        return np.sqrt(np.diag(self.covariance))

    def intervals(self, level=0.95):
        """Confidence intervals of the parameters, (n_parameters, 2), by Student's t."""
        half = self._quantile(level) * self.standard_errors
        return np.column_stack([self.parameters - half, self.parameters + half])

    def predict(self, inputs):
        """The model at `inputs`, (n_inputs,)."""
        return self.model(np.asarray(inputs, dtype=float), *self.parameters)

    def confidence_band(self, inputs, level=0.95):
        """Where the true model lies at each of `inputs`: lower and upper, (2, n_inputs)."""
        return self._band(inputs, level, 0.0)

    def prediction_band(self, inputs, level=0.95, sigma=1.0):
        """Where a new target lies at each of `inputs`: lower and upper, (2, n_inputs).

        After a fit with sigma, give the new targets' `sigma` too, in the same unit.
        """
        return self._band(
            inputs, level, self.sse / self.dof * np.square(sigma) if self.dof else np.inf
        )

    def _band(self, inputs, level, noise):
        jacobian = model_jacobian(self.model)(inputs, *self.parameters)
        variance = np.einsum("ij,jk,ik->i", jacobian, self.covariance, jacobian)  # the delta method
        half = self._quantile(level) * np.sqrt(variance + noise)
        return self.predict(inputs) + np.array([-half, half])

    def _quantile(self, level):
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; give a probability between 0 and 1, such as 0.95")
        if self.dof == 0:
            raise ValueError(
                "as many parameters as points leave nothing to judge errors by; give more points"
            )
        return student.ppf((1 + level) / 2, self.dof)

    def __repr__(self):
        rows = zip(self.names, self.parameters, self.standard_errors, strict=True)
        return "\n".join(
            f"{name} = {_rounded(value, error)} ± {error:.2g}" for name, value, error in rows
        )

    def _repr_markdown_(self):
        head = "| parameter | optimum | standard error | 95 % interval |\n|:--|--:|--:|:--|\n"
        ends = self.intervals() if self.dof else np.full((len(self.names), 2), np.nan)
        rows = zip(self.names, self.parameters, self.standard_errors, ends, strict=True)
        return head + "\n".join(
            f"| {name} | {_rounded(value, error)} | {error:.2g} | {_rounded(low, error)} to {_rounded(high, error)} |"
            for name, value, error, (low, high) in rows
        )


def fit(model, inputs, targets, guess, sigma=None):
    """The least-squares optimum of `model(inputs, *parameters)` for `targets` (n_inputs,), as a `Fit`.

    `model` is pointwise and written with autograd.numpy, as `model_jacobian` needs it. `sigma`, standard
    deviations of the targets, weighs them as in SciPy's curve_fit: only their ratios count.
    """
    inputs, targets, guess, sigma = _check_points(inputs, targets, guess, sigma)
    slopes = model_jacobian(model)

    def residuals(parameters):
        return (model(inputs, *parameters) - targets) / sigma

    def jacobian(parameters):
        return slopes(inputs, *parameters) / sigma[:, np.newaxis]

    with np.errstate(all="ignore"):  # a trial step may overflow; the guess and the optimum may not
        _check_guess(model, residuals, guess)
        size = np.linalg.norm(targets / sigma) or np.linalg.norm(residuals(guess)) or 1.0
        optimum = find_optimum(residuals, jacobian, guess, size)
        if optimum is None:
            raise RuntimeError(
                f"no optimum found from the guess {guess}; start nearer to it, or take a simpler model"
            )
        parameters, slopes_there = optimum
        return _fit_at(
            model, _names(model, len(guess)), parameters, residuals(parameters), slopes_there, sigma
        )


def _check_points(inputs, targets, guess, sigma):
    """The data of a fit as arrays of finite floats, at least one point per parameter, one sigma per point."""
    inputs, targets = finite_array("inputs", inputs, (1, 2)), finite_array("targets", targets, (1,))
    guess = finite_array("guess", guess, (1,))
    sigma = np.ones(len(targets)) if sigma is None else finite_array("sigma", sigma, (1,))
    if not len(inputs) == len(targets) == len(sigma):
        raise ValueError(
            f"{len(inputs)} inputs, {len(targets)} targets, {len(sigma)} sigmas; give one of each per point"
        )
    if len(targets) < max(1, len(guess)):
        raise ValueError(
            f"{len(targets)} points for {len(guess)} parameters; give at least as many points"
        )
    if np.any(sigma <= 0):
        raise ValueError(f"sigma: {sigma.min()} is among them; give positive standard deviations")
    with np.errstate(over="ignore"):
        size = np.abs(targets / sigma).max()
    if not (size == 0 or 1e-150 < size < 1e150):
        raise ValueError(
            f"the largest target is {size:.0e} sigma, and its square no number; change the unit"
        )
    return inputs, targets, guess, sigma


def _fit_at(model, names, parameters, residuals, slopes, sigma):
    """The `Fit` at the optimum, unless the data don't determine it."""
    scale = np.linalg.norm(slopes, axis=0)
    _, sizes, directions = np.linalg.svd(
        slopes / np.where(scale > 0, scale, 1.0), full_matrices=False
    )
    if sizes[-1] <= UNDETERMINED * sizes[0]:
        free = [name for name, share in zip(names, directions[-1], strict=True) if abs(share) > 0.1]
        raise ValueError(
            f"the data don't determine {', '.join(free)}: fix one of them, or take a simpler model"
        )
    sse, dof = float(residuals @ residuals), len(residuals) - len(parameters)
    half = directions.T / sizes / scale[:, np.newaxis]  # half @ half.T is (JᵀJ)⁻¹
    covariance = half @ half.T * (sse / dof) if dof else np.full((len(names), len(names)), np.inf)
    residuals = -residuals * sigma
    for array in (parameters, covariance, residuals):
        array.flags.writeable = False
    return Fit(model, names, parameters, covariance, residuals, sse, dof)


def _check_guess(model, residuals, guess):
    """Refuse a guess that is not one of the model's, or from which no step can be taken."""
    _names(model, len(guess))
    here = residuals(guess)
    if here.shape != (len(here),) or not np.all(np.isfinite(here)):
        raise ValueError(
            f"at the guess {guess} the model has no finite value for each input; start elsewhere"
        )


def _names(model, n_parameters):
    """The names of the parameters in the model's signature, behind its inputs."""
    _, *arguments = inspect.signature(model).parameters.values()
    if any(argument.kind is argument.VAR_POSITIONAL for argument in arguments):
        return tuple(f"p{i}" for i in range(n_parameters))
    required = sum(argument.default is argument.empty for argument in arguments)
    if n_parameters == 0 or not required <= n_parameters <= len(arguments):
        names = ", ".join(argument.name for argument in arguments)
        raise ValueError(
            f"a guess of {n_parameters} numbers for the parameters {names}; give one each"
        )
    return tuple(argument.name for argument in arguments[:n_parameters])


def _rounded(value, error):
    """`value` as a text, to the second digit of its `error`."""
    if not (np.isfinite(value) and np.isfinite(error) and error > 0 and value != 0):
        return f"{value:.6g}"
    digits = int(np.floor(np.log10(abs(value))) - np.floor(np.log10(error))) + 2
    return f"{value:#.{min(max(digits, 1), 10)}g}".rstrip(".")
