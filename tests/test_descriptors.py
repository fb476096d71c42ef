"""Radial sums, their neighbours and random clusters."""

from math import dist, exp, sqrt

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.neighborlist import neighbor_list

from helpers.descriptors import (
    SOFTENING,
    RadialSums,
    nearest_neighbor_distance,
    neighbors,
    radial_sums,
    random_cluster,
)

RNG = np.random.default_rng
COPPER = radial_sums("Cu")
SIZES = (4, 1, 3, 7)
CLUSTERS = [random_cluster("Cu", size, RNG(size)) for size in SIZES]


def looped(sums, positions, others):
    """The descriptors at `positions` in plain Python, for neighbours among `others`."""
    table = []
    for here in positions:
        distances = [dist(here, other) for other in others]
        row = []
        for decay in sums.decays:
            s = 0.0
            for r in distances:
                if 0 < r < sums.cutoff:
                    s += exp(-decay * (r - sums.reference)) * (1 - (r / sums.cutoff) ** 2) ** 3
            row.append(sqrt(s + SOFTENING) - sqrt(SOFTENING))
        table.append(row)
    return np.array(table)


def test_radial_sums_match_a_double_loop():
    around = COPPER(CLUSTERS)
    expected = [looped(COPPER, atoms.positions, atoms.positions) for atoms in CLUSTERS]
    assert around.sizes.tolist() == list(SIZES)
    assert np.allclose(around.sums, np.vstack(expected), rtol=1e-12, atol=1e-15)


def test_structures_do_not_see_each_other():
    together = COPPER(CLUSTERS)
    starts = np.cumsum(SIZES) - SIZES
    for atoms, start in zip(CLUSTERS, starts, strict=True):
        alone = COPPER([atoms])
        assert np.array_equal(together.sums[start : start + len(atoms)], alone.sums)
        own = (together.first >= start) & (together.first < start + len(atoms))
        for name in ("first", "second"):
            assert np.array_equal(getattr(together, name)[own] - start, getattr(alone, name))


def test_total_sums_over_the_atoms_of_each_structure():
    around = COPPER(CLUSTERS)
    values = RNG(0).standard_normal((sum(SIZES), 2, 3))
    expected = [np.sum(part, axis=0) for part in np.split(values, np.cumsum(SIZES)[:-1])]
    assert np.allclose(around.total(values), expected, rtol=1e-14)


def position_gradient(around):
    """Derivatives (n_atoms, n_sums, n_atoms, 3) of the sums by the positions of all atoms."""
    n_atoms, n_sums = around.sums.shape
    gradient = np.zeros((n_atoms, n_sums, n_atoms, 3))
    directions = around.vectors / around.distances[:, np.newaxis]
    pairs = zip(around.first, around.second, around.slopes, directions, strict=True)
    for i, j, slopes, direction in pairs:
        gradient[i, :, j] += np.outer(slopes, direction)
        gradient[i, :, i] -= np.outer(slopes, direction)
    return gradient


@pytest.mark.parametrize("pbc", [False, True])
def test_slopes_agree_with_finite_differences(pbc):
    atoms = random_cluster("Cu", 5, RNG(1))
    atoms.set_cell([[3.1, 0, 0], [0.4, 3.4, 0], [0, 0.7, 5]])
    atoms.pbc = pbc
    gradient = position_gradient(COPPER([atoms]))
    step = 1e-5
    for atom in range(5):
        for axis in range(3):
            moved = []
            for sign in (1, -1):
                shifted = atoms.copy()
                shifted.positions[atom, axis] += sign * step
                moved.append(COPPER([shifted]).sums)
            central = (moved[0] - moved[1]) / (2 * step)
            assert np.allclose(gradient[:, :, atom, axis], central, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("pbc", [False, True])
def test_an_isolated_atom_has_the_descriptors_zero(pbc):
    around = COPPER([Atoms("Cu", cell=[20, 20, 20], pbc=pbc)])
    assert np.array_equal(around.sums, np.zeros((1, 3)))
    assert len(around.first) == 0


def dimer(distance):
    return Atoms("Cu2", positions=[[0, 0, 0], [0, 0, distance]])


def test_value_slope_and_curvature_vanish_at_the_cutoff():
    """The value like the third power of the distance to the cutoff, the slope like the second."""
    sums = RadialSums((1.0,), 2.0, 5.0)
    near, nearer = (sums([dimer(5 - gap)]) for gap in (2e-2, 1e-2))
    assert np.allclose(near.sums / nearer.sums, 8, rtol=0.02)
    assert np.allclose(near.slopes / nearer.slopes, 4, rtol=0.02)
    assert np.array_equal(sums([dimer(5)]).sums, np.zeros((2, 1)))


def test_descriptors_are_linear_in_a_weak_bond():
    """The square root is softened: far from its neighbours an atom has no kink."""
    weak = COPPER([dimer(0.999 * COPPER.cutoff)]).sums
    s = (weak + np.sqrt(SOFTENING)) ** 2 - SOFTENING
    assert np.allclose(weak, s / (2 * np.sqrt(SOFTENING)), rtol=1e-3)


@pytest.mark.parametrize(
    "pbc", [(True, True, True), (True, False, True), (False, True, False), (False, False, True)]
)
def test_small_periodic_cell_matches_its_repeated_copies(pbc):
    """Both cell vectors and distances are shorter than the cutoff: atoms see their own images."""
    cell = np.array([[2.6, 0, 0], [0.9, 2.9, 0], [0.3, -0.8, 3.3]])
    atoms = Atoms("Cu2", positions=[[0.1, 0.2, 0.3], [1.4, 1.5, 1.9]], cell=cell, pbc=pbc)
    shifts = np.array(list(np.ndindex(11, 11, 11))) - 5
    shifts = shifts[np.all((shifts == 0) | np.array(pbc), axis=1)]
    copies = (atoms.positions[np.newaxis] + (shifts @ cell)[:, np.newaxis]).reshape(-1, 3)
    expected = looped(COPPER, atoms.positions, copies)
    assert np.allclose(COPPER([atoms]).sums, expected, rtol=1e-11)


def test_all_atoms_of_a_crystal_are_alike():
    one = COPPER([bulk("Cu")]).sums
    many = COPPER([bulk("Cu", cubic=True) * 2]).sums
    assert np.allclose(many, np.tile(one, (32, 1)), rtol=1e-12)


@pytest.mark.parametrize(
    "atoms",
    [
        random_cluster("Cu", 40, RNG(3)),
        bulk("Cu"),
        bulk("Cu", cubic=True) * (3, 3, 2),
        fcc111("Cu", (2, 2, 3), vacuum=4),
        Atoms("Cu", cell=[[2.6, 0, 0], [2.1, 2.9, 0], [-1.3, 1.8, 3.3]], pbc=True),
        Atoms("Cu2", [[50, -3, 0.1], [-7, 0, 90.0]], cell=[3, 4, 5], pbc=[True, False, True]),
        Atoms("Cu2", [[50, 40, 0.1], [-7, 42, 90.0]], cell=[3, 4, 5], pbc=[True, False, True]),
    ],
    ids=[
        "cluster",
        "primitive cell",
        "crystal",
        "slab",
        "skewed cell",
        "atoms outside the cell",
        "atoms far above the cell",
    ],
)
def test_neighbors_are_those_of_ase(atoms):
    def table(first, second, vectors):
        rows = np.round(np.column_stack([first, second, vectors]), 8) + 0.0
        return rows[np.lexsort(rows.T)]

    ours = table(*neighbors(atoms, COPPER.cutoff))
    assert np.allclose(ours, table(*neighbor_list("ijD", atoms, COPPER.cutoff)), atol=1e-7)


def test_neighbors_contain_each_pair_in_both_directions():
    first, second, vectors = neighbors(CLUSTERS[0], COPPER.cutoff)
    pairs = {(i, j): vector for i, j, vector in zip(first, second, vectors, strict=True)}
    assert all(np.array_equal(pairs[j, i], -vector) for (i, j), vector in pairs.items())


def test_parameters_become_plain_numbers():
    sums = RadialSums(np.array([1, 2]), np.float32(2), 5)
    assert sums == RadialSums((1.0, 2.0), 2.0, 5.0)
    assert hash(sums) == hash(RadialSums((1.0, 2.0), 2.0, 5.0))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"decays": ()}, ValueError, "give different positive numbers"),
        ({"decays": (1.0, -1.0)}, ValueError, "give different positive numbers"),
        ({"decays": (1.0, 0.0)}, ValueError, "give different positive numbers"),
        ({"decays": (2.0, 2.0)}, ValueError, "give different positive numbers"),
        ({"decays": (np.nan,)}, ValueError, "decays: contains nan; give finite numbers"),
        ({"decays": 2.0}, ValueError, r"decays: shape \(\); give an array with 1 axis"),
        ({"decays": ("a",)}, TypeError, "decays: contains text"),
        ({"reference": 0.0}, ValueError, "give 0 < reference < cutoff"),
        ({"reference": 5.0}, ValueError, "give 0 < reference < cutoff"),
        ({"cutoff": np.inf}, ValueError, "cutoff: contains inf"),
        ({"cutoff": None}, TypeError, "cutoff: contains a value of type NoneType"),
    ],
)
def test_impossible_parameters_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        RadialSums(**({"decays": (1.0,), "reference": 2.0, "cutoff": 5.0} | changes))


@pytest.mark.parametrize(
    ("structures", "error", "message"),
    [
        ([], ValueError, "there are no structures"),
        (CLUSTERS[0], TypeError, r"a single ase\.Atoms; give a list: \[atoms\]"),
        ([CLUSTERS[0], "Cu2"], TypeError, r"structure 1 is of type str; give ase\.Atoms"),
        ([CLUSTERS[0], Atoms()], ValueError, "structure 1 has no atoms"),
        (
            [CLUSTERS[0], dimer(np.nan)],
            ValueError,
            r"structure 1: atom 1 is at .*nan.*; give finite positions",
        ),
        ([dimer(0)], ValueError, "structure 0: atoms 0 and 1 are at the same position"),
        ([dimer(1e-200)], ValueError, "atoms 0 and 1 are at the same position"),
        (
            [Atoms("Cu2", positions=np.zeros((2, 3)), cell=[4, 4, 4], pbc=True)],
            ValueError,
            "atoms 0 and 1 are at the same position",
        ),
        ([Atoms("Cu", pbc=True)], ValueError, "periodic, but its cell .* set pbc=False"),
        ([Atoms("Cu", pbc=[True, False, True], cell=[3, 3, 0])], ValueError, "is periodic, but"),
        ([Atoms("Cu", pbc=True, cell=[3, np.nan, 3])], ValueError, "is periodic, but its cell"),
        (
            [Atoms("Cu", pbc=True, cell=[[3, 0, 0], [6, 0, 0], [0, 0, 3]])],
            ValueError,
            "is periodic, but its cell",
        ),
    ],
)
def test_unsuitable_structures_are_refused(structures, error, message):
    with pytest.raises(error, match=message):
        COPPER(structures)


def test_a_cell_is_needed_only_along_periodic_directions():
    wire = Atoms("Cu", pbc=[True, False, False], cell=[2.5, 0, 0])
    copies = np.arange(-5, 6)[:, np.newaxis] * [2.5, 0, 0]
    assert np.allclose(COPPER([wire]).sums, looped(COPPER, [[0, 0, 0]], copies), rtol=1e-12)


def test_nearest_neighbors_are_those_of_the_crystal():
    crystal = bulk("Ag") * 3
    distances = crystal.get_all_distances(mic=True)
    assert nearest_neighbor_distance("Ag") == pytest.approx(np.min(distances[distances > 0]))


def test_radial_sums_of_a_metal_scale_with_its_distance():
    distance = nearest_neighbor_distance("Al")
    sums = radial_sums("Al", decays=(1, 3), cutoff=2)
    assert sums == RadialSums((1 / distance, 3 / distance), distance, 2 * distance)


@pytest.mark.parametrize("symbol", ["Fe", "Mg", "X", "copper", None])
def test_elements_without_an_fcc_crystal_are_refused(symbol):
    with pytest.raises(ValueError, match="no element with an fcc crystal; give RadialSums"):
        radial_sums(symbol)


def test_random_clusters_are_connected_and_not_too_dense():
    distance = nearest_neighbor_distance("Cu")
    for size in (2, 5, 13):
        distances = random_cluster("Cu", size, RNG(size), 0.8, 1.3).get_all_distances()
        np.fill_diagonal(distances, np.inf)
        assert np.min(distances) >= 0.8 * distance
        for atom in range(1, size):  # each is bound to one of the atoms before
            assert np.min(distances[atom, :atom]) <= 1.3 * distance


def test_bonds_of_random_dimers_fill_the_range_that_was_asked_for():
    """Uniformly between 0.7 and 1.5 times the distance in the crystal."""
    rng = RNG(0)
    bonds = [random_cluster("Cu", 2, rng).get_distance(0, 1) for _ in range(200)]
    low, middle, high = np.quantile(bonds, [0, 0.5, 1]) / nearest_neighbor_distance("Cu")
    assert 0.7 <= low < 0.72
    assert middle == pytest.approx(1.1, abs=0.05)
    assert 1.48 < high <= 1.5


def test_default_radial_sums_reach_the_fifth_neighbors_of_a_crystal():
    """The cutoff is 2.3 nearest-neighbour distances; the fifth neighbours are at √5 = 2.24."""
    distance = nearest_neighbor_distance("Cu")
    assert COPPER.cutoff == pytest.approx(2.3 * distance)
    assert COPPER.reference == pytest.approx(distance)
    assert np.allclose(np.multiply(COPPER.decays, distance), [4, 8, 12])


def test_the_same_generator_gives_the_same_cluster():
    first, second, other = (random_cluster("Pt", 6, RNG(seed)) for seed in (0, 0, 1))
    assert first == second
    assert first != other


def test_random_clusters_can_be_calculated():
    cluster = random_cluster("Au", 3, RNG(0))
    cluster.calc = EMT()
    assert np.isfinite(cluster.get_potential_energy())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("Cu", 0, RNG(0)), ValueError, "n_atoms is 0; give an integer, at least 1"),
        (("Cu", 2.5, RNG(0)), TypeError, "n_atoms is 2.5; give an integer"),
        (("Fe", 2, RNG(0)), ValueError, "fcc"),
        (("Cu", 2, RNG(0), 1.5, 0.7), ValueError, "give 0 < nearest < farthest"),
        (("Cu", 2, RNG(0), 0.7, np.inf), ValueError, "give 0 < nearest < farthest"),
        (("Cu", 2, 0), TypeError, r"give a generator: numpy\.random\.default_rng\(seed\)"),
    ],
)
def test_impossible_clusters_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        random_cluster(*arguments)
