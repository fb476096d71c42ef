"""Calculators that fail at three atoms, importable by the worker processes of test_labels."""

import os
import sys

import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT


class Faulty(EMT):
    """Effective medium theory that fails at three atoms."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        if len(atoms) == 3:
            self.fail()
        super().calculate(atoms, properties, system_changes)


class Raises(Faulty):
    def fail(self):
        raise ValueError("three atoms are too many")


class Dies(Faulty):
    def fail(self):
        os._exit(1)  # like a segmentation fault


class Exits(Faulty):
    def fail(self):
        sys.exit("out of disk space")


class Interrupted(Faulty):
    def fail(self):
        raise KeyboardInterrupt  # as if a person had pressed Ctrl-C


class Returns(Calculator):
    """Returns the given energy and forces for every structure."""

    implemented_properties = ("energy", "forces")

    def __init__(self, energy, forces):
        super().__init__()
        self.given = {"energy": energy, "forces": np.array(forces)}

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results = dict(self.given)
