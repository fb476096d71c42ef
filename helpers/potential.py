"""A potential for one kind of atom: a sum over the atoms of a small network of radial sums.

    E = Σ_atoms [atom_energy + Σ_units weight (tanh(slopes · sums + offset) - tanh(offset))]

Energies are in eV, lengths in Å and forces in eV/Å. The energy of an isolated atom is
`atom_energy`, exactly, because its sums are zero. This form is that of Behler & Parrinello, Phys.
Rev. Lett. 98, 146401 (2007), with radial functions alone: enough for potentials in which a bond
depends on the number and the distances of its neighbours, not for directional bonds.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from helpers.autodiff import sech_squared
from helpers.descriptors import RadialSums
from helpers.validation import check_integer, check_number, finite_array
from helpers.variable_projection import levenberg_marquardt, project

SCREENING_GAIN = 1e-2  # a start is given up once a step lowers its objective by less than this
FINAL_GAIN = 1e-4  # the same for the best start


class Prediction(NamedTuple):
    """What a potential says about one structure."""

    energy: float  # eV
    energies: np.ndarray  # (n_atoms,), in eV
    forces: np.ndarray  # (n_atoms, 3), in eV/Å
    virial: np.ndarray  # (3, 3), dE / dstrain in eV


@dataclass(frozen=True, eq=False)
class Potential:
    """A trained potential; called with a structure it returns the `Prediction`."""

    symbol: str
    descriptor: RadialSums
    layer: np.ndarray  # (n_sums + 1, n_hidden): slopes, and the offsets in the last row
    weights: np.ndarray  # (n_hidden,), in eV
    atom_energy: float  # eV
    energy_rmse: float  # of the training data, in eV/atom
    force_rmse: float  # of the training data, in eV/Å; NaN if it was trained on energies alone
    precision: np.ndarray  # (n_parameters, n_parameters), Gauss–Newton: inverse of the covariance

    def __call__(self, structure):
        """The `Prediction` for one structure. ValueError for atoms of another element."""
        check_element(structure, self.symbol)
        around = self.descriptor([structure])
        slopes, offsets = self.layer[:-1], self.layer[-1]
        arguments = around.sums @ slopes + offsets
        energies = (np.tanh(arguments) - np.tanh(offsets)) @ self.weights + self.atom_energy
        per_sum = (sech_squared(arguments) * self.weights) @ slopes.T  # dE / dsums
        tensions = np.sum(per_sum[around.first] * around.slopes, axis=1)  # dE / ddistances
        pulls = (tensions / around.distances)[:, np.newaxis] * around.vectors
        forces = np.empty((len(structure), 3))
        for axis in range(3):
            forces[:, axis] = np.bincount(around.first, pulls[:, axis], len(structure))
            forces[:, axis] -= np.bincount(around.second, pulls[:, axis], len(structure))
        return Prediction(float(np.sum(energies)), energies, forces, pulls.T @ around.vectors)

    def energy_gradient(self, structures):
        """Derivatives (n_structures, n_parameters) of the energies by the parameters.

        The parameters are the weights and then the layer, row by row, as in `precision`. With the
        covariance inv(precision), the delta method gives the standard error of an energy.
        """
        for structure in structures:
            check_element(structure, self.symbol)
        around = self.descriptor(structures)
        units, jacobian = _energy_units(_with_ones(around.sums), self.layer)
        jacobian = (jacobian * self.weights).reshape(len(units), -1)
        return around.total(np.hstack([units, jacobian]))


def train_potential(
    structures,
    descriptor,
    rng,
    *,
    atom_energy,
    hidden=8,
    force_weight=0.1,
    penalty=1e-8,
    starts=4,
):
    """The `Potential` that fits the energies and forces of labelled structures best.

    `structures` is a list of `ase.Atoms` of one element that hold their energies and, if
    `force_weight` is positive, their forces, as `helpers.labels.label` and `ase.io.read` return
    them. `descriptor` is a `RadialSums`, `atom_energy` the energy of one isolated atom (eV) in the
    same kind of calculation, and `hidden` the number of tanh units.

    It minimises the sum of the squared errors of the energies per atom, plus those of the force
    components multiplied by `force_weight` (Å), plus a `penalty` on the squares of the weights in
    standardised units. The best of several random starts is returned.

    ValueError where a label is missing or not finite, and for fewer labels than parameters. Method:
    variable projection and Levenberg–Marquardt with the exact Jacobian, see
    `helpers.variable_projection`.
    """
    structures = list(structures)
    hidden = check_integer("hidden", hidden)
    starts = check_integer("starts", starts)
    check_number("atom_energy", atom_energy)
    if not np.isfinite(atom_energy):
        raise ValueError(f"atom_energy is {atom_energy}; give the energy of an isolated atom in eV")
    for name, value in (("force_weight", force_weight), ("penalty", penalty)):
        check_number(name, value)
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} is {value}; give zero or a positive number")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}; give a generator: numpy.random.default_rng(seed)")
    if not structures:
        raise ValueError("there are no structures; give at least a few with labels")
    symbol = structures[0].get_chemical_symbols()[0]
    for structure in structures:
        check_element(structure, symbol)
    energies, forces = _labels(structures, force_weight)
    n_parameters = hidden * (len(descriptor.decays) + 2)
    if len(energies) + len(forces) < n_parameters:
        raise ValueError(
            f"{len(energies) + len(forces)} energies and force components for {n_parameters} "
            "parameters; give more structures, or fewer hidden units"
        )
    data = _TrainingData(descriptor(structures), energies, forces, atom_energy, force_weight)

    def fit_weights(layer):
        return project(layer, *data.units(layer), data.targets, penalty)

    best = None
    for _ in range(starts):
        start = fit_weights(data.random_layer(hidden, rng))
        end, _ = levenberg_marquardt(fit_weights, start, 0.0, SCREENING_GAIN)
        if best is None or end.objective < best.objective:
            best = end
    best, _ = levenberg_marquardt(fit_weights, best, 0.0, FINAL_GAIN)
    fields = data.unstandardize(best, penalty)
    return Potential(symbol, descriptor, atom_energy=atom_energy, **fields)


def train_ensemble(structures, descriptor, rng, n_potentials, *, workers=map, **options):
    """A tuple of potentials that were trained on the same data from different random starts.

    `options` are those of `train_potential`, `workers` is explained in `helpers.labels`. Each
    potential has a generator of its own, spawned from `rng`, so that the result doesn't depend on
    the workers.
    """
    n_potentials = check_integer("n_potentials", n_potentials)
    train = partial(_train, structures, descriptor, options)
    return tuple(workers(train, rng.spawn(n_potentials)))


def _train(structures, descriptor, options, rng):
    return train_potential(structures, descriptor, rng, **options)


def check_element(structure, symbol):
    """Refuse a structure that is empty or has atoms of another element."""
    others = sorted(set(structure.get_chemical_symbols()) - {symbol})
    if others:
        raise ValueError(f"the structure has {', '.join(others)}; this is a potential for {symbol}")
    if not len(structure):
        raise ValueError("the structure has no atoms")


class _TrainingData:
    """Training data, and what a hidden layer makes of them, in standardised units.

    The targets are the energies per atom and the force components, with their weight.
    """

    def __init__(self, around, energies, forces, atom_energy, force_weight):
        self.sizes = around.sizes
        self.total = around.total
        self.first = around.first
        self.scale = np.sqrt(np.mean(around.sums**2, axis=0))
        self.sums = _with_ones(around.sums / self.scale)
        self.slopes = around.slopes / self.scale
        self.force_weight = force_weight
        self.pulls = force_weight * _pulls(around) if len(forces) else None
        targets = np.concatenate([energies / self.sizes - atom_energy, force_weight * forces])
        self.spread = np.std(targets) or 1.0
        self.targets = targets / self.spread

    def random_layer(self, hidden, rng):
        """A random hidden layer; each tanh is zero at one of the atoms."""
        n_sums = self.sums.shape[1] - 1
        slopes = rng.standard_normal((n_sums, hidden))
        centers = self.sums[rng.integers(len(self.sums), size=hidden), :-1]
        return np.vstack([slopes, -np.sum(centers.T * slopes, axis=0)])

    def units(self, layer):
        """What each hidden unit adds to the targets, and its derivatives: see `project`."""
        units, jacobian = _energy_units(self.sums, layer)
        units = self.total(units) / self.sizes[:, np.newaxis]
        jacobian = self.total(jacobian) / self.sizes[:, np.newaxis, np.newaxis]
        if self.pulls is None:
            return units, jacobian
        tensions, tension_jacobian = self._tensions(layer)
        forces = self.pulls @ tensions
        force_jacobian = self.pulls @ tension_jacobian.reshape(len(tensions), -1)
        force_jacobian = force_jacobian.reshape(-1, *layer.shape)
        return np.vstack([units, forces]), np.concatenate([jacobian, force_jacobian])

    def _tensions(self, layer):
        """Derivatives of the units by the distances, and the derivatives of those by the layer."""
        arguments = self.sums @ layer
        decline = sech_squared(arguments)  # (n_atoms, n_hidden), like the next
        curvature = -2 * np.tanh(arguments) * decline
        along = self.slopes @ layer[:-1]
        bend = curvature[self.first] * along
        jacobian = self.sums[self.first][:, :, np.newaxis] * bend[:, np.newaxis, :]
        decline = decline[self.first]
        jacobian[:, :-1] += self.slopes[:, :, np.newaxis] * decline[:, np.newaxis, :]
        return decline * along, jacobian

    def unstandardize(self, best, penalty):
        """Fields of the `Potential` in eV and Å."""
        units, jacobian = self.units(best.layer)
        residuals = self.spread * (self.targets - units @ best.output_weights)
        n_energies = len(self.sizes)
        force_rmse = np.nan
        if self.pulls is not None:
            force_rmse = np.sqrt(np.mean(residuals[n_energies:] ** 2)) / self.force_weight
        scale = np.append(self.scale, 1.0)[:, np.newaxis]
        jacobian = self.spread * (jacobian * best.output_weights * scale).reshape(len(units), -1)
        jacobian = np.hstack([units, jacobian])
        freedom = max(1, len(residuals) - jacobian.shape[1])
        return {
            "layer": best.layer / scale,
            "weights": self.spread * best.output_weights,
            "energy_rmse": float(np.sqrt(np.mean(residuals[:n_energies] ** 2))),
            "force_rmse": float(force_rmse),
            "precision": jacobian.T @ jacobian * freedom / np.sum(residuals**2),
        }


def _with_ones(sums):
    return np.column_stack([sums, np.ones(len(sums))])


def _energy_units(sums, layer):
    """Each unit's energy at each atom, zero for an isolated atom, and the derivatives by the layer.

    Shapes: `sums` (n_atoms, n_sums + 1) with ones at the end; (n_atoms, n_hidden) and (n_atoms,
    n_sums + 1, n_hidden) are returned.
    """
    arguments = sums @ layer
    jacobian = sums[:, :, np.newaxis] * sech_squared(arguments)[:, np.newaxis, :]
    jacobian[:, -1] -= sech_squared(layer[-1])
    return np.tanh(arguments) - np.tanh(layer[-1]), jacobian


def _pulls(around):
    """The matrix (3 n_atoms, n_pairs) from derivatives by the distances to force components."""
    directions = around.vectors / around.distances[:, np.newaxis]
    n_pairs = len(directions)
    rows = 3 * np.concatenate([around.first, around.second])[:, np.newaxis] + np.arange(3)
    columns = np.broadcast_to(np.tile(np.arange(n_pairs), 2)[:, np.newaxis], rows.shape)
    values = np.concatenate([directions, -directions])
    shape = (3 * len(around.sums), n_pairs)
    return csr_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=shape)


def _labels(structures, force_weight):
    """Energies (n_structures,) and forces (3 n_atoms,), or no forces if their weight is zero."""
    energies = []
    forces = [np.zeros(0)]
    for i, structure in enumerate(structures):
        try:
            energies.append(structure.get_potential_energy())
            if force_weight:
                forces.append(structure.get_forces().ravel())
        except Exception as error:
            raise ValueError(
                f"structure {i} has no energy or no forces ({error}); label it, or set "
                "force_weight=0 to train on energies alone"
            ) from error
        if not np.all(np.isfinite(np.append(forces[-1], energies[-1]))):
            raise ValueError(f"structure {i}: its energy or a force is not finite; leave it out")
    return finite_array("energies", energies, (1,)), np.concatenate(forces)
