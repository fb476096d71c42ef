"""Two atoms in effective medium theory, against stored energies and forces, and against ASE itself."""

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

# 30 distances in Å, energies in eV and the force on the second atom in eV/Å, by ASE 3.29 on another machine
DISTANCE, ENERGY, FORCE = np.loadtxt(
    Path(__file__).with_name("reference") / "cu_dimer.csv", delimiter=",", skiprows=1, unpack=True
)


def test_the_energies_are_the_stored_ones():
    assert np.allclose(binding_energies(DISTANCE), ENERGY, rtol=0, atol=1e-12)


def test_the_forces_are_the_stored_ones():
    assert np.allclose(forces(DISTANCE), FORCE, rtol=0, atol=1e-11)


@pytest.mark.parametrize("element", METALS)
def test_the_forces_are_minus_the_slope_of_the_energies(element):
    distances, step = np.linspace(1.9, 4.5, 14), 1e-5
    slope = (
        binding_energies(distances + step, element) - binding_energies(distances - step, element)
    ) / (2 * step)
    assert np.allclose(forces(distances, element), -slope, rtol=0, atol=1e-7)


def test_atoms_too_close_are_pushed_apart_and_atoms_too_far_are_pulled_together():
    close, at_rest, far, apart = forces([1.7, 2.168450416, 3.0, DISSOCIATION_DISTANCE])
    assert close > 0 > far
    assert at_rest == pytest.approx(0, abs=1e-6)
    assert apart == 0


def test_an_atoms_object_made_anew_has_the_same_energy():
    atoms = Atoms("Pt2", positions=[[0, 0, 0], [2.5, 0, 0]], calculator=EMT())
    assert total_energies([2.5], "Pt")[0] == pytest.approx(atoms.get_potential_energy(), rel=1e-14)


def test_the_zero_is_where_the_atoms_are_apart():
    assert total_energies([DISSOCIATION_DISTANCE])[0] == pytest.approx(7.02, abs=1e-12)
    assert np.all(binding_energies([5.8769, DISSOCIATION_DISTANCE, 50.0]) == 0)


def test_the_minimum_of_copper():
    around = binding_energies(2.168450416 + np.array([-1e-3, 0, 1e-3]))
    assert around[1] == pytest.approx(-3.838625706, abs=1e-9)
    assert (around[0] - 2 * around[1] + around[2]) / 1e-6 == pytest.approx(16.5585, abs=1e-3)


@pytest.mark.parametrize("element", METALS)
def test_every_metal_of_emt_binds(element):
    assert binding_energies(np.linspace(1.5, 4, 20), element).min() < 0


@pytest.mark.parametrize("quantity", [binding_energies, forces])
@pytest.mark.parametrize("element", ["Fe", "H", "Xx", "", "Cu2"])
def test_an_element_without_parameters_is_refused(quantity, element):
    with pytest.raises(
        ValueError, match=rf"EMT has no parameters for '{element}'; give one of Al, Cu"
    ):
        quantity([2.0], element)


@pytest.mark.parametrize("quantity", [binding_energies, forces])
@pytest.mark.parametrize("distance", [0.0, -1.0, 1e-200, 1e300])
def test_a_distance_that_is_none_is_refused(quantity, distance):
    with pytest.raises(
        ValueError,
        match=re.escape(f"distances: {distance} is none between two atoms; give lengths in Å"),
    ):
        quantity([2.0, distance])


@pytest.mark.parametrize("quantity", [binding_energies, forces])
@pytest.mark.parametrize(
    "distances",
    [[np.nan], [np.inf], 2.0, [[1.0]], ["near"], [2j], np.ma.array([2.0], mask=[True])],
)
def test_what_is_no_list_of_numbers_is_refused(quantity, distances):
    with pytest.raises(ValueError, match=r"^distances.*; give"):
        quantity(distances)


def test_no_distances_have_no_energies_and_no_forces():
    assert binding_energies([]).shape == forces([]).shape == (0,)


def test_morse_has_its_depth_at_its_equilibrium_and_vanishes_far_away():
    assert morse(2.2, 3.8, 1.5, 2.2) == -3.8
    assert morse(100.0, 3.8, 1.5, 2.2) == pytest.approx(0, abs=1e-15)
    curvature = elementwise_grad(elementwise_grad(morse))(2.2, 3.8, 1.5, 2.2)
    assert curvature == pytest.approx(2 * 3.8 * 1.5**2, rel=1e-13)


def test_rose_has_its_depth_at_its_equilibrium_and_vanishes_far_away():
    assert rose(2.2, 3.8, 1.5, 2.2) == -3.8
    assert rose(100.0, 3.8, 1.5, 2.2) == pytest.approx(0, abs=1e-15)
    curvature = elementwise_grad(elementwise_grad(rose))(2.2, 3.8, 1.5, 2.2)
    assert curvature == pytest.approx(3.8 * 1.5**2, rel=1e-13)


def test_vinets_equation_of_state_is_rose_with_the_cube_root_of_the_volume_for_a_distance():
    volumes, (bulk_modulus, prime, volume0) = np.linspace(50, 120, 8), (0.4, 4.5, 80.0)
    depth, steepness = (
        4 * volume0 * bulk_modulus / (prime - 1) ** 2,
        3 / 2 * (prime - 1) / np.cbrt(volume0),
    )
    of_rose = rose(np.cbrt(volumes), depth, steepness, np.cbrt(volume0))
    assert np.allclose(of_rose, vinet(volumes, -depth, bulk_modulus, prime, volume0), rtol=1e-12)


def test_buckingham_is_an_exponential_less_a_sixth_power():
    assert buckingham(2.0, 3.0, 0.5, 64.0) == pytest.approx(3 / np.e - 1, rel=1e-15)


@pytest.mark.parametrize("element", METALS)
def test_the_zero_is_each_metals_own(element):
    assert np.array_equal(binding_energies([DISSOCIATION_DISTANCE, 30.0], element), [0, 0])


def test_the_metals_are_all_that_ases_emt_has_parameters_for():
    assert set(METALS) == set(ase.calculators.emt.parameters) - set("HCNO")


def test_the_limits_of_a_distance():
    assert np.all(np.isfinite(total_energies([0.011, 0.5, 9e5])))
    for impossible in (0.009, 0.01, 1e6):
        with pytest.raises(ValueError, match=re.escape(f"distances: {impossible} is none")):
            total_energies([2.0, impossible, -1.0])
