"""Linear differential equations by the Radau IIA formula, all steps in one sparse system."""

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.sparse.linalg import splu
from scipy.special import roots_jacobi

FILL = 10_000  # steps together times their unknowns squared: more fill in, fewer cost more calls


def radau_iia(stages):
    """Nodes c (stages,) in (0, 1] and the matrix D (stages, stages + 1) that differentiates.

    D maps the values of a polynomial of degree `stages` at 0 and at the nodes to its derivatives
    at the nodes. One step of the formula is the polynomial that fulfils the differential equation
    at every node. The formula is L-stable, and the end of the step, its last node, converges with
    the order 2 stages - 1.
    Source: Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed. (1996), IV.5.
    """
    if stages < 2:
        raise ValueError(f"{stages} stages; the formula has two or more")
    roots, _ = roots_jacobi(stages - 1, 1, 0)
    nodes = np.append((1 + roots) / 2, 1.0)
    powers = np.vander(np.append(0.0, nodes), increasing=True)
    slopes = np.zeros((stages, stages + 1))  # of the powers, at the nodes
    slopes[:, 1:] = np.arange(1, stages + 1) * powers[1:, :-1]
    return nodes, np.linalg.solve(powers.T, slopes.T).T


def stage_times(mesh, stages):
    """The first time of `mesh`, then those of all stages of all steps, (1 + n_steps·stages,)."""
    nodes, _ = radau_iia(stages)
    return np.append(mesh[0], mesh[:-1, np.newaxis] + np.diff(mesh)[:, np.newaxis] * nodes)


def differentiate(mesh, stages, values):
    """Derivatives (n_steps·stages, n) of the polynomials through `values` (1 + n_steps·stages, n).

    The values are those at the `stage_times`, the derivatives those at the stages.
    """
    _, differentiation = radau_iia(stages)
    n_steps = len(mesh) - 1
    of_stages = values[1:].reshape(n_steps, stages, -1)
    of_starts = values[:-1:stages].reshape(n_steps, 1, -1)
    rises = differentiation @ np.concatenate([of_starts, of_stages], axis=1)
    return (rises / np.diff(mesh)[:, np.newaxis, np.newaxis]).reshape(len(values) - 1, -1)


def interpolate(mesh, stages, values, times):
    """The polynomials through `values` (1 + n_steps·stages, ...) at `times`, (n_times, ...)."""
    nodes, _ = radau_iia(stages)
    points = np.append(0.0, nodes)
    step = np.maximum(np.searchsorted(mesh, times) - 1, 0)
    position = (times - mesh[step]) / np.diff(mesh)[step]
    weights = np.empty((len(times), len(points)))  # Lagrange's, exactly 0 and 1 at the points
    for j, point in enumerate(points):
        others = np.delete(points, j)
        weights[:, j] = np.prod((position[:, np.newaxis] - others) / (point - others), axis=1)
    of_steps = values[stages * step[:, np.newaxis] + np.arange(len(points))]
    return np.einsum("tp,tp...->t...", weights, of_steps)


class LinearSystem:
    """The equations of ds/dt = J(t) s + f(t) at all stages of all steps.

    `jacobian` is (rows, columns, entries): J has the shape (n, n), and its `entries` (n_steps·
    stages, n_entries) are at the places `rows` and `columns`. The stages S_i of a step of length h
    fulfil

        D_i0 S_0 + Σ_j D_ij S_j - h J(t_i) S_i = h f(t_i),

    where S_0 is the last stage of the step before. The unknowns are s at all `stage_times`, n after
    n. Every step has the same structure: a block of stages·n rows, and n + stages·n columns, the
    first n of which are the end of the step before.
    """

    def __init__(self, mesh, stages, n, jacobian):
        rows, columns, entries = jacobian
        _, differentiation = radau_iia(stages)
        block = np.kron(differentiation, np.eye(n))
        offset = n * np.arange(stages)[:, np.newaxis]
        places = (offset + rows, n + offset + columns)  # of the entries, (stages, n_entries) each
        used = block != 0
        used[places] = True
        number = np.cumsum(used).reshape(used.shape) - 1  # of each used place, row by row
        lengths = np.diff(mesh)[:, np.newaxis, np.newaxis]
        self.n = n
        self.per_row = np.sum(used, axis=1)
        self.columns = np.nonzero(used)[1]
        self.values = np.tile(block[used], (len(mesh) - 1, 1))
        self.values[:, number[places]] -= lengths * entries.reshape(len(lengths), stages, -1)

    def residual(self, right, solutions):
        """What `solutions` (1 + n_steps·stages, n, n_solutions) leave of the right-hand sides."""
        matrix = csr_array((self._entries(self.values), *self._places(len(self.values))))
        flat = solutions.reshape(-1, solutions.shape[-1])
        return right - (matrix @ flat).reshape(right.shape)

    def factorised(self, scale):
        """The function that solves the system for right-hand sides as `residual` has them.

        Some steps at a time are a sparse LU factorisation. Unknowns are divided by their magnitudes
        `scale` (n,) and equations by their largest coefficient, because the amounts and rates in
        one mechanism can differ by many powers of ten.
        """
        size = len(self.per_row)
        scaled = self.values * scale[self.columns % self.n]
        first = np.cumsum(self.per_row) - self.per_row
        largest = np.maximum.reduceat(np.abs(scaled), first, axis=1)
        scaled /= np.repeat(largest, self.per_row, axis=1)
        row_scale = np.append(scale, largest)[:, np.newaxis]
        column_scale = np.tile(scale, 1 + largest.size // self.n)[:, np.newaxis]
        together = max(1, FILL // size**2)
        factors = []
        numbered = {}  # the places by columns, which SuperLU wants, with the numbers of the entries
        for step in range(0, len(scaled), together):
            entries = self._entries(scaled[step : step + together])
            if len(entries) not in numbered:
                places = self._places(len(scaled[step : step + together]))
                numbered[len(entries)] = csr_array((np.arange(len(entries)), *places)).tocsc()
            by_column = numbered[len(entries)]
            matrix = csc_array((entries[by_column.data], by_column.indices, by_column.indptr))
            factors.append(splu(matrix))

        def solve(right):
            solution = right.reshape(-1, right.shape[-1]) / row_scale
            for number, factor in enumerate(factors):
                begin = number * together * size
                part = slice(begin, begin + factor.shape[0])
                solution[part] = factor.solve(solution[part])
            return (solution * column_scale).reshape(right.shape)

        return solve

    def _places(self, n_steps):
        """Columns of the entries of consecutive steps, and the first entry of each row.

        The unknowns of the system are the start and all stages. Those at the start are known, so
        that the first n rows are a unit matrix.
        """
        first_column = len(self.per_row) * np.arange(n_steps)[:, np.newaxis]
        columns = np.append(np.arange(self.n), first_column + self.columns)
        per_row = np.append(np.ones(self.n, int), np.tile(self.per_row, n_steps))
        return columns, np.append(0, np.cumsum(per_row))

    def _entries(self, values):
        """The entries at these places, for the `values` of consecutive steps."""
        return np.append(np.ones(self.n), values)
