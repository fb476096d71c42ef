"""Labels and trainings on a real Dask cluster of two workers: `make dask`."""

import re
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.emt import EMT
from distributed import Client, LocalCluster
from slow_calculators import FailingEMT, FatalEMT, SlowEMT

from helpers.descriptors import radial_sums, random_cluster
from helpers.labels import LabelError, label
from helpers.potential import train_ensemble


@pytest.fixture(scope="module")
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture
def clusters():
    rng = np.random.default_rng(0)
    return [random_cluster("Cu", 2 + i % 4, rng) for i in range(24)]


def bits(labelled):
    return [(atoms.get_potential_energy(), atoms.get_forces().tobytes()) for atoms in labelled]


@pytest.mark.parametrize("chunk", [1, 5])
def test_labels_have_the_same_bits_as_with_map(client, clusters, chunk):
    reports = []
    labelled = label(
        clusters,
        EMT,
        workers=client.get_executor().map,
        chunk=chunk,
        report=lambda *numbers: reports.append(numbers),
    )
    assert bits(labelled) == bits(label(clusters, EMT))
    assert reports[-1] == (24, 24)


def test_example_of_the_readme_runs(client, clusters):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    _, code = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names = {"label": label, "EMT": EMT, "structures": clusters}
    exec(code.replace("tcp://scheduler:8786", client.scheduler.address), names)
    names["client"].close()
    assert bits(names["labelled"]) == bits(label(clusters, EMT))


def test_a_failing_calculation_is_named(client, clusters):
    clusters[3].info["fails"] = True
    with pytest.raises(LabelError, match=r"structure 3 \(Cu5\): RuntimeError: the electronic"):
        label(clusters, FailingEMT, workers=client.get_executor().map)


def test_both_workers_share_the_labels(client, clusters):
    def executed():
        counts = client.run(lambda dask_worker: dask_worker.state.executed_count)
        return np.array([counts[worker] for worker in sorted(counts)])

    before = executed()
    label(clusters, SlowEMT, workers=client.get_executor().map)
    assert np.all(executed() > before)


def test_an_ensemble_has_the_same_bits_as_with_map(client, clusters):
    labelled = label(clusters, EMT)
    options = {"atom_energy": 3.5, "hidden": 3, "starts": 1}

    def train(workers):
        return train_ensemble(
            labelled, radial_sums("Cu"), np.random.default_rng(0), 3, workers=workers, **options
        )

    here = [potential.layer.tobytes() for potential in train(map)]
    assert [p.layer.tobytes() for p in train(client.get_executor().map)] == here
    assert len(set(here)) == 3


def test_a_killed_worker_loses_no_label(client, clusters, tmp_path):
    clusters[7].info["kills"] = str(tmp_path / "killed")
    workers = set(client.scheduler_info()["workers"])
    labelled = label(clusters, FatalEMT, workers=client.get_executor().map)
    assert (tmp_path / "killed").exists()
    assert set(client.scheduler_info()["workers"]) != workers
    assert bits(labelled) == bits(label(clusters, EMT))


def test_a_structure_that_kills_every_worker_is_named(client, clusters, tmp_path):
    clusters[7].info["kills"] = str(tmp_path / "missing" / "killed")  # can't be made: kills always
    with pytest.raises(LabelError, match=r"structure 7 \(Cu") as caught:
        label(clusters, FatalEMT, workers=client.get_executor().map)
    assert set(caught.value.problems) == {7}
    others = [atoms for i, atoms in enumerate(caught.value.labelled) if i != 7]
    assert bits(others) == bits(label(clusters[:7] + clusters[8:], EMT))
