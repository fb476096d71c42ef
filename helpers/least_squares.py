"""Nonlinear least squares with exact derivatives: the minimum, its errors, intervals and bands.

Throughout, residuals are (model - targets) / sigma, shape (n_inputs,), the `jacobian` is their
derivative with respect to the parameters, shape (n_inputs, n_parameters), and chi-square is the sum
of the squared residuals.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import NamedTuple

import autograd.numpy as anp
import numpy as np
from autograd import hessian
from scipy import optimize
from scipy.stats import norm
from scipy.stats import t as student

from helpers.autodiff import (
    differentiate,
    differentiate_pointwise,
    model_jacobian,
    outputs_of,
    parameter_names,
)
from helpers.validation import finite_array

RCOND = 1e-13  # smallest singular value, per largest, that still tells parameters apart
BLIND = 1e-5  # singular value of J, per largest, below which curvature decides instead
STRICT = 1e-4  # smallest eigenvalue of the Hessian, relative to JᵀJ, at a strict minimum
BESIDE = 0.1  # of the residuals, how far from a saddle point the next search begins
OFFSET_TOLERANCE = 1e-6  # tangential part of the residuals, per residual, at a minimum
SETTLED = 1e-9  # relative step after which the Jacobian is that of the minimum
ENDED = 1e-11  # relative step that is left at the minimum
LARGEST_OFFSET = 1e-4  # the same where J is ill-conditioned, and its rounding shows
X_TOLERANCE = 1e-3  # relative step that is rounding where J is ill-conditioned
FURTHER = 8.0  # steps on which rounding errors don't fall
FADED = 1e-3  # effect of a parameter by J, per effect of halving it, on its way to infinity
X_SCALE = 1e-3  # effect of a parameter, per size of the targets, below which it counts as zero
ROUNDING = 1e-13  # of the size of the targets: residuals below that are rounding errors
UNEXPLAINED = 1e-3  # of the variation of the targets: above that another minimum may be lower
NEARLY_LINEAR = 0.3  # sum of relative curvatures below which Gauss–Newton steps serve
PROBE = 0.01  # of the residuals, to measure curvatures
DIFFERENCE_STEP = 1e-4  # of the residuals, for second derivatives
LOOSE = 1e-6  # tolerance of a search that only has to tell minima apart
MAX_EVALUATIONS = 4000  # of the model in one search by finite differences
PROFILE_EVALUATIONS = 300  # the same, for one point of a profile
SUSPECTS = 3  # parameters of which it is tried whether they grow without bound
MAX_ITERATIONS = 200  # of a trust region
MAX_NEWTON_STEPS = 15
OPEN_ENDED = 1e6  # standard errors from the estimate beyond which an interval has no end


@dataclass(frozen=True)
class Estimate:
    """One parameter of a fit."""

    name: str
    value: float
    standard_error: float  # NaN on a bound
    fit: "Fit" = field(repr=False)

    def interval(self, level=0.95):
        """Confidence interval (lower, upper) to first order, value ± quantile × standard error."""
        half = self.fit.quantile(level) * self.standard_error
        return self.value - half, self.value + half

    def profile_interval(self, level=0.95):
        """Confidence interval (lower, upper) by profile likelihood; an end may be infinite.

        It holds the values at which chi-square, minimised over all other parameters, exceeds its
        minimum by no more than `level` allows. Unlike `interval` it is asymmetric where the problem
        is, and has no end where the data set none.
        Source: Bates & Watts, Nonlinear Regression Analysis (1988), section 6.1; Venzon &
        Moolgavkar, Applied Statistics 37, 87 (1988).
        """
        return _profile_interval(self.fit, self.fit.names.index(self.name), level)


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """A least-squares minimum of `model`, and how well the data determine it."""

    model: Callable
    names: tuple  # of the parameters, from the model's signature
    parameters: np.ndarray  # (n_parameters,)
    covariance: np.ndarray  # (n_parameters, n_parameters), to first order; NaN on a bound
    residuals: np.ndarray  # (n_inputs,), target - model, in the unit of the targets
    chi_square: float  # sum of the squared residuals, each divided by its sigma if there is one
    dof: int  # degrees of freedom: n_inputs less the parameters that are not on a bound
    sigma: np.ndarray | None  # (n_inputs,), as it was given
    absolute_sigma: bool
    notes: tuple = ()  # what a reader has to know beside the numbers
    problem: "_Problem" = field(default=None)

    def __getitem__(self, name):
        if name not in self.names:
            raise KeyError(f"no parameter {name!r}; this fit has {', '.join(self.names)}")
        i = self.names.index(name)
        return Estimate(name, float(self.parameters[i]), float(self.standard_errors[i]), self)

    @property
    def standard_errors(self):
        """Standard errors of the parameters to first order, (n_parameters,); NaN on a bound."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def variance(self):
        """Variance of a residual in units of sigma²: chi-square / dof, or 1 with absolute_sigma."""
        if self.absolute_sigma:
            return 1.0
        return self.chi_square / self.dof if self.dof else np.inf

    @property
    def leverage(self):
        """Leverage of each target, (n_inputs,): by how much its fitted value follows the target.

        The diagonal of the hat matrix J (JᵀJ)⁻¹ Jᵀ, where each row of the Jacobian J is divided by
        its sigma if there is one. A leverage is 0 at least and 1 at most; their sum is the number
        of the parameters that are not on a bound. To first order, the fit without point i misses
        it by residuals[i] / (1 - leverage[i]).
        Source: Hoaglin & Welsch, The American Statistician 32, 17 (1978).
        """
        free = (self.problem.lower < self.parameters) & (self.parameters < self.problem.upper)
        orthonormal = np.linalg.qr(self.problem.jacobian(self.parameters)[:, free])[0]
        return np.sum(orthonormal**2, axis=1)

    def quantile(self, level):
        """Half-width in standard errors of an interval of confidence `level`, by Student's t."""
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; give a probability between 0 and 1, such as 0.95")
        if self.absolute_sigma:
            return norm.ppf((1 + level) / 2)
        if self.dof == 0:
            raise ValueError(
                "with as many parameters as points nothing is left to estimate errors from; "
                "give more points, or sigma and absolute_sigma=True"
            )
        return student.ppf((1 + level) / 2, self.dof)

    def intervals(self, level=0.95):
        """Confidence intervals of the parameters to first order, (n_parameters, 2)."""
        half = self.quantile(level) * self.standard_errors
        return np.column_stack([self.parameters - half, self.parameters + half])

    def predict(self, inputs):
        """The model at `inputs`, (n_inputs,)."""
        return outputs_of(self.model, np.asarray(inputs, dtype=float), self.parameters)

    def confidence_band(self, inputs, level=0.95):
        """Where the true model lies at each of `inputs`: lower and upper, (2, n_inputs).

        Parameters on a bound are taken as known.
        """
        return self._band(inputs, level, 0.0)

    def prediction_band(self, inputs, level=0.95, sigma=None):
        """Where a new target lies at each of `inputs`: lower and upper, (2, n_inputs).

        After a fit with sigma, give the `sigma` of the new targets, a number or one per input.
        """
        if sigma is None and self.sigma is not None:
            raise ValueError(
                "the fit was weighted, and a new target has a sigma of its own: "
                "prediction_band(inputs, sigma=...)"
            )
        return self._band(inputs, level, self.variance * np.square(1.0 if sigma is None else sigma))

    def _band(self, inputs, level, noise):
        quantile = self.quantile(level)
        jacobian = model_jacobian(self.model)(inputs, *self.parameters)
        covariance = np.nan_to_num(self.covariance)
        variance = np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian)  # the delta method
        half = quantile * np.sqrt(variance + noise)
        return self.predict(inputs) + np.array([-half, half])

    def __repr__(self):
        rows = zip(self.names, self.parameters, self.standard_errors, strict=True)
        lines = [f"{name} = {_rounded(value, error)} ± {error:.2g}" for name, value, error in rows]
        return "\n".join([*lines, *self.notes])

    def _repr_markdown_(self):
        table = [
            "| parameter | estimate | standard error | 95 % interval |",
            "|:--|--:|--:|:--|",
        ]
        judged = self.absolute_sigma or self.dof
        ends = self.intervals() if judged else np.full((len(self.names), 2), np.nan)
        for name, value, error, (low, high) in zip(
            self.names, self.parameters, self.standard_errors, ends, strict=True
        ):
            interval = "–"
            if np.isfinite(low):
                interval = f"{_rounded(low, error)} to {_rounded(high, error)}"
            table.append(f"| {name} | {_rounded(value, error)} | {error:.2g} | {interval} |")
        return "\n".join([*table, *(f"\n{note}" for note in self.notes)])


def fit(model, inputs, targets, guess, sigma=None, *, absolute_sigma=False, bounds=None):
    """The least-squares estimate of the parameters of `model` from `targets` (n_inputs,): a `Fit`.

    `model(inputs, *parameters)` is written with autograd.numpy and returns one output per input;
    `inputs` has shape (n_inputs,) or (n_inputs, n_predictors). The result is a strict local minimum
    of chi-square that the data determine, to the last digits that the residuals have.

    `sigma`, `absolute_sigma` and `bounds` mean what they mean in SciPy's `curve_fit`: standard
    deviations of the targets, of which only the ratios count unless `absolute_sigma` is true, and
    (lower, upper), each a number or one per parameter. An estimate on a bound has no standard
    error. A parameter is held fixed by a model without it:

        fit(lambda x, a, b: model(x, a, b, 0.0), inputs, targets, [1, 1])
        fit(functools.partial(model, offset=0.0), inputs, targets, [1, 1])  # the last parameter

    ValueError is raised for arguments that can't be fitted, for a guess at which the model or its
    derivative is not finite, and where the data don't determine a parameter, which is named.
    RuntimeError is raised where the search doesn't converge, and where chi-square has its minimum
    at infinity; the parameter that grows without bound is named.
    """
    inputs, targets, guess, weights = _checked_data(inputs, targets, guess, sigma)
    names = parameter_names(model, len(guess))
    lower, upper = _checked_bounds(bounds, guess)
    problem = _Problem(model, names, inputs, targets, weights, lower, upper)
    with np.errstate(all="ignore"):  # a trial step may overflow; the guess and the minimum may not
        _check_guess(problem, guess)
        minimum = solve_least_squares(problem, guess)
        return _fit_at(problem, minimum, None if sigma is None else weights, absolute_sigma)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Residuals (model - targets) / sigma and their derivatives."""

    model: Callable
    names: tuple
    inputs: np.ndarray
    targets: np.ndarray
    sigma: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def residuals(self, parameters):
        return (self.model(self.inputs, *parameters) - self.targets) / self.sigma

    def chi_square(self, parameters):
        residuals = self.residuals(parameters)
        chi_square = residuals @ residuals
        return chi_square if np.isfinite(chi_square) else np.inf

    def jacobian(self, parameters):
        found = differentiate(self.model, self.inputs, parameters)
        return found.jacobian / self.sigma[:, np.newaxis]

    def jacobian_again(self, parameters, nearby):
        """The Jacobian, by the cheaper way if the `Derivatives` found `nearby` allow it."""
        if not nearby.pointwise or np.any(nearby.limits):
            return self.jacobian(parameters)
        return (
            differentiate_pointwise(self.model, self.inputs, parameters)[1]
            / self.sigma[:, np.newaxis]
        )

    def gradient(self, parameters):
        """Half of the gradient of chi-square, (n_parameters,)."""
        return self.jacobian(parameters).T @ self.residuals(parameters)

    def curvature(self, parameters, residuals):
        """Σ rᵢ∇²rᵢ, (n_parameters, n_parameters): half of the Hessian of chi-square, without JᵀJ.

        The `residuals` r are taken as given. NaN where the model can't be differentiated twice.
        """
        weights = residuals / self.sigma

        def weighted_sum(p):
            outputs = self.model(self.inputs, *p)
            return anp.sum(weights * outputs) + 0.0 * anp.sum(p**2)  # autograd warns of constants

        try:
            return hessian(weighted_sum)(parameters)
        except Exception:  # whatever a model does that can be differentiated once
            return np.full(2 * parameters.shape, np.nan)

    def holding(self, held, parameters):
        """The problem in the parameters that are not `held` at their values in `parameters`."""

        def model(inputs, *free):
            free = iter(free)
            values = [v if fixed else next(free) for v, fixed in zip(parameters, held, strict=True)]
            return self.model(inputs, *values)

        return replace(
            self,
            model=model,
            names=tuple(name for name, fixed in zip(self.names, held, strict=True) if not fixed),
            lower=self.lower[~held],
            upper=self.upper[~held],
        )

    def scale(self, parameters, factors):
        """Size of what is fitted, in units of sigma; relative to it, residuals may be rounding."""
        size = np.linalg.norm(self.targets / self.sigma)
        return size or np.linalg.norm(factors.column_norms * parameters)


class _NoMinimumError(Exception):
    """A search has not ended at a strict minimum, but at `parameters`."""

    def __init__(self, parameters, undetermined=(), downhill=None):
        self.parameters = parameters
        self.undetermined = undetermined  # names of parameters without effect there
        self.downhill = downhill  # parameters beside a saddle point, where it falls


def solve_least_squares(problem, guess):
    """A `_Minimum` of the problem that a search from `guess` finds.

    A library searches; Newton steps with exact derivatives then end at the minimum to the last
    digits and show that it is one. Where much of the variation of the targets is left unexplained,
    a second search is made, since another minimum may be lower.
    """
    if np.any(np.isfinite(problem.lower) | np.isfinite(problem.upper)):
        return _solve_bounded(problem, guess)
    failures = []

    def polished(search, start):
        try:
            return _newton_polish(problem, search(problem, start))
        except _NoMinimumError as failure:
            failures.append(failure)
            return None

    for search in (_minpack, _patient_minpack, _trust_region):
        minimum = polished(search, guess)
        if minimum is not None:
            return _lower_minimum(problem, guess, minimum)
    ends = [end for f in failures for end in (f.parameters, f.downhill) if end is not None]
    minimum = polished(_newton_trust_region, min(ends, key=problem.chi_square))
    if minimum is not None:
        return minimum
    best = min(failures, key=lambda failure: problem.chi_square(failure.parameters))
    raise _diagnosis(problem, guess, best.parameters, best.undetermined)


def _lower_minimum(problem, guess, minimum):
    """`minimum`, or a lower one where much of the targets' variation is left unexplained."""
    chi_square = problem.chi_square(minimum.parameters)
    variation = np.sum(((problem.targets - np.mean(problem.targets)) / problem.sigma) ** 2)
    if chi_square <= UNEXPLAINED * variation:
        return minimum
    other = _trust_region(problem, guess, LOOSE)
    if problem.chi_square(other) >= chi_square * (1 - LOOSE):
        return minimum
    try:
        other = _newton_polish(problem, other)
    except _NoMinimumError:
        return minimum
    return min(minimum, other, key=lambda found: problem.chi_square(found.parameters))


def _minpack(problem, start, evaluations=MAX_EVALUATIONS, tolerance=1e-8):
    """Levenberg and Marquardt's method with finite differences: cheap, and near enough."""
    return optimize.leastsq(
        problem.residuals,
        start,
        full_output=True,
        maxfev=evaluations,
        **dict.fromkeys(("xtol", "ftol"), tolerance),
    )[0]


def _patient_minpack(problem, start):
    """The same for valleys in which it would stop too early."""
    return _minpack(problem, start, tolerance=1e-15)


def _trust_region(problem, start, tolerance=1e-15):
    """A trust region with the exact Jacobian: slower, and less easily led astray."""

    at_start = differentiate(problem.model, problem.inputs, start)

    def finite_jacobian(parameters):
        jacobian = problem.jacobian_again(parameters, at_start)
        return np.nan_to_num(jacobian, nan=0.0, posinf=0.0, neginf=0.0)

    return optimize.least_squares(
        problem.residuals,
        start,
        finite_jacobian,
        bounds=(problem.lower, problem.upper),
        x_scale="jac",
        max_nfev=MAX_ITERATIONS,
        **dict.fromkeys(("xtol", "ftol", "gtol"), tolerance),
    ).x


def _newton_trust_region(problem, start):
    """A trust region with the exact Hessian, for large residuals, where JᵀJ is 1 at the start."""
    try:
        factors = _factor(start, problem.residuals(start), problem.jacobian(start))
    except _NoMinimumError:
        return start
    length = np.linalg.norm(factors.residuals)
    if length == 0:
        return start

    def parameters(whitened):
        return start + factors.transform @ whitened

    def gradient(whitened):
        return factors.transform.T @ problem.gradient(parameters(whitened))

    def hessian(whitened):
        here = parameters(whitened)
        jacobian = problem.jacobian(here) @ factors.transform
        curvature = problem.curvature(here, problem.residuals(here))
        return jacobian.T @ jacobian + factors.transform.T @ curvature @ factors.transform

    try:
        end = optimize.minimize(
            lambda whitened: problem.chi_square(parameters(whitened)) / 2,
            np.zeros(len(start)),
            method="trust-ncg",
            jac=gradient,
            hess=hessian,
            options={
                "maxiter": MAX_NEWTON_STEPS,
                "initial_trust_radius": 0.1 * length,
                "max_trust_radius": 1e3 * length,
            },
        ).x
    except (ValueError, np.linalg.LinAlgError):  # a Hessian that is not finite
        return start
    return parameters(end)


class _Factors(NamedTuple):
    """Residuals r and Jacobian J in coordinates z, parameters = A z, in which JA = U diag(w).

    The columns of U are orthonormal. The weights w are 1, or less for directions to which J is
    all but blind.
    """

    residuals: np.ndarray  # (n_inputs,)
    normal: np.ndarray  # (n_inputs,), residuals without what a parameter that J sees could explain
    offset: np.ndarray  # (JA)ᵀr, (n_parameters,), the tangential part of the residuals
    transform: np.ndarray  # A, (n_parameters, n_parameters)
    weights: np.ndarray  # w, (n_parameters,)
    column_norms: np.ndarray  # of J, (n_parameters,)
    right_vectors: np.ndarray  # of J with columns of norm 1, by rows, the blindest last
    condition: float  # of that matrix


def _factor(parameters, residuals, jacobian):
    """The `_Factors` at `parameters`; _NoMinimumError where J is not finite."""
    if not (np.all(np.isfinite(residuals)) and np.all(np.isfinite(jacobian))):
        raise _NoMinimumError(parameters)
    norms = np.linalg.norm(jacobian, axis=0)
    norms[norms == 0] = 1.0
    tangent, singular_values, right = np.linalg.svd(jacobian / norms, full_matrices=False)
    scaling = np.maximum(singular_values, BLIND * singular_values[0])
    scaling[scaling == 0] = 1.0
    weights = singular_values / scaling
    condition = singular_values[0] / singular_values[-1] if singular_values[-1] > 0 else np.inf
    transform = right.T / scaling / norms[:, np.newaxis]
    offset = weights * (tangent.T @ residuals)
    seen = tangent[:, weights == 1]
    normal = residuals - seen @ (seen.T @ residuals)
    normal -= seen @ (seen.T @ normal)  # what rounding has left
    return _Factors(residuals, normal, offset, transform, weights, norms, right, condition)


class _Minimum(NamedTuple):
    """A strict minimum of chi-square."""

    parameters: np.ndarray  # (n_parameters,)
    covariance: np.ndarray  # (JᵀJ)⁻¹, (n_parameters, n_parameters); NaN on a bound
    limits: np.ndarray  # (n_inputs, n_parameters), True where a derivative is a limit


def _newton_polish(problem, parameters):
    """The `_Minimum` near `parameters`, to rounding; _NoMinimumError if there is none.

    In the coordinates of `_Factors` the Hessian JᵀJ + Σ rᵢ∇²rᵢ becomes diag(w²) + B, where the
    relative curvature B is zero for a linear model; forming JᵀJ would cost half of the digits. At
    a strict minimum the tangential part of the residuals vanishes, and the Hessian is positive
    definite. Beside it that part would enter B, magnified where J is ill-conditioned, by how the
    parameters are chosen (a b for a slope); only the normal part is used.
    Source: Bates & Watts, Technometrics 23, 179 (1981), for the first criterion; the same, Journal
    of the Royal Statistical Society B 42, 1 (1980), for the two parts of the curvature.
    """
    found = differentiate(problem.model, problem.inputs, parameters)
    jacobian = found.jacobian / problem.sigma[:, np.newaxis]
    reached = None
    curvature = None
    last = np.inf
    for _ in range(MAX_NEWTON_STEPS):
        factors = _factor(parameters, problem.residuals(parameters), jacobian)
        scale = problem.scale(parameters, factors)
        settled = np.linalg.norm(factors.offset) < last / 10 and factors.condition * BLIND < 1
        if last == np.inf or not settled:
            curvature = _curvature(problem, parameters, factors, scale)
        step, decrement = _newton_step(problem, parameters, factors, curvature)
        if reached is not None and decrement >= last / 2:  # what is left is rounding
            return reached
        sizes = np.abs(parameters) + X_SCALE * scale / factors.column_norms
        relative_step = np.max(np.abs(step) / sizes)
        if _is_stationary(problem, parameters, factors, step, decrement, scale):
            root = factors.transform / np.maximum(factors.weights, RCOND)
            reached = _Minimum(parameters + step, root @ root.T, found.limits)
            if relative_step <= SETTLED and relative_step * decrement <= ENDED * last:
                return reached
            parameters = reached.parameters
        else:
            parameters = _line_search(problem, parameters, step)
        last = decrement
        if np.any((parameters <= problem.lower) | (parameters >= problem.upper)):
            break
        jacobian = problem.jacobian_again(parameters, found)
    raise _NoMinimumError(parameters)


def _newton_step(problem, parameters, factors, curvature):
    """Newton's step, (n_parameters,), and its decrement; _NoMinimumError at a saddle.

    The decrement is half of the square root of what the step takes off chi-square: the part of the
    residuals that the parameters could still explain.
    """
    if curvature is None:
        if factors.condition * RCOND >= 1:
            raise _undetermined(problem, parameters, factors.right_vectors[-1])
        scaled = factors.offset / factors.weights**2
        return -factors.transform @ scaled, np.sqrt(factors.offset @ scaled)
    relative = factors.transform.T @ curvature @ factors.transform
    eigenvalues, eigenvectors = np.linalg.eigh(np.diag(factors.weights**2) + relative)
    if eigenvalues[0] > STRICT:
        scaled = eigenvectors @ (eigenvectors.T @ factors.offset / eigenvalues)
        return -factors.transform @ scaled, np.sqrt(factors.offset @ scaled)
    direction = factors.transform @ eigenvectors[:, 0]
    if eigenvalues[0] > -STRICT:
        raise _undetermined(problem, parameters, direction * factors.column_norms)
    length = np.linalg.norm(factors.residuals)
    sides = [parameters + sign * BESIDE * length * direction for sign in (-1, 1)]
    raise _NoMinimumError(parameters, downhill=min(sides, key=problem.chi_square))


def _undetermined(problem, parameters, direction):
    """The _NoMinimumError of a `direction` in which chi-square doesn't change."""
    shares = np.abs(direction) / np.linalg.norm(direction)
    names = [name for name, share in zip(problem.names, shares, strict=True) if share > 0.1]
    return _NoMinimumError(parameters, names)


def _curvature(problem, parameters, factors, scale):
    """Σ rᵢ∇²rᵢ, (n_parameters, n_parameters), or None where it is small beside JᵀJ."""
    if np.linalg.norm(factors.residuals) <= ROUNDING * scale:
        return None
    if factors.condition * BLIND < 1 and _looks_linear(problem, parameters, factors):
        return None
    found = problem.curvature(parameters, factors.normal)
    if not np.all(np.isfinite(found)):
        found = _curvature_by_differences(problem, parameters, factors)
    relative = np.abs(factors.transform.T @ found @ factors.transform) * len(parameters)
    if np.all(relative <= NEARLY_LINEAR * np.outer(factors.weights, factors.weights)):
        return None
    return found


def _looks_linear(problem, parameters, factors):
    """Whether chi-square rises along random directions as that of a linear model would."""
    length = np.linalg.norm(factors.residuals)
    directions = _random_directions(len(parameters))
    rises = [
        problem.chi_square(parameters + move) / length**2 - 1
        for move in PROBE * length * (factors.transform @ directions).T
    ]
    expected = PROBE**2 + 2 * PROBE * (factors.offset @ directions) / length
    tolerance = NEARLY_LINEAR * PROBE**2 / len(parameters)
    return np.all(np.abs(np.array(rises) - expected) <= tolerance)


@cache
def _random_directions(n_parameters):
    """Orthonormal columns that no symmetry of a model is likely to single out."""
    random = np.random.default_rng(0).standard_normal((n_parameters, n_parameters))
    return np.linalg.qr(random)[0]


def _curvature_by_differences(problem, parameters, factors):
    """The same by central differences of the exact Jacobian."""
    steps = DIFFERENCE_STEP * np.linalg.norm(factors.residuals) * factors.transform
    changes = [
        (problem.jacobian(parameters + step) - problem.jacobian(parameters - step)).T
        @ factors.normal
        for step in steps.T
    ]
    try:
        curvature = np.linalg.solve(2 * steps.T, np.array(changes))
    except np.linalg.LinAlgError:
        raise _NoMinimumError(parameters) from None
    if not np.all(np.isfinite(curvature)):
        raise _NoMinimumError(parameters)
    return (curvature + curvature.T) / 2


def _is_stationary(problem, parameters, factors, step, decrement, scale):
    """Whether what Newton's `step` could still explain is nothing, or is rounding.

    Towards a minimum at infinity it is neither: the residuals fall on and on along the step. Where
    they end in rounding errors, some parameter has lost the effect that it has at half its value.
    """
    length = np.linalg.norm(factors.residuals)
    left = max(np.linalg.norm(factors.offset), decrement)
    if left <= OFFSET_TOLERANCE * length:
        return True
    if left <= length * min(10 * np.finfo(float).eps * factors.condition, LARGEST_OFFSET):
        return np.all(np.abs(step) <= X_TOLERANCE * np.abs(parameters))
    if left > ROUNDING * scale:
        return False
    halved = [problem.residuals(p) for p in parameters - np.diag(parameters / 2)]
    effects = np.linalg.norm(halved - factors.residuals, axis=1)
    lost = factors.column_norms * np.abs(parameters) < FADED * effects
    further = np.sqrt(problem.chi_square(parameters + FURTHER * step))
    return further >= length / 2 and not np.any(lost & (effects > ROUNDING * scale))


def _line_search(problem, parameters, step):
    """`parameters` + `step` within the bounds, shortened until chi-square doesn't rise."""
    before = problem.chi_square(parameters)
    for shorter in 4.0 ** -np.arange(12):
        trial = np.clip(parameters + shorter * step, problem.lower, problem.upper)
        if problem.chi_square(trial) <= before * (1 + 1e-6):  # at a minimum it changes by rounding
            return trial
    raise _NoMinimumError(parameters)


def _solve_bounded(problem, guess):
    """`solve_least_squares` within bounds: which parameters end on one is found step by step."""
    parameters = _trust_region(problem, guess)
    on_bound = np.zeros(len(guess), dtype=bool)
    for _ in range(2 * len(guess) + 2):
        parameters = np.where(on_bound, _nearest_bound(problem, parameters), parameters)
        covariance = np.full(2 * parameters.shape, np.nan)
        limits = np.zeros(1, dtype=bool)
        free = ~on_bound
        if np.any(free):
            try:
                minimum = _newton_polish(problem.holding(on_bound, parameters), parameters[free])
            except _NoMinimumError as failure:
                parameters[free] = failure.parameters
                hit = free & ((parameters <= problem.lower) | (parameters >= problem.upper))
                if not np.any(hit):
                    raise _diagnosis(problem, guess, parameters, failure.undetermined) from None
                on_bound |= hit
                continue
            parameters[free], covariance[np.ix_(free, free)], limits = minimum
        gradient = problem.gradient(parameters)
        outward = np.where(parameters <= problem.lower, gradient, -gradient)
        released = on_bound & (outward < 0)
        if not np.any(released):
            return _Minimum(parameters, covariance, limits)
        on_bound &= ~released
    raise _diagnosis(problem, guess, parameters, ())


def _nearest_bound(problem, parameters):
    nearer = parameters - problem.lower < problem.upper - parameters
    return np.where(nearer, problem.lower, problem.upper)


def _diagnosis(problem, guess, end, undetermined):
    """The error that says why the best search ended at `end` without a strict minimum."""
    chi_square = problem.chi_square(end)
    moves = end - guess
    furthest = np.argsort(-np.abs(moves) / np.where(guess == 0, 1.0, np.abs(guess)))
    for i in furthest[:SUSPECTS]:

        def profile(share, i=i):
            """Chi-square with parameter i moved by `share` of its way from the guess to the end."""
            return _minimised_over_others(problem, i, guess[i] + share * moves[i], end)[0]

        if moves[i] == 0 or profile(0.0) <= chi_square * (1 + LOOSE):
            continue
        nearer, far, further = (profile(share) for share in (0.9, 10.0, 1000.0))
        if undetermined and max(far, further, nearer) <= min(far, further, nearer) * (1 + 1e-12):
            break  # a plateau
        if max(far, further) <= chi_square * (1 + LOOSE):
            return RuntimeError(
                f"seen from the guess {guess}, chi-square has its minimum at infinity: "
                f"{problem.names[i]} grows without bound, beyond {end[i]:.3g}; start elsewhere, "
                "take a simpler model, or give bounds"
            )
    if undetermined:
        return ValueError(
            f"the data don't determine {', '.join(undetermined)}: "
            "fix one of them, or take a simpler model"
        )
    model_jacobian(problem.model)(problem.inputs, *end)  # names a derivative that is not finite
    return RuntimeError(
        f"the fit did not converge from the guess {guess}: the best of four searches ended at "
        f"{end}, which is not a minimum; start nearer, or take a simpler model"
    )


def _minimised_over_others(problem, held, value, start):
    """The least chi-square with parameter `held` at `value`, and all parameters there."""
    parameters = np.array(start)
    parameters[held] = value
    others = np.arange(len(parameters)) != held
    if not np.isfinite(problem.chi_square(parameters)):
        return np.inf, parameters
    if np.any(others):
        free = problem.holding(~others, parameters)
        bounded = np.any(np.isfinite(free.lower) | np.isfinite(free.upper))
        search = (
            _trust_region
            if bounded
            else partial(_minpack, evaluations=PROFILE_EVALUATIONS, tolerance=1e-12)
        )
        parameters[others] = search(free, parameters[others])
    return problem.chi_square(parameters), parameters


def _profile_interval(fit, held, level):
    """Where the profile of chi-square reaches the height of `level` on either side."""
    problem = fit.problem
    height = fit.quantile(level)
    best = fit.parameters[held]
    unit = fit.standard_errors[held]
    if not unit > 0 or not np.isfinite(unit):
        unit = abs(best) or 1.0
    known = {best: fit.parameters}

    @cache
    def excess(value):
        """Distance from the estimate in standard errors, by the profile, less `height`."""
        nearest = min(known, key=lambda v: abs(v - value))
        found = [
            _minimised_over_others(problem, held, value, start)
            for start in (known[nearest], fit.parameters)
        ]
        chi_square, parameters = min(found, key=lambda pair: pair[0])
        if not np.isfinite(chi_square):
            return height
        if chi_square < fit.chi_square * (1 - LOOSE):
            _check_lower(problem, parameters, fit.chi_square)
        known[value] = parameters
        return np.sqrt(max(0.0, chi_square - fit.chi_square) / fit.variance) - height

    if fit.variance == 0:
        return float(best), float(best)
    sides = ((-1, problem.lower[held]), (1, problem.upper[held]))
    return tuple(_crossing(excess, best, sign * unit * height, limit) for sign, limit in sides)


def _check_lower(problem, parameters, chi_square):
    """Refuse to go on beside a minimum that is lower than that of the fit; rounding is none."""
    try:
        lower = _newton_polish(problem, parameters).parameters
    except _NoMinimumError:
        return
    rounding = np.sum((4 * np.finfo(float).eps * problem.targets / problem.sigma) ** 2)
    if problem.chi_square(lower) < chi_square * (1 - LOOSE) and chi_square > rounding:
        raise RuntimeError(f"chi-square has a lower minimum: fit again from the guess {lower}")


def _crossing(excess, start, step, limit):
    """Where `excess` becomes positive on the way from `start` to `limit`, or that end."""
    inner = start
    furthest = abs(start) + OPEN_ENDED * abs(step)
    while abs(inner) <= furthest:
        outer = min(inner + step, limit) if step > 0 else max(inner + step, limit)
        if excess(outer) > 0:
            return optimize.brentq(excess, inner, outer, xtol=1e-7 * abs(step), rtol=1e-12)
        if outer == limit:
            break
        inner = outer
        step *= 2
    return float(limit)


def _fit_at(problem, minimum, sigma, absolute_sigma):
    """The `Fit` at a `_Minimum`."""
    parameters, covariance, limits = minimum
    residuals = problem.residuals(parameters)
    chi_square = float(residuals @ residuals)
    dof = len(residuals) - len(parameters)
    if not absolute_sigma:
        covariance = covariance * (chi_square / dof) if dof else np.full_like(covariance, np.inf)
    notes = [
        f"{name} is on a bound"
        for name, variance in zip(problem.names, np.diag(covariance), strict=True)
        if np.isnan(variance)
    ]
    if np.any(limits):
        notes.append("some derivatives are not finite; finite differences took their limits")
    raw = -residuals * problem.sigma
    for array in (parameters, covariance, raw):
        array.flags.writeable = False
    return Fit(
        model=problem.model,
        names=problem.names,
        parameters=parameters,
        covariance=covariance,
        residuals=raw,
        chi_square=chi_square,
        dof=dof,
        sigma=sigma,
        absolute_sigma=absolute_sigma,
        notes=tuple(notes),
        problem=problem,
    )


def _check_guess(problem, guess):
    """Refuse a guess at which the model is not finite, or doesn't return one output per input."""
    outputs = outputs_of(problem.model, problem.inputs, guess)
    if not np.all(np.isfinite(outputs)):
        row = np.argmin(np.isfinite(outputs))
        raise ValueError(
            f"at the guess {guess} the model has no finite value at input {row} "
            f"({problem.inputs[row]}): it returns {outputs[row]}; start elsewhere, or leave it out"
        )


def _checked_data(inputs, targets, guess, sigma):
    """The data as arrays of finite floats, one target and sigma per input; a sigma of 1 if None."""
    inputs = finite_array("inputs", inputs, (1, 2))
    targets = finite_array("targets", targets, (1,))
    guess = finite_array("guess", guess, (1,))
    if len(inputs) != len(targets):
        raise ValueError(f"{len(inputs)} inputs and {len(targets)} targets; give one target each")
    if not len(guess):
        raise ValueError("the guess is empty; give one number per parameter")
    if len(targets) < len(guess):
        raise ValueError(
            f"{len(targets)} points for {len(guess)} parameters; give at least as many points"
        )
    if sigma is None:
        sigma = np.ones(len(targets))
    else:
        sigma = finite_array(
            "sigma", np.broadcast_to(sigma, targets.shape) if np.ndim(sigma) == 0 else sigma, (1,)
        )
        if len(sigma) != len(targets):
            raise ValueError(f"{len(sigma)} sigma and {len(targets)} targets; give one sigma each")
        if np.any(sigma <= 0):
            raise ValueError(f"sigma: contains {sigma.min()}; give positive standard deviations")
    with np.errstate(over="ignore"):
        largest = np.abs(targets / sigma).max()
    if not (largest == 0 or 1e-150 < largest < 1e150):
        raise ValueError(
            f"the largest target is {largest:.0e} sigma, and its square overflows; change the unit"
        )
    return inputs, targets, guess, sigma


def _checked_bounds(bounds, guess):
    """Lower and upper bounds, (n_parameters,) each, around the guess."""
    if bounds is None:
        bounds = (-np.inf, np.inf)
    if isinstance(bounds, optimize.Bounds):
        bounds = (bounds.lb, bounds.ub)
    try:
        lower, upper = (np.broadcast_to(np.asarray(b, dtype=float), guess.shape) for b in bounds)
    except (TypeError, ValueError):
        raise ValueError(
            f"bounds are {bounds!r}; give (lower, upper), each a number or one per parameter"
        ) from None
    if not np.all(lower < upper):
        raise ValueError(f"bounds are {bounds!r}; give lower bounds below the upper ones")
    if not np.all((lower <= guess) & (guess <= upper)):
        raise ValueError(f"the guess {guess} is outside of the bounds {bounds!r}; start within")
    return lower, upper


def _rounded(value, error):
    """`value` as a text, to the second digit of its `error`."""
    if not (np.isfinite(value) and np.isfinite(error) and error > 0 and value != 0):
        return f"{value:.6g}"
    digits = int(np.floor(np.log10(abs(value))) - np.floor(np.log10(error))) + 2
    return f"{value:#.{min(max(digits, 1), 10)}g}".rstrip(".").replace(".e", "e")
