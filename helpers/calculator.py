"""A trained potential as an ordinary calculator of ASE: `atoms.calc = PotentialCalculator(p)`."""

from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.stress import full_3x3_to_voigt_6_stress


class PotentialCalculator(Calculator):
    """Energies (eV), forces (eV/Å) and, of a cell, the stress (eV/Å³) from a `Potential`.

    It works for isolated and for periodic structures of the potential's element, in relaxations,
    vibrations, molecular dynamics and wherever else ASE takes a calculator. `kwargs` are those of
    ASE's `Calculator`. A structure whose cell has no volume has no stress.
    """

    implemented_properties = ("energy", "free_energy", "energies", "forces", "stress")

    def __init__(self, potential, **kwargs):
        if not callable(potential):
            raise TypeError(f"potential is {potential!r}; give a Potential, as training returns it")
        super().__init__(**kwargs)
        self.potential = potential

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        """Fill `results`; called by ASE. ValueError for atoms of another element."""
        super().calculate(atoms, properties, system_changes)
        found = self.potential(self.atoms)
        self.results = {
            "energy": found.energy,
            "free_energy": found.energy,  # there are no electrons, hence no electronic entropy
            "energies": found.energies,
            "forces": found.forces,
        }
        if self.atoms.cell.rank == 3:
            stress = found.virial / self.atoms.get_volume()
            self.results["stress"] = full_3x3_to_voigt_6_stress(stress)
        elif "stress" in properties:
            raise PropertyNotImplementedError("the structure has no volume; give it a cell")
