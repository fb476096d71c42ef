"""Equations of state: the energy of a solid as a function of its volume.

Any consistent units: with volumes in bohr³ and energies in Ha, pressures and bulk moduli are in
Ha/bohr³, with Å³ and eV in eV/Å³. An equation is a function of (volume, energy0, bulk_modulus,
bulk_modulus_prime, volume0): the energy, the bulk modulus B0 and its derivative B0' with respect to
pressure are those at the volume V0 where the pressure is zero.
"""

from dataclasses import replace

import autograd.numpy as np
from autograd import elementwise_grad
from numpy.polynomial import Polynomial
from scipy.constants import angstrom, electron_volt, giga, physical_constants

from helpers.least_squares import fit
from helpers.validation import finite_array

HARTREE = physical_constants["Hartree energy"][0]  # J, CODATA
BOHR = physical_constants["Bohr radius"][0]  # m, CODATA
GPA_PER_HARTREE_BOHR3 = HARTREE / BOHR**3 / giga
GPA_PER_EV_ANGSTROM3 = electron_volt / angstrom**3 / giga


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


def birch_murnaghan(volume, energy0, bulk_modulus, bulk_modulus_prime, volume0):
    """Energy at `volume` of a solid whose energy is of third order in the Eulerian strain.

    E = E0 + 9 V0 B0 / 16 [(x - 1)³ B0' + (x - 1)² (6 - 4 x)], x = (V0/V)^(2/3)
    Source: Birch, Phys. Rev. 71, 809 (1947).
    """
    x = (volume0 / volume) ** (2 / 3)
    return energy0 + 9 / 16 * volume0 * bulk_modulus * (x - 1) ** 2 * (
        (x - 1) * bulk_modulus_prime + 6 - 4 * x
    )


def vinet(volume, energy0, bulk_modulus, bulk_modulus_prime, volume0):
    """Energy at `volume` of a solid with the universal binding curve of Rose, in V^(1/3).

    E = E0 + 4 V0 B0 / (B0' - 1)² [1 - (1 + y) exp(-y)],
    y = 3/2 (B0' - 1) ((V/V0)^(1/3) - 1)
    Source: Vinet, Rose, Ferrante & Smith, J. Phys.: Condens. Matter 1, 1941 (1989).
    """
    excess = bulk_modulus_prime - 1.0
    y = 3 / 2 * excess * ((volume / volume0) ** (1 / 3) - 1)
    return energy0 + 4 * volume0 * bulk_modulus / excess**2 * (1 - (1 + y) * np.exp(-y))


def poirier_tarantola(volume, energy0, bulk_modulus, bulk_modulus_prime, volume0):
    """Energy at `volume` of a solid whose energy is of third order in the logarithmic strain.

    E = E0 + V0 B0 / 6 (ln V0/V)² [3 + (B0' - 2) ln V0/V]
    Source: Poirier & Tarantola, Phys. Earth Planet. Inter. 109, 1 (1998).
    """
    strain = np.log(volume0 / volume)
    return energy0 + volume0 * bulk_modulus / 6 * strain**2 * (
        3 + (bulk_modulus_prime - 2) * strain
    )


def pressure(equation):
    """The function of (volume, *parameters) that returns the pressure, -dE/dV."""
    slope = elementwise_grad(equation)
    return lambda volume, *parameters: -slope(np.multiply(1.0, volume), *parameters)


def bulk_modulus(equation):
    """The function of (volume, *parameters) that returns the bulk modulus, -V dP/dV."""
    slope = elementwise_grad(pressure(equation))

    def modulus(volume, *parameters):
        volume = np.multiply(1.0, volume)
        return -volume * slope(volume, *parameters)

    return modulus


def fit_eos(equation, volumes, energies):
    """The `Fit` of `equation` to `energies` (n,) at `volumes` (n,), n ≥ 4; it finds its own guess.

    ValueError is raised where no minimum of the equation with a positive bulk modulus is found.
    The volume V0 may lie outside of `volumes`: then it is an extrapolation, as its error shows.
    """
    volumes = finite_array("volumes", volumes, (1,))
    energies = finite_array("energies", energies, (1,))
    if len(volumes) != len(energies) or len(volumes) < 4:
        raise ValueError(
            f"{len(volumes)} volumes and {len(energies)} energies; give one energy for each of 4 "
            "or more volumes"
        )
    if not np.all(volumes > 0) or np.ptp(volumes) == 0:
        raise ValueError("volumes: give positive volumes, not all the same")
    offset = energies.min()  # a large one would cost digits
    reason = "they are all the same" if np.ptp(energies) == 0 else "no curve with one fits them"
    for guess in _guesses(volumes, energies - offset) if np.ptp(energies) > 0 else ():
        try:
            found = fit(equation, volumes, energies - offset, guess)
        except (ValueError, RuntimeError):
            continue
        if found["bulk_modulus"].value > 0 and found["volume0"].value > 0:
            return _shifted(found, offset)
        reason = f"the best curve has bulk_modulus = {found['bulk_modulus'].value:.3g}"
    raise ValueError(
        f"energies: they have no minimum along the volumes for {equation.__name__} ({reason}); "
        "are the columns swapped, or the sign wrong?"
    )


def _guesses(volumes, energies):
    """Parameters to start from: a parabola in ln V, with 4 for B0', then the lowest energy."""
    with np.errstate(over="ignore"):
        parabola = Polynomial.fit(np.log(volumes), energies, 2)
        lowest = parabola.deriv().roots()[0]
        curvature = parabola.deriv(2)(lowest)
        guess = np.array([parabola(lowest), curvature / np.exp(lowest), 4.0, np.exp(lowest)])
    if curvature > 0 and np.all(np.isfinite(guess)) and guess[-1] > 0:
        yield guess
    strains = np.log(volumes / volumes[np.argmin(energies)])
    curvature = 2 * np.ptp(energies) / np.max(np.abs(strains)) ** 2
    for volume0 in (volumes[np.argmin(energies)], volumes.mean(), volumes.max(), volumes.min()):
        yield np.array([energies.min(), curvature / volume0, 4.0, volume0])


def _shifted(found, offset):
    """The same `Fit` for energies that are larger by `offset`, without its rounding."""
    parameters = found.parameters + offset * (np.arange(4) == 0)
    parameters.flags.writeable = False

    def model(volume, energy0, *others):
        return found.model(volume, energy0 - offset, *others)

    return replace(found, parameters=parameters, problem=replace(found.problem, model=model))
