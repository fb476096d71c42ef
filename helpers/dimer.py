"""Energies and forces of two metal atoms in effective medium theory, and formulas for the energy.

Units: distances in Å, energies in eV, forces in eV/Å.
"""

import autograd.numpy as np
from ase import Atoms
from ase.calculators.emt import EMT

from helpers.validation import finite_array

METALS = ("Al", "Cu", "Ag", "Au", "Ni", "Pd", "Pt")  # ASE has H, C, N and O only as a demonstration
DISSOCIATION_DISTANCE = 10.0  # Å, beyond the EMT cutoff, where the energy no longer changes
MIN_DISTANCE = 0.01  # Å
MAX_DISTANCE = 1e6  # Å


def binding_energies(distances, element="Cu"):
    """Energies (n,) of the dimer at `distances` (n,), relative to the separated atoms."""
    energies = total_energies(distances, element)
    return energies - total_energies([DISSOCIATION_DISTANCE], element)


def total_energies(distances, element="Cu"):
    """Energies (n,) of the dimer at `distances` (n,), calculated by ASE's EMT.

    Source: Jacobsen, Stoltze & Nørskov, Surf. Sci. 366, 394 (1996).
    """
    return np.array([atoms.get_potential_energy() for atoms in _dimers(distances, element)])


def forces(distances, element="Cu"):
    """Forces (n,) on the second atom at `distances` (n,), positive away from the first atom."""
    return np.array([atoms.get_forces()[1, 0] for atoms in _dimers(distances, element)])


def buckingham(distance, amplitude, decay, dispersion):
    """Energy A exp(-B r) - C / r⁶ at `distance` r.

    Source: Buckingham, Proc. R. Soc. A 168, 264 (1938).
    """
    return amplitude * np.exp(-decay * distance) - dispersion / distance**6


def morse(distance, depth, steepness, equilibrium):
    """Energy D [(1 - exp(-a (r - r0)))² - 1] at `distance` r.

    Source: Morse, Phys. Rev. 34, 57 (1929).
    """
    decay = np.exp(-steepness * (distance - equilibrium))
    return depth * ((1 - decay) ** 2 - 1)


def rose(distance, depth, steepness, equilibrium):
    """Energy -D (1 + s) exp(-s) at `distance` r, where s = a (r - r0).

    With the cube root of a volume in the place of r, this is Vinet's equation of state.
    Source: Rose, Ferrante & Smith, Phys. Rev. Lett. 47, 675 (1981).
    """
    stretch = steepness * (distance - equilibrium)
    return -depth * (1 + stretch) * np.exp(-stretch)


def _dimers(distances, element):
    """Yield one Atoms object of two atoms, moved to each of `distances` (n,) in turn."""
    if not isinstance(element, str):
        raise TypeError(f"element is {element!r}; give one of {', '.join(METALS)}")
    if element not in METALS:
        raise ValueError(f"EMT has no parameters for {element!r}; give one of {', '.join(METALS)}")
    distances = finite_array("distances", distances, (1,))
    for distance in distances:
        if not MIN_DISTANCE < distance < MAX_DISTANCE:
            raise ValueError(
                f"distances: {distance} Å is not a distance between two atoms; "
                f"give lengths between {MIN_DISTANCE} and {MAX_DISTANCE:g} Å"
            )
    atoms = Atoms([element, element], calculator=EMT())  # both at the origin
    for distance in distances:
        atoms.positions[1, 0] = distance
        yield atoms
