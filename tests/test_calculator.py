"""A trained potential as a calculator of ASE."""

from functools import cache

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk, fcc111
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.emt import EMT
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.eos import EquationOfState
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS
from ase.vibrations import Vibrations
from scipy.optimize import minimize_scalar

from helpers.calculator import PotentialCalculator
from helpers.descriptors import radial_sums, random_cluster
from helpers.labels import label
from helpers.potential import train_potential

RNG = np.random.default_rng


@cache
def potential():
    rng = RNG(0)
    structures = [random_cluster("Cu", rng.integers(2, 6), rng) for _ in range(40)]
    atom_energy = Atoms("Cu", calculator=EMT()).get_potential_energy()
    return train_potential(
        label(structures, EMT), radial_sums("Cu"), rng, atom_energy=atom_energy, starts=2
    )


def calculated(atoms):
    """A copy of the structure with a calculator of its own."""
    atoms = atoms.copy()
    atoms.calc = PotentialCalculator(potential())
    return atoms


def rattled(atoms):
    atoms = calculated(atoms)
    atoms.rattle(0.1, seed=1)
    return atoms


SKEWED = bulk("Cu")
SKEWED.set_cell(SKEWED.cell @ [[1.02, 0.03, 0], [0, 0.97, -0.02], [0.01, 0, 1.0]], scale_atoms=True)
CRYSTALS = {
    "one atom in a skewed cell": SKEWED,
    "four atoms in a cube": bulk("Cu", cubic=True),
    "a slab": fcc111("Cu", (1, 2, 3), vacuum=5, orthogonal=True),
    "a cluster in a box": Atoms("Cu3", positions=np.diag([1, 2, 3]), cell=[9, 9, 9]),
}
CLUSTERS = {str(size): random_cluster("Cu", size, RNG(size)) for size in (2, 3, 6)}


@pytest.mark.parametrize("name", [*CRYSTALS, *CLUSTERS])
def test_forces_agree_with_finite_differences(name):
    atoms = rattled((CRYSTALS | CLUSTERS)[name])
    numerical = calculate_numerical_forces(atoms, eps=1e-5)
    assert np.allclose(atoms.get_forces(), numerical, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", CRYSTALS)
def test_stress_agrees_with_finite_differences(name):
    atoms = rattled(CRYSTALS[name])
    numerical = calculate_numerical_stress(atoms, eps=1e-5)
    assert np.abs(numerical).max() > 1e-5
    assert np.allclose(atoms.get_stress(), numerical, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", [*CRYSTALS, *CLUSTERS])
def test_energies_of_the_atoms_sum_to_the_energy(name):
    atoms = rattled((CRYSTALS | CLUSTERS)[name])
    assert atoms.get_potential_energies().shape == (len(atoms),)
    assert np.sum(atoms.get_potential_energies()) == pytest.approx(atoms.get_potential_energy())
    assert atoms.get_potential_energy(force_consistent=True) == atoms.get_potential_energy()


@pytest.mark.parametrize("name", [*CRYSTALS, *CLUSTERS])
def test_the_net_force_vanishes(name):
    atoms = rattled((CRYSTALS | CLUSTERS)[name])
    assert np.allclose(np.sum(atoms.get_forces(), axis=0), 0, atol=1e-10)


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_net_torque_vanishes(name):
    atoms = rattled(CLUSTERS[name])
    torque = np.sum(np.cross(atoms.positions, atoms.get_forces()), axis=0)
    assert np.allclose(torque, 0, atol=1e-10)


def test_molecular_dynamics_conserves_energy_and_momentum():
    """Four atoms that start at 600 K, for 0.5 ps: within 0.5 meV per atom at every step."""
    atoms = calculated(random_cluster("Cu", 4, RNG(4)))
    BFGS(atoms, logfile=None).run(fmax=0.05, steps=100)
    spread = np.sqrt(atoms.get_masses() * units.kB * 600)
    momenta = spread[:, np.newaxis] * RNG(0).standard_normal((4, 3))
    atoms.set_momenta(momenta - np.mean(momenta, axis=0))
    before = atoms.get_total_energy()
    assert atoms.get_kinetic_energy() > 0.1
    energies = []
    dynamics = VelocityVerlet(atoms, timestep=2 * units.fs)
    dynamics.attach(lambda: energies.append(atoms.get_total_energy()))
    dynamics.run(250)
    assert np.abs(np.array(energies) - before).max() < 5e-4 * len(atoms)
    assert np.allclose(np.sum(atoms.get_momenta(), axis=0), 0, atol=1e-9)


def test_energy_error_of_dynamics_falls_with_the_square_of_the_step():
    """The order of velocity Verlet, which holds only if forces belong to a smooth energy."""

    def fluctuation(step):
        atoms = calculated(random_cluster("Cu", 3, RNG(3)))
        BFGS(atoms, logfile=None).run(fmax=0.05, steps=100)
        atoms.positions[0] *= 1.05
        energies = []
        dynamics = VelocityVerlet(atoms, timestep=step * units.fs)
        dynamics.attach(lambda: energies.append(atoms.get_total_energy()))
        dynamics.run(round(120 / step))
        return np.ptp(energies)

    assert fluctuation(4.0) / fluctuation(2.0) == pytest.approx(4, rel=0.15)


def test_a_dimer_relaxes_to_the_minimum_of_its_curve():
    def energy(distance):
        return potential()(Atoms("Cu2", positions=[[0, 0, 0], [0, 0, distance]])).energy

    minimum = minimize_scalar(energy, bounds=(1.8, 3), options={"xatol": 1e-9})
    atoms = calculated(Atoms("Cu2", positions=[[0, 0, 0], [0.3, 1.5, 2.0]]))
    BFGS(atoms, logfile=None).run(fmax=1e-6, steps=100)
    assert atoms.get_distance(0, 1) == pytest.approx(minimum.x, abs=1e-6)
    assert atoms.get_potential_energy() == pytest.approx(minimum.fun, abs=1e-9)


def test_vibrations_of_a_dimer_are_those_of_its_curve(tmp_path):
    """One frequency, √(curvature / reduced mass), and five zeros."""
    atoms = calculated(Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.2]]))
    BFGS(atoms, logfile=None).run(fmax=1e-5, steps=100)
    distance = atoms.get_distance(0, 1)
    step = 1e-3
    energies = []
    for change in (-step, 0, step):
        dimer = calculated(atoms)
        dimer.set_distance(0, 1, distance + change)
        energies.append(dimer.get_potential_energy())
    curvature = (energies[0] - 2 * energies[1] + energies[2]) / step**2
    expected = (
        units._hbar
        * 1e10
        * np.sqrt(curvature / (atoms.get_masses()[0] / 2))
        / np.sqrt(units._e * units._amu)
    )
    vibrations = Vibrations(atoms, name=str(tmp_path / "dimer"), delta=1e-3)
    vibrations.run()
    frequencies = vibrations.get_energies()
    assert frequencies[-1].real == pytest.approx(expected, rel=1e-3)
    assert np.abs(frequencies[:-1]).max() < 0.05 * expected


def test_equation_of_state_of_the_bulk_agrees_with_the_stress():
    def scaled(scale):
        crystal = bulk("Cu")
        crystal.set_cell(crystal.cell * scale, scale_atoms=True)
        return calculated(crystal)

    scales = np.linspace(0.9, 1.2, 61)
    lowest = min(scales, key=lambda scale: scaled(scale).get_potential_energy())
    assert scales[0] < lowest < scales[-1]
    volumes = []
    energies = []
    pressures = []
    for scale in lowest * np.linspace(0.98, 1.02, 9):
        crystal = scaled(scale)
        volumes.append(crystal.get_volume())
        energies.append(crystal.get_potential_energy())
        pressures.append(-np.mean(crystal.get_stress()[:3]))
    slopes = np.gradient(energies, volumes, edge_order=2)
    assert np.allclose(-slopes[1:-1], pressures[1:-1], rtol=0, atol=5e-3 * np.ptp(pressures))
    volume, _, bulk_modulus = EquationOfState(volumes, energies).fit()
    assert volume == pytest.approx(np.interp(0, pressures[::-1], volumes[::-1]), rel=1e-3)
    assert bulk_modulus > 0


def test_results_follow_the_structure():
    atoms = calculated(CLUSTERS["3"])
    before = atoms.get_potential_energy()
    atoms.positions[0] += 0.1
    assert atoms.get_potential_energy() == potential()(atoms).energy != before
    assert np.array_equal(atoms.get_forces(), potential()(atoms).forces)


@pytest.mark.parametrize("cell", [None, [5, 5, 0]])
def test_a_structure_without_volume_has_no_stress(cell):
    atoms = calculated(Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.2]], cell=cell))
    with pytest.raises(PropertyNotImplementedError, match="has no volume; give it a cell"):
        atoms.get_stress()
    assert np.isfinite(atoms.get_potential_energy())


def test_a_refused_element_leaves_the_calculator_usable():
    atoms = calculated(CLUSTERS["3"])
    expected = atoms.get_potential_energy()
    atoms.symbols[1] = "Ag"
    for _ in range(2):
        with pytest.raises(ValueError, match="has Ag in it, but a potential is for one element"):
            atoms.get_potential_energy()
    atoms.symbols[1] = "Cu"
    assert atoms.get_potential_energy() == expected


def test_positions_that_are_not_finite_are_refused():
    atoms = calculated(CLUSTERS["3"])
    atoms.positions[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"atom 1 is at .* give finite positions"):
        atoms.get_forces()


def test_a_calculator_needs_a_potential():
    with pytest.raises(TypeError, match="potential is 'Cu'; give a Potential"):
        PotentialCalculator("Cu")
