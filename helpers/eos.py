"""Equations of state: the energy of a solid as a function of its volume.

Any consistent units: with volumes in bohr³ and energies in Ha, a bulk modulus is in Ha/bohr³.
"""

from scipy.constants import physical_constants

GPA = (  # GPa in one Ha/bohr³, CODATA
    physical_constants["Hartree energy"][0] / physical_constants["Bohr radius"][0] ** 3 / 1e9
)


def murnaghan(volume, energy0, bulk_modulus, bulk_modulus_prime, volume0):
    """Energy at `volume` of a solid whose bulk modulus grows linearly with the pressure.

    E = E0 + B0 V / B0' [(V0/V)^B0' / (B0' - 1) + 1] - V0 B0 / (B0' - 1)
    Source: Murnaghan, PNAS 30, 244 (1944), as in Fu & Ho, Phys. Rev. B 28, 5480 (1983).
    """
    excess = bulk_modulus_prime - 1.0
    compression = (volume0 / volume) ** bulk_modulus_prime
    return (
        energy0
        + bulk_modulus * volume / bulk_modulus_prime * (compression / excess + 1.0)
        - volume0 * bulk_modulus / excess
    )
