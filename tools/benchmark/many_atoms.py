"""The potential of copper and a Gaussian approximation potential from the same data, and labels.

Both are trained on the energies and forces of 40 random clusters of 2 to 5 atoms, by effective
medium theory, and tested on 80 others and on 20 of 13 atoms. GAP (`gap_fit` of quippy-ase) has a
term for pairs and SOAP descriptors with the settings that gave the smallest errors of those tried;
it can describe directional bonds, which these data don't have. The ratio is the other time divided
by ours. Labels are calculated by the built-in map and by two workers; their start is not counted.
"""

import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import write
from distributed import Client, LocalCluster
from quippy.potential import Potential as GAP

from helpers.calculator import PotentialCalculator
from helpers.descriptors import radial_sums, random_cluster
from helpers.labels import label
from helpers.potential import train_potential
from timing import compare

GAP_TERMS = (
    "{distance_2b cutoff=5.9 covariance_type=ard_se delta=2.0 theta_uniform=0.7 n_sparse=40 "
    "sparse_method=uniform add_species=T : "
    "soap l_max=2 n_max=12 atom_sigma=0.7 cutoff=5.9 cutoff_transition_width=1.0 delta=0.5 "
    "n_sparse=140 covariance_type=dot_product zeta=4 sparse_method=cur_points add_species=T}"
)
BOX = 40.0  # Å, around each cluster: GAP wants a cell


class SlowEMT(EMT):
    """Effective medium theory that takes 0.1 s more for each label."""

    def calculate(self, atoms=None, *args):
        time.sleep(0.1)
        super().calculate(atoms, *args)


def clusters(sizes, seed):
    rng = np.random.default_rng(seed)
    return label([random_cluster("Cu", size, rng) for size in sizes], EMT)


def atom_energy():
    (atom,) = label([Atoms("Cu")], EMT)
    return atom.get_potential_energy()


def with_helper(seed):
    structures = clusters(np.resize([2, 3, 4, 5], 40), seed)
    rng = np.random.default_rng(seed)
    potential = train_potential(structures, radial_sums("Cu"), rng, atom_energy=atom_energy())
    return PotentialCalculator(potential)


def with_gap(seed):
    in_boxes = []
    for cluster in clusters(np.resize([2, 3, 4, 5], 40), seed):
        boxed = Atoms(cluster.symbols, cluster.positions, cell=[BOX, BOX, BOX])
        boxed.info["e"] = cluster.get_potential_energy()
        boxed.arrays["f"] = cluster.get_forces()
        in_boxes.append(boxed)
    with TemporaryDirectory() as folder:
        write(f"{folder}/train.xyz", in_boxes)
        command = [
            Path(sys.executable).with_name("gap_fit"),
            f"at_file={folder}/train.xyz",
            f"gap={GAP_TERMS}",
            "default_sigma={0.001 0.01 0 0}",
            f"e0={{Cu:{atom_energy()!r}}}",
            "energy_parameter_name=e",
            "force_parameter_name=f",
            f"gp_file={folder}/gap.xml",
            "do_copy_at_file=F",
            "sparse_separate_file=F",
        ]
        subprocess.run(command, check=True, capture_output=True)
        return GAP(param_filename=f"{folder}/gap.xml")


def errors(calculator, structures):
    """Root mean square errors in meV/atom and meV/Å."""
    energy_errors = []
    force_errors = []
    for structure in structures:
        atoms = Atoms(structure.symbols, structure.positions, cell=[BOX, BOX, BOX])
        atoms.calc = calculator
        difference = atoms.get_potential_energy() - structure.get_potential_energy()
        energy_errors.append(difference / len(atoms))
        force_errors.append((atoms.get_forces() - structure.get_forces()).ravel())
    return tuple(
        1000 * np.sqrt(np.mean(found**2))
        for found in (np.array(energy_errors), np.concatenate(force_errors))
    )


def training():
    small = clusters(np.resize([2, 3, 4, 5], 80), 100)
    large = clusters([13] * 20, 101)

    def describe(calculators):
        found = [np.median([errors(c, s) for c in calculators], axis=0) for s in (small, large)]
        return "; ".join(
            f"{name}: {energy:.2g} meV/atom, {force:.2g} meV/Å"
            for name, (energy, force) in zip(("2 to 5", "13"), found, strict=True)
        )

    def median_errors(calculators):
        return np.median([errors(c, small) for c in calculators], axis=0)

    condition = (
        "< 1 meV/atom, < 30 meV/Å, smaller errors",
        lambda ours, theirs: (
            np.all(median_errors(ours) < [1, 30])
            and np.all(median_errors(ours) < median_errors(theirs))
        ),
    )
    peers = {"GAP: pairs and SOAP": (with_gap, "≥ 1")}
    yield from compare(
        "potential of Cu, 40 clusters", range(6), with_helper, peers, describe, condition
    )


def evaluation():
    calculator = with_helper(0)

    def forces(calculator, structure):
        atoms = structure.copy()
        calculator.reset()  # it would return what it has calculated for the same atoms before
        atoms.calc = calculator
        return atoms.get_forces()

    ours, emt = partial(forces, calculator), partial(forces, EMT())
    yield from compare(
        "energy and forces, 13 atoms",
        clusters([13] * 21, 0),
        ours,
        {"EMT": (emt, None), "GAP: pairs and SOAP": (partial(forces, with_gap(0)), None)},
    )
    crystals = [bulk("Cu", cubic=True) * (n, n, n) for n in (3, 6, 14)]
    for crystal, larger in zip(crystals, [*crystals[1:], None], strict=True):
        peers = {"EMT": (emt, None)}
        if larger is not None:
            limit = 1.5 * len(larger) / len(crystal)
            peers[f"the same, {len(larger)} atoms"] = (
                lambda _, larger=larger: ours(larger),
                f"≤ {limit:.3g}",
            )
        yield from compare(f"energy and forces, {len(crystal)} atoms", [crystal] * 3, ours, peers)


def labelling():
    cases = {
        "400 labels of Cu13": (clusters([13] * 400, 0), EMT, 20),
        "40 labels of Cu13, 0.1 s each": (clusters([13] * 40, 0), SlowEMT, 1),
    }
    with ExitStack() as stack:
        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
        cluster = stack.enter_context(LocalCluster(**options))
        executors = {
            f"two processes, {method}": stack.enter_context(
                ProcessPoolExecutor(2, mp_context=get_context(method))
            )
            for method in ("spawn", "forkserver")
        }
        executors["Dask, two workers"] = stack.enter_context(Client(cluster)).get_executor()
        for executor in executors.values():
            label(clusters([2] * 4, 0), EMT, executor.map)  # the workers import what they need
        for task, (structures, make_calculator, chunk) in cases.items():
            by_map = partial(label, make_calculator=make_calculator)
            peers = {
                f"{name}, {chunk} at a time": (partial(by_map, workers=e.map, chunk=chunk), None)
                for name, e in executors.items()
            }
            yield from compare(task, [structures] * 3, by_map, peers)


def rows():
    yield from training()
    yield from evaluation()
    yield from labelling()
