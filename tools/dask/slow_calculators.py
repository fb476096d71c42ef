"""Calculators that misbehave; the workers of the cluster import them."""

import os
import time
from pathlib import Path

from ase.calculators.emt import EMT


class SlowEMT(EMT):
    """Effective medium theory that takes 0.1 s more for each label."""

    def calculate(self, atoms=None, *args):
        time.sleep(0.1)
        super().calculate(atoms, *args)


class FatalEMT(SlowEMT):
    """Kills its worker at the first structure with `info["kills"]`, a file to be made."""

    def calculate(self, atoms=None, *args):
        marker = Path(atoms.info.get("kills", os.devnull))
        if not marker.exists():
            marker.touch()
            os._exit(1)  # without a word, as a worker that has no more memory
        super().calculate(atoms, *args)


class FailingEMT(EMT):
    """Raises an error for atoms with `info["fails"]`."""

    def calculate(self, atoms=None, *args):
        if atoms.info.get("fails"):
            raise RuntimeError("the electronic structure did not converge")
        super().calculate(atoms, *args)
