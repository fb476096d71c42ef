"""Energies and forces of two metal atoms in effective medium theory, and forms for them. Units: Å, eV, eV/Å."""

import autograd.numpy as np
from ase import Atoms
from ase.calculators.emt import EMT

from helpers.validation import finite_array

METALS = (
    "Al",
    "Cu",
    "Ag",
    "Au",
    "Ni",
    "Pd",
    "Pt",
)  # ASE's EMT has H, C, N and O as well, but only for play
DISSOCIATION_DISTANCE = 10.0  # Å, past the cutoff, where the energy no longer changes


def binding_energies(distances, element="Cu"):
    """Energies (n,) in eV of the dimer at `distances` (n,) in Å, zero where the atoms are separated."""
    return total_energies(distances, element) - total_energies([DISSOCIATION_DISTANCE], element)


def total_energies(distances, element="Cu"):
    """Energies (n,) in eV of the dimer at `distances` (n,) in Å, as ASE's EMT has them.

    Source: Jacobsen, Stoltze & Nørskov, Surf. Sci. 366, 394 (1996).
    """
    return np.array([atoms.get_potential_energy() for atoms in _dimers(distances, element)])


def forces(distances, element="Cu"):
    """Forces -dE/dd (n,) in eV/Å on the second atom, away from the first, at `distances` (n,) in Å."""
    return np.array([atoms.get_forces()[1, 0] for atoms in _dimers(distances, element)])


def buckingham(distance, amplitude, decay, dispersion):
    """Energy A exp(-B r) - C / r⁶ at `distance` r. Source: Buckingham, Proc. R. Soc. A 168, 264 (1938)."""
    return amplitude * np.exp(-decay * distance) - dispersion / distance**6


def morse(distance, depth, steepness, equilibrium):
    """Energy D [(1 - exp(-a (r - r0)))² - 1] at `distance` r. Source: Morse, Phys. Rev. 34, 57 (1929)."""
    return depth * ((1 - np.exp(-steepness * (distance - equilibrium))) ** 2 - 1)


def rose(distance, depth, steepness, equilibrium):
    """Energy -D (1 + s) exp(-s), s = a (r - r0), at `distance` r.

    With r the cube root of a volume it is the binding curve that Vinet's equation of state follows.
    Source: Rose, Ferrante & Smith, Phys. Rev. Lett. 47, 675 (1981).
    """
    stretch = steepness * (distance - equilibrium)
    return -depth * (1 + stretch) * np.exp(-stretch)


def _dimers(distances, element):
    """One Atoms object of two atoms, moved to each of `distances` in turn, where these are possible."""
    if element not in METALS:
        raise ValueError(f"EMT has no parameters for {element!r}; give one of {', '.join(METALS)}")
    distances = finite_array("distances", distances, (1,))
    if impossible := [float(distance) for distance in distances if not 0.01 < distance < 1e6]:
        raise ValueError(
            f"distances: {impossible[0]} is none between two atoms; give lengths in Å, from 0.01 to 1e6"
        )
    atoms = Atoms([element, element], positions=np.zeros((2, 3)), calculator=EMT())
    for distance in distances:
        atoms.positions[1, 0] = distance
        yield atoms
