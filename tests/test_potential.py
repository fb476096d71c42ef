"""Potentials that are trained on energies and forces."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from functools import cache

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms, Hookean
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import helpers.potential
from helpers.descriptors import RadialSums, radial_sums, random_cluster
from helpers.potential import _TrainingData, train_ensemble, train_potential

RNG = np.random.default_rng
COPPER = radial_sums("Cu")
PARAMETERS = ("weights", "layer")  # in the order of `energy_gradient` and `precision`


def labelled(atoms, calculator):
    atoms = atoms.copy()
    atoms.calc = calculator
    found = SinglePointCalculator(
        atoms, energy=atoms.get_potential_energy(), forces=atoms.get_forces()
    )
    atoms.calc = found
    return atoms


@cache
def clusters(seed, number=40, symbol="Cu"):
    """Random clusters of 2 to 5 atoms with energies and forces of effective medium theory."""
    rng = RNG(seed)
    drawn = [random_cluster(symbol, rng.integers(2, 6), rng) for _ in range(number)]
    return tuple(labelled(atoms, EMT()) for atoms in drawn)


@cache
def atom_energy(symbol="Cu"):
    return Atoms(symbol, calculator=EMT()).get_potential_energy()


@cache
def copper(seed=0):
    return train_potential(clusters(100 + seed), COPPER, RNG(seed), atom_energy=atom_energy())


def quick(structures=None, seed=0, **options):
    """A potential of two hidden units from one start."""
    options = {"atom_energy": atom_energy(), "hidden": 2, "starts": 1} | options
    return train_potential(structures or clusters(0, 12), COPPER, RNG(seed), **options)


def rmse(errors):
    return np.sqrt(np.mean(np.square(errors)))


def errors(potential, structures):
    """Errors of the energies (eV/atom) and of the force components (eV/Å)."""
    energies = []
    forces = []
    for atoms in structures:
        found = potential(atoms)
        energies.append((found.energy - atoms.get_potential_energy()) / len(atoms))
        forces.append((found.forces - atoms.get_forces()).ravel())
    return np.array(energies), np.concatenate(forces)


def test_copper_clusters_are_predicted_for_most_seeds():
    """Other clusters than those of the training: 1 meV/atom and 30 meV/Å, median of 3 seeds."""
    found = [[rmse(part) for part in errors(copper(seed), clusters(7, 60))] for seed in range(3)]
    energy, force = np.median(found, axis=0)
    assert energy < 1e-3
    assert force < 30e-3


def test_energies_alone_are_fitted_but_predict_forces_less_well():
    alone = quick(clusters(100), force_weight=0, hidden=4, starts=2)
    both = quick(clusters(100), hidden=4, starts=2)
    assert np.isnan(alone.force_rmse)
    assert alone.energy_rmse < 5e-3
    assert rmse(errors(alone, clusters(7, 60))[1]) > rmse(errors(both, clusters(7, 60))[1])


def test_energies_alone_need_no_forces():
    bare = []
    for atoms in clusters(100):
        atoms = atoms.copy()
        energy = clusters(100)[len(bare)].get_potential_energy()
        atoms.calc = SinglePointCalculator(atoms, energy=energy)
        bare.append(atoms)
    with_forces = quick(clusters(100), force_weight=0)
    assert np.array_equal(quick(bare, force_weight=0).layer, with_forces.layer)


def test_rmse_of_the_training_data_is_that_of_the_predictions():
    potential = copper()
    energies, forces = errors(potential, clusters(100))
    assert potential.energy_rmse == pytest.approx(rmse(energies), rel=1e-6)
    assert potential.force_rmse == pytest.approx(rmse(forces), rel=1e-6)


def test_a_potential_of_the_same_form_is_recovered():
    """Labels from a potential of two hidden units, fitted by two hidden units."""
    truth = quick()
    own = [atoms.copy() for atoms in clusters(2)]
    for atoms in own:
        found = truth(atoms)
        atoms.calc = SinglePointCalculator(atoms, energy=found.energy, forces=found.forces)
    again = quick(own, seed=5, starts=4, penalty=0)
    for atoms in clusters(3, 20):
        assert again(atoms).energy == pytest.approx(truth(atoms).energy, abs=1e-9)
        assert np.allclose(again(atoms).forces, truth(atoms).forces, rtol=0, atol=1e-8)


def test_training_converges_to_a_minimum_that_rounding_does_not_move():
    """Labels that differ in their last digit give the same potential."""
    nearly = [atoms.copy() for atoms in clusters(100)]
    for atoms, original in zip(nearly, clusters(100), strict=True):
        energy = np.nextafter(original.get_potential_energy(), np.inf)
        forces = np.nextafter(original.get_forces(), np.inf)
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
    again = train_potential(nearly, COPPER, RNG(0), atom_energy=atom_energy())
    assert copper().converged
    assert again.converged
    for atoms in clusters(7, 60):
        assert again(atoms).energy == pytest.approx(copper()(atoms).energy, abs=1e-4)


def test_training_that_is_out_of_iterations_has_not_converged(monkeypatch):
    monkeypatch.setattr(helpers.potential, "MAX_ITERATIONS", 2)
    assert not quick().converged


def moved(potential, name, index, step):
    """The potential with one of its parameters changed."""
    parameters = getattr(potential, name).copy()
    parameters[index] += step
    return replace(potential, **{name: parameters})


def parameter_jacobian(potential, outputs):
    """Central differences (n_outputs, n_parameters) of `outputs(potential)`."""
    columns = []
    for name in PARAMETERS:
        for index in np.ndindex(getattr(potential, name).shape):
            step = 1e-5 * max(1.0, abs(getattr(potential, name)[index]))
            high, low = (outputs(moved(potential, name, index, sign * step)) for sign in (1, -1))
            columns.append((high - low) / (2 * step))
    return np.transpose(columns)


def test_energy_gradient_agrees_with_finite_differences():
    potential = quick(hidden=3)
    structures = [*clusters(5, 4), bulk("Cu"), Atoms("Cu")]
    central = parameter_jacobian(
        potential, lambda moved: np.array([moved(atoms).energy for atoms in structures])
    )
    gradient = potential.energy_gradient(structures)
    assert gradient.shape == (6, 15)
    assert np.allclose(gradient, central, rtol=1e-5, atol=1e-7 * np.abs(central).max())
    assert np.array_equal(gradient[-1], np.zeros(15))  # the isolated atom


@pytest.mark.parametrize("penalty", [1e-7, 0.01])
def test_precision_is_the_normal_matrix_over_the_variance(penalty):
    """(JᵀJ + P) / σ², J from finite differences of the predictions; P is that of the penalty."""
    weight = 0.3
    structures = clusters(0, 12)
    potential = quick(structures, force_weight=weight, penalty=penalty)
    spread = np.std(
        [
            *[atoms.get_potential_energy() / len(atoms) - atom_energy() for atoms in structures],
            *(weight * np.concatenate([atoms.get_forces().ravel() for atoms in structures])),
        ]
    )
    scale = np.sqrt(np.mean(COPPER(structures).sums ** 2, axis=0))
    penalized = np.concatenate([[1, 1], np.repeat((spread * scale) ** 2, 2), [0, 0]])

    def targets(potential):
        energies, forces = errors(potential, clusters(0, 12))
        return np.concatenate([energies, weight * forces])

    jacobian = parameter_jacobian(potential, targets)
    residuals = targets(potential)
    variance = np.sum(residuals**2) / (len(residuals) - jacobian.shape[1])
    precision = (jacobian.T @ jacobian + penalty * np.diag(penalized)) / variance
    size = np.sqrt(np.diag(precision))
    assert np.allclose(
        potential.precision / size / size[:, np.newaxis],
        precision / size / size[:, np.newaxis],
        rtol=0,
        atol=1e-5,
    )


def test_jacobian_of_the_units_agrees_with_finite_differences():
    structures = [*clusters(0, 5)]
    forces = np.concatenate([atoms.get_forces().ravel() for atoms in structures])
    energies = np.array([atoms.get_potential_energy() for atoms in structures])
    data = _TrainingData(COPPER(structures), energies, forces, atom_energy(), 0.1)
    layer = data.random_layer(3, RNG(0))
    _, jacobian = data.units(layer)
    for index in np.ndindex(layer.shape):
        step = np.zeros(layer.shape)
        step[index] = 1e-5
        central = (data.units(layer + step)[0] - data.units(layer - step)[0]) / 2e-5
        expected = np.zeros(central.shape)
        expected[:, index[1]] = jacobian[:, index[0], index[1]]
        assert np.allclose(central, expected, rtol=1e-6, atol=1e-8)


def test_output_weights_are_the_best_for_their_hidden_layer():
    """No other weights give a smaller sum of squares: the residuals are perpendicular to them."""
    potential = quick(penalty=0)
    energies, forces = errors(potential, clusters(0, 12))
    residuals = np.concatenate([energies, 0.1 * forces])
    units = parameter_jacobian(
        potential, lambda moved: np.concatenate(errors(moved, clusters(0, 12)))
    )[:, :2]
    units[len(energies) :] *= 0.1
    cosines = units.T @ residuals / np.linalg.norm(units, axis=0) / np.linalg.norm(residuals)
    assert np.allclose(cosines, 0, atol=1e-6)


def test_a_penalty_makes_the_weights_smaller():
    sizes = [np.linalg.norm(quick(penalty=penalty).weights) for penalty in (0, 1e-2, 1)]
    assert sizes[0] > sizes[1] > sizes[2]


ANGLES = st.floats(-np.pi, np.pi)
invariant = settings(derandomize=True, database=None, deadline=None, max_examples=15)


@invariant
@given(
    st.integers(0, 10**6),
    st.tuples(ANGLES, ANGLES, ANGLES),
    st.tuples(*3 * [st.floats(-1e3, 1e3)]),
    st.booleans(),
)
def test_moving_and_turning_changes_no_energy(seed, angles, shift, mirror):
    atoms = random_cluster("Cu", 2 + seed % 12, RNG(seed))
    matrix = Rotation.from_euler("xyz", angles).as_matrix() * (-1 if mirror else 1)
    turned = Atoms(atoms.symbols, positions=atoms.positions @ matrix.T + shift)
    before, after = copper()(atoms), copper()(turned)
    assert after.energy == pytest.approx(before.energy, abs=1e-9)
    assert np.allclose(after.forces, before.forces @ matrix.T, rtol=0, atol=1e-8)
    assert np.allclose(after.virial, matrix @ before.virial @ matrix.T, rtol=0, atol=1e-8)


@invariant
@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_atoms_may_be_in_any_order(seed, random):
    atoms = random_cluster("Cu", 2 + seed % 12, RNG(seed))
    order = list(range(len(atoms)))
    random.shuffle(order)
    before, after = copper()(atoms), copper()(atoms[order])
    assert after.energy == pytest.approx(before.energy, abs=1e-11)
    assert np.allclose(after.energies, before.energies[order], rtol=0, atol=1e-11)
    assert np.allclose(after.forces, before.forces[order], rtol=0, atol=1e-11)


def test_energies_of_distant_clusters_add_up():
    left, right = clusters(0, 12)[:2]
    far = right.copy()
    far.translate([100, 0, 0])
    both = copper()(left + far)
    parts = [copper()(left), copper()(right)]
    assert both.energy == pytest.approx(sum(part.energy for part in parts), abs=1e-11)
    assert np.allclose(both.forces, np.vstack([part.forces for part in parts]), atol=1e-11)


@pytest.mark.parametrize("pbc", [False, True])
def test_an_isolated_atom_has_exactly_its_energy(pbc):
    found = copper()(Atoms("Cu", cell=[30, 30, 30], pbc=pbc))
    assert found.energy == atom_energy()
    assert np.array_equal(found.forces, np.zeros((1, 3)))
    assert np.array_equal(found.virial, np.zeros((3, 3)))


def test_separated_atoms_have_exactly_their_energies():
    apart = Atoms("Cu3", positions=np.diag([0, 50, 100]))
    assert copper()(apart).energies.tolist() == 3 * [atom_energy()]


def test_energy_of_a_crystal_does_not_depend_on_its_cell():
    primitive = copper()(bulk("Cu")).energy
    assert copper()(bulk("Cu", cubic=True) * 2).energy == pytest.approx(32 * primitive, rel=1e-11)


def test_calling_leaves_the_structure_alone():
    atoms = clusters(0, 12)[0].copy()
    before = atoms.copy()
    copper()(atoms)
    assert atoms == before


def test_constraints_do_not_change_what_is_learned():
    fixed = []
    for atoms in clusters(0, 12):
        energy = atoms.get_potential_energy()
        forces = atoms.get_forces()
        atoms = atoms.copy()
        atoms.set_constraint([FixAtoms([0]), Hookean(0, 1, k=10.0, rt=0.5)])
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        fixed.append(atoms)
    assert not np.array_equal(fixed[0].get_forces(), clusters(0, 12)[0].get_forces())
    assert np.array_equal(quick(fixed).layer, quick().layer)


def same(first, second):
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in (*PARAMETERS, "precision", "energy_rmse", "force_rmse")
    )


def test_the_same_generator_gives_the_same_potential():
    assert same(quick(seed=3), quick(seed=3))
    assert not same(quick(seed=3), quick(seed=4))


def test_any_iterable_of_structures_will_do():
    assert same(quick(clusters(0, 12)), quick(iter(clusters(0, 12))))


def test_the_best_of_several_starts_is_kept():
    def objective(seed, starts):
        energies, forces = errors(quick(seed=seed, starts=starts), clusters(0, 12))
        return np.sum(energies**2) + np.sum((0.1 * forces) ** 2)

    assert objective(8, 4) <= objective(8, 1) * (1 + 1e-3)
    assert objective(7, 4) < objective(7, 1) / 10  # whose first start ends in a poor minimum


def ensemble(workers):
    options = {"atom_energy": atom_energy(), "hidden": 2, "starts": 1}
    return train_ensemble(clusters(0, 12), COPPER, RNG(1), 3, workers=workers, **options)


def test_threads_train_the_same_ensemble():
    with ThreadPoolExecutor(2) as executor:
        threads = ensemble(executor.map)
    assert all(map(same, threads, ensemble(map)))


def test_processes_train_the_same_ensemble():
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        processes = ensemble(executor.map)
    assert all(map(same, processes, ensemble(map)))


def test_potentials_of_an_ensemble_differ():
    first, second, third = ensemble(map)
    assert not same(first, second)
    assert not same(second, third)


def test_a_potential_survives_pickling():
    again = pickle.loads(pickle.dumps(copper()))
    assert same(again, copper())
    assert again.descriptor == COPPER


def test_a_potential_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        copper().symbol = "Ag"
    with pytest.raises(ValueError, match="read-only"):
        copper().weights[0] = 0


ALLOY = Atoms("CuAg", positions=[[0, 0, 0], [0, 0, 2.4]])


@pytest.mark.parametrize(
    ("structure", "error", "message"),
    [
        (
            ALLOY,
            ValueError,
            "structure 0 has Ag in it, but a potential is for one element, here Cu",
        ),
        (Atoms("Ag"), ValueError, "has Ag in it"),
        (Atoms(), ValueError, "has no atoms"),
        (Atoms("Cu", positions=[[np.nan, 0, 0]]), ValueError, "give finite positions"),
        (Atoms("Cu2"), ValueError, "at the same position"),
        (Atoms("Cu", pbc=True), ValueError, "is periodic, but its cell"),
        ("Cu2", TypeError, r"give ase\.Atoms"),
    ],
)
def test_unsuitable_structures_are_not_predicted(structure, error, message):
    with pytest.raises(error, match=message):
        copper()(structure)
    with pytest.raises(error, match=message):
        copper().energy_gradient([structure])


def test_energy_gradient_of_no_structures_is_refused():
    with pytest.raises(ValueError, match="there are no structures"):
        copper().energy_gradient([])
    with pytest.raises(TypeError, match="give a list"):
        copper().energy_gradient(bulk("Cu"))


def with_labels(atoms, **results):
    atoms = atoms.copy()
    atoms.calc = SinglePointCalculator(atoms, **results)
    return atoms


PAIR = random_cluster("Cu", 2, RNG(0))
ZEROS = np.zeros((2, 3))
FAR = [
    with_labels(Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 50 + i]]), energy=0.0, forces=ZEROS)
    for i in range(9)
]
BOUND_TO_NOTHING = [with_labels(PAIR, energy=0.0, forces=ZEROS)] * 9


@pytest.mark.parametrize(
    ("structures", "options", "error", "message"),
    [
        ([], {}, ValueError, "there are no structures"),
        (PAIR, {}, TypeError, r"single ase\.Atoms; give a list"),
        ([PAIR, None], {}, TypeError, "structure 1 is of type NoneType"),
        ([Atoms()], {}, ValueError, "structure 0 has no atoms"),
        ([PAIR, ALLOY], {}, ValueError, "structure 1 has Ag in it"),
        ([PAIR], {}, ValueError, r"structure 0 has no energy \(.* no calculator.*\); label it$"),
        (
            [with_labels(PAIR, energy=1.0)],
            {},
            ValueError,
            r"structure 0 has no forces .*; label it, or train with force_weight=0",
        ),
        ([with_labels(PAIR, forces=ZEROS)], {"force_weight": 0}, ValueError, "has no energy"),
        (
            [with_labels(PAIR, energy=np.nan, forces=ZEROS)],
            {},
            ValueError,
            "structure 0: energy not finite",
        ),
        (
            [with_labels(PAIR, energy=0.0, forces=ZEROS + np.inf)],
            {},
            ValueError,
            "structure 0: forces not finite",
        ),
        (
            [with_labels(PAIR, energy=0.0, forces=np.zeros((3, 3)))],
            {},
            ValueError,
            r"structure 0: forces of the shape \(3, 3\); give \(2, 3\)",
        ),
        (
            clusters(0, 12)[:1],
            {"hidden": 8},
            ValueError,
            r"energies and force components for 40 parameters; give more structures, or fewer",
        ),
        (clusters(0, 12), {"force_weight": 0, "hidden": 3}, ValueError, "12 energies and .* 15"),
        (FAR, {}, ValueError, "no two atoms are within the cutoff, 5.87 Å"),
        (BOUND_TO_NOTHING, {"atom_energy": 0.0}, ValueError, "energies are those of isolated"),
        (clusters(0, 12), {"hidden": 0}, ValueError, "hidden is 0; give an integer, at least 1"),
        (clusters(0, 12), {"starts": 1.5}, TypeError, "starts is 1.5; give an integer"),
        (clusters(0, 12), {"atom_energy": "3"}, TypeError, "atom_energy is '3'; give a number"),
        (clusters(0, 12), {"atom_energy": np.nan}, ValueError, "give the energy of an isolated"),
        (clusters(0, 12), {"force_weight": -1}, ValueError, "force_weight is -1; give zero or"),
        (clusters(0, 12), {"penalty": np.inf}, ValueError, "penalty is inf; give zero or a"),
        (clusters(0, 12), {"penalty": None}, TypeError, "penalty is None; give a number"),
    ],
)
def test_unsuitable_training_is_refused(structures, options, error, message):
    with pytest.raises(error, match=message):
        train_potential(structures, COPPER, RNG(0), **({"atom_energy": 1.0, "hidden": 1} | options))


@pytest.mark.parametrize("rng", [0, None, np.random.RandomState(0)])
def test_rng_must_be_a_generator(rng):
    for train in (train_potential, lambda *args, **options: train_ensemble(*args, 2, **options)):
        with pytest.raises(
            TypeError, match=r"give a generator: numpy\.random\.default_rng\(seed\)"
        ):
            train(clusters(0, 12), COPPER, rng, atom_energy=0.0)


def test_descriptor_must_be_radial_sums():
    with pytest.raises(TypeError, match=r"descriptor is .*give helpers\.descriptors\.RadialSums"):
        train_potential(clusters(0, 12), radial_sums, RNG(0), atom_energy=0.0)


def test_an_ensemble_has_at_least_one_potential():
    with pytest.raises(ValueError, match="n_potentials is 0; give an integer, at least 1"):
        train_ensemble(clusters(0, 12), COPPER, RNG(0), 0, atom_energy=0.0)


def test_training_takes_periodic_structures():
    cells = []
    for scale in np.linspace(0.95, 1.1, 10):
        crystal = bulk("Cu", cubic=True)
        crystal.set_cell(crystal.cell * scale, scale_atoms=True)
        crystal.rattle(0.05, seed=len(cells))
        cells.append(labelled(crystal, EMT()))
    potential = quick(cells, hidden=4, starts=2)
    assert potential.energy_rmse < 5e-3
    assert potential.force_rmse < 0.05


def test_one_decay_and_one_unit_are_enough_to_train():
    sums = RadialSums((2.0,), 2.5, 6.0)
    potential = train_potential(
        clusters(0, 12), sums, RNG(0), atom_energy=atom_energy(), hidden=1, starts=1
    )
    assert potential.layer.shape == (2, 1)
    assert potential.precision.shape == (3, 3)


def test_as_many_labels_as_parameters_are_enough():
    """Ten energies for two units of five parameters each."""
    potential = quick(clusters(0, 12)[:10], force_weight=0)
    assert potential.layer.size + potential.weights.size == 10
    with pytest.raises(ValueError, match="9 energies and force components for 10 parameters"):
        quick(clusters(0, 12)[:9], force_weight=0)


def test_isolated_atoms_first_and_last_have_their_energy_and_no_force():
    """They have no neighbours, and the forces on them are part of the training data."""
    atom = labelled(Atoms("Cu"), EMT())
    far = labelled(Atoms("Cu3", positions=[(0, 0, 0), (2.3, 0, 0), (0, 0, 50)]), EMT())
    structures = [atom, *clusters(0, 12), far]
    potential = quick(structures)
    assert potential(atom).energy == atom_energy()
    assert np.array_equal(potential(far).forces[2], np.zeros(3))
    assert potential.force_rmse == pytest.approx(rmse(errors(potential, structures)[1]), rel=1e-6)
    assert potential.energy_rmse == pytest.approx(rmse(errors(potential, structures)[0]), rel=1e-6)
