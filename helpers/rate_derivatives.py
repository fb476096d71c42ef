"""Derivatives of a rate with respect to concentrations and parameters, at many times at once."""

import autograd.numpy as np
from scipy.sparse import csr_array

from helpers.autodiff import SmoothNode, explained, trace_vjp
from helpers.validation import finite_array

AGREEMENT = 1e-9  # relative difference of two exact values that rounding may cause
TINY = np.finfo(float).tiny
CHUNK = 2**17  # numbers in the copies that are differentiated in one pass
STEEPER = 10  # than at both ends of a short way the rate is nowhere between, unless it jumps
SMALL = 1e-4  # relative change of the parameters
NOTICED = 1e-3  # of the largest rate of a species: a jump with the parameters


class RateDerivatives:
    """The function of times and concentrations that returns a rate and its derivatives.

    One reverse pass gives the gradient of one weighted sum of all rates. If every time has its own
    copy of the concentrations and parameters, this one gradient has a row of the Jacobian at every
    time. With several copies for each time, whose rates have different weights, it has all rows.
    Two rows share a copy if they have no column in common, so that the sparse Jacobian of a large
    mechanism needs few copies.

    `rate(time, concentrations, *parameters)` returns one value per species. It is tried at the time
    `start`, with the concentrations `initial`: ValueError if it can't be differentiated.
    """

    def __init__(self, rate, initial, parameters, start):
        self.rate = rate
        self.parameters = parameters
        self.nonzero = None  # where derivatives are not zero, known from the first call on
        self.takes_arrays = True  # of times, as far as is known
        self.last_call = None
        values = finite_array("rates at the start", rate(start, initial, *parameters), (1,))
        if values.shape != initial.shape:
            raise ValueError(
                f"the rate returns shape {values.shape}; "
                f"give one value per species: {initial.shape}"
            )
        with np.errstate(all="ignore"):
            self._one_by_one(np.array([start]), initial[np.newaxis], np.ones((1, len(initial))))

    def __call__(self, times, concentrations):
        """Rates (n_times, n_species), their Jacobian, ∂rate/∂parameter (n_times, n_species, …).

        `concentrations` are (n_times, n_species). The Jacobian ∂rate/∂concentration is a tuple of
        rows, columns and, at these places, entries (n_times, n_entries). FloatingPointError where
        something is not finite.
        """
        n_species = concentrations.shape[1]
        with np.errstate(all="ignore"):  # all values are checked below
            rates, entries = self._rates_and_entries(times, concentrations)
        finite = np.isfinite(np.sum(rates, axis=1) + np.sum(entries, axis=1))
        if not np.all(finite):
            time = times[np.argmin(finite)]
            raise FloatingPointError(f"the rate or its derivative is not finite at time {time:.4g}")
        rows, columns = np.nonzero(self.nonzero)
        of_species = columns < n_species
        jacobian = rows[of_species], columns[of_species], entries[:, of_species]
        by_parameter = np.zeros((*concentrations.shape, len(self.parameters)))
        places = rows[~of_species], columns[~of_species] - n_species
        by_parameter[:, *places] = entries[:, ~of_species]
        self.last_call = times, concentrations, rates, jacobian, by_parameter
        return rates, jacobian, by_parameter

    def check_continuity(self):
        """FloatingPointError if the rate jumps with the concentrations, or the parameters.

        Where concentrations or time reach a threshold at which the rate jumps, the sensitivities
        jump too, and no derivative of the rate shows how far. Between neighbouring times of the
        last call, and with slightly other parameters, a continuous rate changes no more than its
        steepest derivatives allow.
        """
        times, concentrations, rates, (rows, columns, entries), by_parameter = self.last_call
        shape = len(rows), rates.shape[1]
        per_row = csr_array((np.ones(len(rows)), (np.arange(len(rows)), rows)), shape)
        entries = np.maximum(np.abs(entries[1:]), np.abs(entries[:-1]))
        moves = np.abs(np.diff(concentrations, axis=0))
        rounding = AGREEMENT * np.maximum(np.abs(concentrations[1:]), np.abs(concentrations[:-1]))
        allowed = (entries * (STEEPER * moves + rounding)[:, columns]) @ per_row
        whole = np.max(np.abs(concentrations), axis=0) / (times[-1] - times[0])
        harmless = AGREEMENT * whole + TINY  # too small to change a concentration on the whole way
        allowed += AGREEMENT * np.abs(rates[:-1]) + harmless
        changes = np.abs(self._rates(times[:-1], concentrations[1:], self.parameters) - rates[:-1])
        self._refuse_jumps(changes > allowed, "concentrations")

        allowed = STEEPER * SMALL * np.abs(by_parameter) @ np.abs(self.parameters)
        allowed += NOTICED * np.max(np.abs(rates), axis=0) + harmless
        signs = np.random.default_rng(0).choice([-1, 1], len(self.parameters))
        for moved in (1 + SMALL * signs, 1 - SMALL * signs):
            changes = np.abs(self._rates(times, concentrations, moved * self.parameters) - rates)
            self._refuse_jumps(changes > allowed, "parameters")

    def _refuse_jumps(self, jumps, quantities):
        """FloatingPointError if any of the `jumps` (n_times, n_species) is true."""
        if np.any(jumps):
            time = self.last_call[0][np.argmax(np.any(jumps, axis=1))]
            raise FloatingPointError(
                f"the rate jumps with the {quantities} at time {time:.4g}, where the "
                "sensitivities jump too; end there, or write the rate so that it is continuous"
            )

    def _rates(self, times, concentrations, parameters):
        """Rates (n_times, n_species) without derivatives."""
        with np.errstate(all="ignore"):
            if self.takes_arrays:
                copies = [np.full(len(times), parameter) for parameter in parameters]
                return self._as_array(times, concentrations.T, *copies).T
            pairs = zip(times, concentrations, strict=True)
            return np.array([self._as_array(*pair, *parameters) for pair in pairs])

    def _as_array(self, times, concentrations, *parameters):
        """The rate as an array in the shape of the `concentrations`."""
        rates = self.rate(times, concentrations, *parameters)
        zeros = np.zeros(np.shape(times))
        if isinstance(rates, list | tuple):
            return np.array([rate if np.ndim(rate) else rate + zeros for rate in rates])
        if getattr(rates, "dtype", None) == np.dtype(object):
            raise TypeError("it puts traced numbers into an array of plain numpy")
        return rates if np.ndim(rates) > 1 else (np.array(rates) + zeros[..., np.newaxis]).T

    def _rates_and_entries(self, times, concentrations):
        """Rates (n_times, n_species), and derivatives (n_times, n_entries) where not zero."""
        if self.nonzero is None:
            self.nonzero = self._find_nonzero(times, concentrations)
        found = self.takes_arrays and self._all_at_once(times, concentrations)
        if not found and not np.all(self.nonzero):
            self.nonzero[:] = True
            found = self.takes_arrays and self._all_at_once(times, concentrations)
        if not found:
            self.takes_arrays = False
            found = self._one_by_one(times, concentrations, np.eye(len(self.nonzero)))
        return found

    def _find_nonzero(self, times, concentrations):
        """Where derivatives (n_species, n_species + n_parameters) aren't zero near some times."""
        n_species = concentrations.shape[1]
        some = np.unique(np.linspace(0, len(times) - 1, 3).astype(int))
        moves = np.random.default_rng(0).uniform(0.1, 0.2, (len(some), n_species))
        nearby = concentrations[some] + moves * np.max(np.abs(concentrations), axis=0)
        weights = np.tile(np.eye(n_species), (len(some), 1, 1))
        found = self._gradients(times[some], nearby, weights)
        if found is None:
            return np.ones((n_species, n_species + len(self.parameters)), dtype=bool)
        return np.any(found[1] != 0, axis=0)

    def _all_at_once(self, times, concentrations):
        """Rates and entries, or None if the rate does not take arrays.

        None, too, if derivatives are where none are expected, or if a rate depends on another
        time's concentrations. The gradient of one more copy, with random weights, shows both.
        """
        rows, columns = np.nonzero(self.nonzero)
        groups = _groups(self.nonzero)
        n_groups = 1 + np.max(groups)
        weights = np.empty((len(times), n_groups + 1, len(groups)))
        weights[:, :-1] = groups == np.arange(n_groups)[:, np.newaxis]
        weights[:, -1] = np.random.default_rng(0).uniform(1, 2, (len(times), len(groups)))
        shape = len(rows), self.nonzero.shape[1]
        per_column = csr_array((np.ones(len(rows)), (np.arange(len(rows)), columns)), shape)
        length = max(1, CHUNK // (shape[1] * (n_groups + 1)))
        parts = []
        for begin in range(0, len(times), length):
            part = slice(begin, begin + length)
            found = self._gradients(times[part], concentrations[part], weights[part])
            if found is None or not self._same_alone(times[part], concentrations[part], *found):
                return None
            rates, gradients = found
            entries = gradients[:, groups[rows], columns]
            terms = weights[part, -1][:, rows] * entries
            off = np.abs(gradients[:, -1] - terms @ per_column)
            if np.any(off > AGREEMENT * (np.abs(terms) @ per_column) + TINY):
                return None
            parts.append((rates, entries))
        rates, entries = zip(*parts, strict=True)
        return np.concatenate(rates), np.concatenate(entries)

    def _gradients(self, times, concentrations, weights):
        """Rates (n_times, n_species) and gradients (n_times, n_copies, n_species + n_parameters).

        The gradient of a copy is that of the sum of its rates times the `weights`, (n_times,
        n_copies, n_species). None if the rate does not take arrays.
        """
        n_times, n_copies, n_species = weights.shape
        copies = [np.repeat(concentrations, n_copies, axis=0).T]
        copies += [np.full(n_times * n_copies, parameter) for parameter in self.parameters]
        try:
            rates, vjp = trace_vjp(self._as_array, np.repeat(times, n_copies), copies)
            if np.shape(rates) != np.shape(copies[0]):
                return None
            gradients = np.vstack(vjp(weights.reshape(-1, n_species).T)).T
        except Exception:  # if the rate is at fault, a single time shows it
            return None
        return rates.T[::n_copies], gradients.reshape(n_times, n_copies, -1)

    def _same_alone(self, times, concentrations, rates, gradients):
        """Whether the `rates` at some of the times are the same when these are alone."""
        some = np.unique(np.linspace(0, len(times) - 1, 4).astype(int))
        alone = [self._as_array(times[i], concentrations[i], *self.parameters) for i in some]
        values = np.hstack([concentrations[some], np.tile(self.parameters, (len(some), 1))])
        terms = np.sum(np.abs(gradients[some, :-1]) * np.abs(values)[:, np.newaxis], axis=(1, 2))
        allowed = AGREEMENT * (terms[:, np.newaxis] + np.abs(alone)) + TINY
        return not np.any(np.abs(rates[some] - np.array(alone)) > allowed)

    def _one_by_one(self, times, concentrations, units):
        """Rates, and for each of `units` (n_units, n_species) its rate's derivatives in a row."""
        all_rates, entries = [], []
        with explained("the rate"):
            for time, values in zip(times, concentrations, strict=True):
                arguments = [values, *self.parameters]
                rates, vjp = trace_vjp(self._as_array, time, arguments, SmoothNode)
                all_rates.append(rates)
                entries.append(np.concatenate([np.hstack(vjp(unit)) for unit in units]))
        return np.array(all_rates), np.array(entries)


def _groups(nonzero):
    """The group of each row, so that no two rows of a group are `nonzero` in the same column."""
    groups = np.empty(len(nonzero), dtype=int)
    taken = []  # columns of each group
    for row in np.argsort(-np.sum(nonzero, axis=1), kind="stable"):
        free = (group for group, columns in enumerate(taken) if not np.any(columns & nonzero[row]))
        groups[row] = next(free, len(taken))
        if groups[row] == len(taken):
            taken.append(np.zeros_like(nonzero[row]))
        taken[groups[row]] |= nonzero[row]
    return groups
