"""What the four parameters of an equation of state mean, as derivatives of the energy."""

import ase.eos
import ase.units
import autograd.numpy as np
from autograd import elementwise_grad

from helpers.eos import GPA, murnaghan

PARAMETERS = (-400.0294660730306, 0.003735889834296311, 4.048736514430762, 212.7784226294645)
ENERGY0, BULK_MODULUS, PRIME, VOLUME0 = PARAMETERS
VOLUMES = np.linspace(140.0, 330.0, 39)


def pressure(volume):
    return -elementwise_grad(murnaghan)(volume, *PARAMETERS)


def bulk_modulus(volume):
    return -volume * elementwise_grad(pressure)(volume)


def test_the_energy_at_the_minimum_is_energy0():
    assert np.isclose(murnaghan(VOLUME0, *PARAMETERS), ENERGY0, rtol=1e-15)


def test_the_pressure_at_the_minimum_is_zero():
    assert abs(pressure(VOLUME0)) < 1e-17


def test_the_curvature_at_the_minimum_is_the_bulk_modulus():
    assert np.isclose(bulk_modulus(VOLUME0), BULK_MODULUS, rtol=1e-13)


def test_the_bulk_modulus_is_linear_in_the_pressure():
    """Murnaghan's assumption, at every volume."""
    assert np.allclose(bulk_modulus(VOLUMES), BULK_MODULUS + PRIME * pressure(VOLUMES), rtol=0, atol=1e-14)


def test_the_pressure_has_its_closed_form():
    closed = BULK_MODULUS / PRIME * ((VOLUME0 / VOLUMES) ** PRIME - 1)
    assert np.allclose(pressure(VOLUMES), closed, rtol=0, atol=1e-15)


def test_ase_has_the_same_energies():
    assert np.allclose(murnaghan(VOLUMES, *PARAMETERS), ase.eos.murnaghan(VOLUMES, *PARAMETERS), rtol=1e-14)


def test_ase_has_the_same_gigapascal():
    assert np.isclose(GPA, ase.units.Hartree / ase.units.Bohr**3 / ase.units.GPa, rtol=1e-7)
    assert np.isclose(GPA, 29421.0157, rtol=0, atol=1e-4)
