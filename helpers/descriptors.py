"""What each atom sees: smooth functions of its distances to its neighbours.

Lengths are in Å. The structures are `ase.Atoms`; their atoms may be in any order, and moving or
turning a structure changes nothing.
"""

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.spatial import KDTree

from helpers.validation import check_generator, check_integer, finite_array

SOFTENING = 1e-3  # under the square root, so that its slope stays finite as a bond breaks


class Environments(NamedTuple):
    """The descriptors of all atoms of several structures, and their derivatives."""

    sizes: np.ndarray  # (n_structures,), the number of atoms of each structure
    sums: np.ndarray  # (n_atoms, n_sums)
    first: np.ndarray  # (n_pairs,), the atom whose descriptors a pair contributes to
    second: np.ndarray  # (n_pairs,), its neighbour
    vectors: np.ndarray  # (n_pairs, 3), from the first atom to the second, in Å
    distances: np.ndarray  # (n_pairs,), in Å
    slopes: np.ndarray  # (n_pairs, n_sums), d sums[first] / d distance, in 1/Å

    def total(self, values):
        """Sums over the atoms of each structure of `values` (n_atoms, …)."""
        starts = np.cumsum(self.sizes) - self.sizes
        return np.add.reduceat(values, starts, axis=0)


@dataclass(frozen=True)
class RadialSums:
    """Descriptors √(s + ε) - √ε of an atom, one for each of `decays`, in which

        s = Σ exp(-decay (r - reference)) (1 - (r / cutoff)²)³

    is a sum over the distances r < cutoff to its neighbours. The bond of an atom becomes weaker the
    more neighbours it has, roughly like 1 / √neighbours, hence the square root (Finnis & Sinclair,
    Philos. Mag. A 50, 45, 1984). An isolated atom has the descriptors zero. The last factor makes
    the sums and their first two derivatives continuous at the cutoff.
    """

    decays: tuple  # 1/Å
    reference: float  # Å, for example the distance of nearest neighbours in the crystal
    cutoff: float  # Å

    def __post_init__(self):
        decays = finite_array("decays", self.decays, (1,))
        lengths = finite_array("reference and cutoff", [self.reference, self.cutoff], (1,))
        if not len(decays) or np.any(decays <= 0) or len(set(decays.tolist())) < len(decays):
            raise ValueError(f"decays are {self.decays}; give different positive numbers")
        if not 0 < lengths[0] < lengths[1]:
            raise ValueError(
                f"reference is {self.reference} Å and cutoff {self.cutoff} Å; "
                "give 0 < reference < cutoff"
            )
        object.__setattr__(self, "decays", tuple(decays.tolist()))
        object.__setattr__(self, "reference", float(lengths[0]))
        object.__setattr__(self, "cutoff", float(lengths[1]))

    def __call__(self, structures):
        """The `Environments` of a list of structures.

        TypeError if it isn't a list of `ase.Atoms`; ValueError, with the number of the structure,
        where `neighbors` refuses one.
        """
        structures = check_structures(structures)
        if not structures:
            raise ValueError("there are no structures; give at least one")
        found = []
        for i, structure in enumerate(structures):
            try:
                found.append(neighbors(structure, self.cutoff))
            except ValueError as error:
                raise ValueError(f"structure {i}: {error}") from None
        sizes = np.array([len(structure) for structure in structures])
        offsets = np.cumsum(sizes) - sizes
        first = np.concatenate([n.first + o for n, o in zip(found, offsets, strict=True)])
        second = np.concatenate([n.second + o for n, o in zip(found, offsets, strict=True)])
        vectors = np.concatenate([n.vectors for n in found])
        distances = np.sqrt(np.sum(vectors**2, axis=1))
        terms, term_slopes = self._terms(distances)
        s = np.zeros((np.sum(sizes), len(self.decays)))
        for k in range(len(self.decays)):
            s[:, k] = np.bincount(first, terms[:, k], minlength=len(s))
        roots = np.sqrt(s + SOFTENING)
        slopes = term_slopes / (2 * roots[first])
        sums = roots - np.sqrt(SOFTENING)
        return Environments(sizes, sums, first, second, vectors, distances, slopes)

    def _terms(self, distances):
        """The terms of the sums (n_pairs, n_sums), and their derivatives."""
        r = distances[:, np.newaxis]
        decays = np.array(self.decays)
        exponentials = np.exp(-decays * (r - self.reference))
        u = 1 - (r / self.cutoff) ** 2
        terms = exponentials * u**3
        return terms, -decays * terms - exponentials * u**2 * 6 * r / self.cutoff**2


def check_structures(structures):
    """`structures` as a list, provided that each is an `ase.Atoms` with at least one atom."""
    from ase import Atoms  # only here: `import helpers` is without ASE

    if isinstance(structures, Atoms):
        raise TypeError("structures is a single ase.Atoms; give a list: [atoms]")
    structures = list(structures)
    for i, structure in enumerate(structures):
        if not isinstance(structure, Atoms):
            raise TypeError(f"structure {i} is of type {type(structure).__name__}; give ase.Atoms")
        if not len(structure):
            raise ValueError(f"structure {i} has no atoms; leave it out")
    return structures


class Neighbors(NamedTuple):
    """The ordered pairs of atoms that are nearer than a cutoff: each pair appears twice."""

    first: np.ndarray  # (n_pairs,)
    second: np.ndarray  # (n_pairs,)
    vectors: np.ndarray  # (n_pairs, 3), from the first atom to the second, in Å


def neighbors(structure, cutoff):
    """The `Neighbors` of one structure, periodic images included; `cutoff` in Å.

    ValueError for positions that are not finite, for two atoms at the same position, and for a
    structure that is periodic without the cell vectors that this takes.
    """
    positions = structure.positions
    if not np.all(np.isfinite(positions)):
        atom = int(np.argmin(np.all(np.isfinite(positions), axis=1)))
        raise ValueError(f"atom {atom} is at {positions[atom]}; give finite positions")
    periods = structure.cell[structure.pbc]
    if not np.all(np.isfinite(periods)) or np.linalg.matrix_rank(periods) < len(periods):
        raise ValueError(
            f"it is periodic, but its cell is {structure.cell.tolist()}; "
            "give the cell vectors, or set pbc=False"
        )
    sources, images, owners = _periodic_images(structure, cutoff)
    pairs = KDTree(sources).sparse_distance_matrix(KDTree(images), cutoff, output_type="ndarray")
    first, second = pairs["i"], owners[pairs["j"]]
    coincide = (pairs["v"] == 0) & (first != second)
    if np.any(coincide):
        pair = int(np.argmax(coincide))
        raise ValueError(
            f"atoms {first[pair]} and {second[pair]} are at the same position; move one"
        )
    others = pairs["v"] > 0  # an atom is no neighbour of itself, but of its images
    vectors = images[pairs["j"]] - sources[pairs["i"]]
    return Neighbors(first[others], second[others], vectors[others])


def _periodic_images(structure, cutoff):
    """Positions in the cell, those of all atoms and images within `cutoff` of it, their atoms."""
    atoms = np.arange(len(structure))
    if not structure.pbc.any():
        return structure.positions, structure.positions, atoms
    cell = np.array(structure.cell.complete())
    inverse = np.linalg.inv(cell)
    fractions = structure.positions @ inverse
    fractions -= np.where(structure.pbc, np.floor(fractions), 0)
    reach = cutoff * np.linalg.norm(inverse, axis=0)  # the cutoff, in distances of lattice planes
    counts = np.where(structure.pbc, np.ceil(reach), 0).astype(int)
    shifts = np.array(list(product(*(range(-n, n + 1) for n in counts))))
    images = (fractions + shifts[:, np.newaxis]).reshape(-1, 3)
    owners = np.tile(atoms, len(shifts))
    near = np.all(((images >= -reach) & (images <= 1 + reach)) | ~structure.pbc, axis=1)
    return fractions @ cell, images[near] @ cell, owners[near]


def radial_sums(symbol, decays=(4.0, 8.0, 12.0), cutoff=2.3):
    """The `RadialSums` for a metal; decays and cutoff are relative to its nearest neighbours.

    The distance d of nearest neighbours is that of the fcc crystal at room temperature: decays / d
    and cutoff · d are used. Between 4 and 12 the decays bracket those of embedded-atom potentials.
    """
    distance = nearest_neighbor_distance(symbol)
    return RadialSums(tuple(decay / distance for decay in decays), distance, cutoff * distance)


def nearest_neighbor_distance(symbol):
    """The distance (Å) of nearest neighbours in the fcc crystal of an element, from `ase.data`."""
    from ase.data import atomic_numbers, reference_states

    state = reference_states[atomic_numbers[symbol]] if symbol in atomic_numbers else None
    if not state or state["symmetry"] != "fcc":
        raise ValueError(f"{symbol!r} is no element with an fcc crystal; give RadialSums yourself")
    return state["a"] / np.sqrt(2)


def random_cluster(symbol, n_atoms, rng, nearest=0.7, farthest=1.5):
    """A random cluster of `n_atoms`, as `ase.Atoms`.

    Each atom is added in a random direction from one of the atoms before, at a distance between
    `nearest` and `farthest` times that of nearest neighbours in the crystal, uniformly distributed,
    and at least `nearest` times that distance from all others.
    """
    from ase import Atoms

    distance = nearest_neighbor_distance(symbol)
    n_atoms = check_integer("n_atoms", n_atoms)
    check_generator(rng)
    if not 0 < nearest < farthest < np.inf:
        raise ValueError(
            f"nearest is {nearest} and farthest {farthest}; give 0 < nearest < farthest"
        )
    positions = np.zeros((1, 3))
    while len(positions) < n_atoms:
        direction = rng.standard_normal(3)
        step = distance * rng.uniform(nearest, farthest) / np.linalg.norm(direction)
        position = positions[rng.integers(len(positions))] + step * direction
        if np.min(np.linalg.norm(positions - position, axis=1)) >= nearest * distance:
            positions = np.vstack([positions, position])
    return Atoms([symbol] * n_atoms, positions=positions)
