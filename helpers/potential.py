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
from helpers.descriptors import RadialSums, check_structures
from helpers.validation import check_generator, check_integer, check_number
from helpers.variable_projection import levenberg_marquardt, project

SCREENING_GAIN = 1e-2  # a start is given up once a step lowers its objective by less than this
MAX_ITERATIONS = 1000  # for the best start, which usually converges within 300


class Prediction(NamedTuple):
    """What a potential says about one structure."""

    energy: float  # eV
    energies: np.ndarray  # (n_atoms,), in eV
    forces: np.ndarray  # (n_atoms, 3), in eV/Å
    virial: np.ndarray  # (3, 3), dE / dstrain in eV


@dataclass(frozen=True, eq=False)
class Potential:
    """A trained potential; called with a structure it returns the `Prediction`.

    Magnetic moments and charges of a structure are ignored, and so are its constraints.
    """

    symbol: str
    descriptor: RadialSums
    layer: np.ndarray  # (n_sums + 1, n_hidden): slopes, and the offsets in the last row
    weights: np.ndarray  # (n_hidden,), in eV
    atom_energy: float  # eV
    energy_rmse: float  # of the training data, in eV/atom
    force_rmse: float  # of the training data, in eV/Å; NaN if it was trained on energies alone
    converged: bool  # to a minimum; False: out of iterations, or the minimum is at infinity
    precision: np.ndarray  # (n_parameters, n_parameters), Gauss–Newton, the penalty included

    def __post_init__(self):
        for name in ("layer", "weights", "precision"):
            getattr(self, name).setflags(write=False)

    def __call__(self, structure):
        """The `Prediction` for one structure. ValueError for atoms of another element."""
        around = self.descriptor([structure])
        _check_elements([structure], self.symbol)
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
        covariance, which is the (pseudo)inverse of `precision`, the delta method gives the standard
        error of an energy.
        """
        structures = check_structures(structures)
        _check_elements(structures, self.symbol)
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
    penalty=1e-7,
    starts=4,
):
    """The `Potential` that fits the energies and forces of labelled structures best.

    `structures` is a list of `ase.Atoms` of one element that hold their energies and, if
    `force_weight` is positive, their forces, as `helpers.labels.label` and `ase.io.read` return
    them, without the effect of constraints. `descriptor` is a `RadialSums`, `atom_energy` the
    energy of one isolated atom (eV) in the same kind of calculation, and `hidden` the number of
    tanh units.

    It minimises the sum of the squared errors of the energies per atom, plus those of the force
    components multiplied by `force_weight` (Å), plus a `penalty` on the squares of the weights in
    standardised units. Several random starts are tried, and the best is continued to its minimum.

    ValueError where a label is missing or not finite, for structures of several elements, and for
    fewer labels than parameters; TypeError for arguments of another type. Method:
    variable projection and Levenberg–Marquardt with the exact Jacobian, see
    `helpers.variable_projection`.
    """
    structures = check_structures(structures)
    if not structures:
        raise ValueError("there are no structures; give at least a few with labels")
    if not isinstance(descriptor, RadialSums):
        raise TypeError(f"descriptor is {descriptor!r}; give helpers.descriptors.RadialSums")
    hidden = check_integer("hidden", hidden)
    starts = check_integer("starts", starts)
    _check_numbers(atom_energy, force_weight, penalty)
    check_generator(rng)
    symbol = structures[0].get_chemical_symbols()[0]
    _check_elements(structures, symbol)
    data = _training_data(structures, descriptor, atom_energy, force_weight, hidden)

    def fit_weights(layer):
        return project(layer, *data.units(layer), data.targets, penalty)

    # MINPACK's scales never shrink; without them, half as many iterations are needed here.
    search = partial(levenberg_marquardt, fit_weights, target_sse=0.0, damping=1e-3, scaling=False)
    best = None
    for _ in range(starts):
        start = fit_weights(data.random_layer(hidden, rng))
        end, _ = search(start, min_gain=SCREENING_GAIN)
        if best is None or end.objective < best.objective:
            best = end
    best, converged = search(best, min_gain=0.0, max_iterations=MAX_ITERATIONS)
    fields = data.unstandardize(best, penalty)
    return Potential(
        symbol, descriptor, atom_energy=atom_energy, converged=bool(converged), **fields
    )


def train_ensemble(structures, descriptor, rng, n_potentials, *, workers=map, **options):
    """A tuple of potentials that were trained on the same data from different random starts.

    `options` are the keyword arguments of `train_potential`. `workers`, such as `map` or the `map`
    of an executor, is explained in `helpers.labels`. Each potential has a generator of its own,
    spawned from `rng`, so that the result doesn't depend on the workers.
    """
    structures = check_structures(structures)
    n_potentials = check_integer("n_potentials", n_potentials)
    check_generator(rng)
    train = partial(_train, structures, descriptor, options)
    return tuple(workers(train, rng.spawn(n_potentials)))


def _train(structures, descriptor, options, rng):
    return train_potential(structures, descriptor, rng, **options)


def _check_numbers(atom_energy, force_weight, penalty):
    """Refuse numbers that are not finite, and a negative weight or penalty."""
    check_number("atom_energy", atom_energy)
    if not np.isfinite(atom_energy):
        raise ValueError(f"atom_energy is {atom_energy}; give the energy of an isolated atom in eV")
    for name, value in (("force_weight", force_weight), ("penalty", penalty)):
        check_number(name, value)
        if not 0 <= value < np.inf:
            raise ValueError(f"{name} is {value}; give zero or a positive number")


def _check_elements(structures, symbol):
    """Refuse a structure that has atoms of another element."""
    for i, structure in enumerate(structures):
        others = sorted(set(structure.get_chemical_symbols()) - {symbol})
        if others:
            raise ValueError(
                f"structure {i} has {', '.join(others)} in it, but a potential is for one element, "
                f"here {symbol}"
            )


def _training_data(structures, descriptor, atom_energy, force_weight, hidden):
    """The `_TrainingData` of labelled structures, if there is enough in them for a training."""
    energies, forces = _labels(structures, force_weight)
    n_labels = len(energies) + len(forces)
    n_parameters = hidden * (len(descriptor.decays) + 2)
    if n_labels < n_parameters:
        raise ValueError(
            f"{n_labels} energies and force components for {n_parameters} parameters; "
            "give more structures, or fewer hidden units"
        )
    around = descriptor(structures)
    if not len(around.distances):
        raise ValueError(
            f"no two atoms are within the cutoff, {descriptor.cutoff:.3g} Å; "
            "give structures with neighbours, or a longer cutoff"
        )
    data = _TrainingData(around, energies, forces, atom_energy, force_weight)
    if not np.any(data.targets):
        raise ValueError("all energies are those of isolated atoms and there are no forces to fit")
    return data


class _TrainingData:
    """Training data, and what a hidden layer makes of them, in standardised units.

    The targets (n_structures + 3 n_atoms,) are the energies per atom and, unless there are none,
    the force components multiplied by their weight.
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
        """What each hidden unit adds to the targets, and its derivatives: see `project`.

        Shapes: (n_targets, n_hidden) and (n_targets, n_sums + 1, n_hidden).
        """
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
        """Derivatives of the units by the distances, and the derivatives of those by the layer.

        Shapes: (n_pairs, n_hidden) and (n_pairs, n_sums + 1, n_hidden).
        """
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
        stiffness = np.ones((1 + len(scale), best.layer.shape[1]))  # of the penalty
        stiffness[1:] = (self.spread * scale) ** 2
        stiffness[-1] = 0
        normal = jacobian.T @ jacobian + penalty * np.diag(stiffness.ravel())
        return {
            "layer": best.layer / scale,
            "weights": self.spread * best.output_weights,
            "energy_rmse": float(np.sqrt(np.mean(residuals[:n_energies] ** 2))),
            "force_rmse": float(force_rmse),
            "precision": normal * freedom / np.sum(residuals**2),
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
    energies = np.empty(len(structures))
    forces = [np.zeros(0)]
    for i, structure in enumerate(structures):
        energies[i] = _label(structure.get_potential_energy, i, "energy", ())
        if force_weight:
            found = _label(structure.get_forces, i, "forces", (len(structure), 3))
            forces.append(found.ravel())
    return energies, np.concatenate(forces)


def _label(get, i, name, shape):
    """An energy or forces without the effect of constraints, as an array of a given shape."""
    try:
        found = np.asarray(get(apply_constraint=False), dtype=float)
    except Exception as error:
        instead = ", or train with force_weight=0" if name == "forces" else ""
        raise ValueError(f"structure {i} has no {name} ({error}); label it{instead}") from error
    if found.shape != shape:
        raise ValueError(f"structure {i}: {name} of the shape {found.shape}; give {shape}")
    if not np.all(np.isfinite(found)):
        raise ValueError(f"structure {i}: {name} not finite; label it again or leave it out")
    return found
