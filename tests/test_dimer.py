"""Two atoms in effective medium theory: stored energies and forces, and ASE itself."""

import re
from pathlib import Path

import ase.calculators.emt
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from autograd import elementwise_grad

from helpers.dimer import (
    DISSOCIATION_DISTANCE,
    METALS,
    binding_energies,
    buckingham,
    forces,
    morse,
    rose,
    total_energies,
)
from helpers.eos import vinet

# 30 distances in Å, energies in eV and the force on the second atom in eV/Å, calculated by ASE 3.29
# on another machine
DISTANCE, ENERGY, FORCE = np.loadtxt(
    Path(__file__).with_name("data") / "cu_dimer.csv", delimiter=",", skiprows=1, unpack=True
)


def test_energies_match_reference():
    assert np.allclose(binding_energies(DISTANCE), ENERGY, rtol=0, atol=1e-12)


def test_forces_match_reference():
    assert np.allclose(forces(DISTANCE), FORCE, rtol=0, atol=1e-11)


@pytest.mark.parametrize("element", METALS)
def test_forces_are_minus_the_energy_gradient(element):
    distances = np.linspace(1.9, 4.5, 14)
    step = 1e-5
    above = binding_energies(distances + step, element)
    below = binding_energies(distances - step, element)
    gradient = (above - below) / (2 * step)
    assert np.allclose(forces(distances, element), -gradient, rtol=0, atol=1e-7)


def test_force_repels_when_close_and_attracts_when_far():
    close, at_rest, far, apart = forces([1.7, 2.168450416, 3.0, DISSOCIATION_DISTANCE])
    assert close > 0 > far
    assert at_rest == pytest.approx(0, abs=1e-6)
    assert apart == 0


def test_reused_atoms_object_gives_same_energy_as_a_new_one():
    atoms = Atoms("Pt2", positions=[[0, 0, 0], [2.5, 0, 0]], calculator=EMT())
    assert total_energies([2.5], "Pt")[0] == pytest.approx(atoms.get_potential_energy(), rel=1e-14)


def test_binding_energy_is_zero_for_separated_atoms():
    assert total_energies([DISSOCIATION_DISTANCE])[0] == pytest.approx(7.02, abs=1e-12)
    assert np.all(binding_energies([5.8769, DISSOCIATION_DISTANCE, 50.0]) == 0)


def test_copper_minimum_has_known_depth_and_curvature():
    around = binding_energies(2.168450416 + np.array([-1e-3, 0, 1e-3]))
    assert around[1] == pytest.approx(-3.838625706, abs=1e-9)
    assert (around[0] - 2 * around[1] + around[2]) / 1e-6 == pytest.approx(16.5585, abs=1e-3)


@pytest.mark.parametrize("element", METALS)
def test_every_metal_has_a_bound_dimer(element):
    assert binding_energies(np.linspace(1.5, 4, 20), element).min() < 0


@pytest.mark.parametrize("quantity", [binding_energies, forces])
@pytest.mark.parametrize("element", ["Fe", "H", "Xx", "", "Cu2"])
def test_element_without_parameters_raises(quantity, element):
    with pytest.raises(
        ValueError, match=rf"EMT has no parameters for '{element}'; give one of Al, Cu"
    ):
        quantity([2.0], element)


@pytest.mark.parametrize("quantity", [binding_energies, forces])
@pytest.mark.parametrize("distance", [0.0, -1.0, 1e-200, 1e300])
def test_impossible_distance_raises(quantity, distance):
    message = f"distances: {distance} Å is not a distance between two atoms; give lengths between"
    with pytest.raises(ValueError, match=re.escape(message)):
        quantity([2.0, distance])


@pytest.mark.parametrize("quantity", [binding_energies, forces])
@pytest.mark.parametrize("element", [29, None, ["Cu"], ("Cu", "Cu")])
def test_element_that_is_not_a_string_raises(quantity, element):
    message = re.escape(f"element is {element!r}; give one of Al, Cu")
    with pytest.raises(TypeError, match=message):
        quantity([2.0], element)


@pytest.mark.parametrize("quantity", [binding_energies, forces])
@pytest.mark.parametrize(
    "distances", [[np.nan], [np.inf], 2.0, [[1.0]], np.ma.array([2.0], mask=[True])]
)
def test_distances_of_wrong_value_or_shape_raise(quantity, distances):
    with pytest.raises(ValueError, match=r"^distances: .*; give"):
        quantity(distances)


@pytest.mark.parametrize("quantity", [binding_energies, forces])
@pytest.mark.parametrize("distances", [["near"], [2j], None])
def test_distances_of_wrong_type_raise(quantity, distances):
    with pytest.raises(TypeError, match=r"^distances: .*; give"):
        quantity(distances)


def test_empty_distances_give_empty_results():
    assert binding_energies([]).shape == forces([]).shape == (0,)


def test_morse_depth_curvature_and_limit():
    assert morse(2.2, 3.8, 1.5, 2.2) == -3.8
    assert morse(100.0, 3.8, 1.5, 2.2) == pytest.approx(0, abs=1e-15)
    curvature = elementwise_grad(elementwise_grad(morse))(2.2, 3.8, 1.5, 2.2)
    assert curvature == pytest.approx(2 * 3.8 * 1.5**2, rel=1e-13)


def test_rose_depth_curvature_and_limit():
    assert rose(2.2, 3.8, 1.5, 2.2) == -3.8
    assert rose(100.0, 3.8, 1.5, 2.2) == pytest.approx(0, abs=1e-15)
    curvature = elementwise_grad(elementwise_grad(rose))(2.2, 3.8, 1.5, 2.2)
    assert curvature == pytest.approx(3.8 * 1.5**2, rel=1e-13)


def test_rose_of_cube_root_of_volume_is_vinet_equation():
    volumes = np.linspace(50, 120, 8)
    bulk_modulus = 0.4
    prime = 4.5
    volume0 = 80.0
    depth = 4 * volume0 * bulk_modulus / (prime - 1) ** 2
    steepness = 3 / 2 * (prime - 1) / np.cbrt(volume0)
    energies = rose(np.cbrt(volumes), depth, steepness, np.cbrt(volume0))
    expected = vinet(volumes, -depth, bulk_modulus, prime, volume0)
    assert np.allclose(energies, expected, rtol=1e-12)


def test_buckingham_value():
    assert buckingham(2.0, 3.0, 0.5, 64.0) == pytest.approx(3 / np.e - 1, rel=1e-15)


@pytest.mark.parametrize("element", METALS)
def test_binding_energy_is_zero_for_each_separated_metal(element):
    assert np.array_equal(binding_energies([DISSOCIATION_DISTANCE, 30.0], element), [0, 0])


def test_metals_are_those_of_ase_emt():
    assert set(METALS) == set(ase.calculators.emt.parameters) - set("HCNO")


def test_distance_limits():
    assert np.all(np.isfinite(total_energies([0.011, 0.5, 9e5])))
    for impossible in (0.009, 0.01, 1000000.0):
        with pytest.raises(ValueError, match=rf"^distances: {impossible} Å is not a distance"):
            total_energies([2.0, impossible, -1.0])
