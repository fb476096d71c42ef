"""Energies and forces of many structures, from one machine or many."""

import multiprocessing
import pickle
import threading
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from functools import partial

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms, Hookean

from faulty_calculators import Dies, Exits, Interrupted, Raises, Returns
from helpers.descriptors import random_cluster
from helpers.labels import LabelError, label

METHODS = multiprocessing.get_all_start_methods()
SIZES = (2, 4, 3, 5, 2, 13)  # the calculators of faulty_calculators fail at three atoms
CLUSTERS = [random_cluster("Cu", size, np.random.default_rng(size)) for size in SIZES]
EXPECTED = label(CLUSTERS, EMT)

# Python 3.12 and later warn of `fork` where there are threads, such as those of BLAS.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")


def same(labelled, expected):
    """The same structures in the same order, with the same bits in their labels."""
    return len(labelled) == len(expected) and all(
        found == wanted
        and found.get_potential_energy() == wanted.get_potential_energy()
        and np.array_equal(found.get_forces(), wanted.get_forces())
        for found, wanted in zip(labelled, expected, strict=True)
    )


@pytest.fixture(scope="module", params=METHODS)
def processes(request):
    """Processes started by each of the methods. A new interpreter takes seconds of imports."""
    number = 2 if request.param == "fork" else 1
    with ProcessPoolExecutor(number, multiprocessing.get_context(request.param)) as executor:
        yield executor


def test_labels_are_those_of_the_calculator():
    for structure, found in zip(CLUSTERS, EXPECTED, strict=True):
        structure = structure.copy()
        structure.calc = EMT()
        assert found.get_potential_energy() == structure.get_potential_energy()
        assert np.array_equal(found.get_forces(), structure.get_forces())


def test_processes_give_the_same_bits_as_map(processes):
    assert same(label(CLUSTERS, EMT, processes.map), EXPECTED)
    assert same(label(CLUSTERS, EMT, processes.map, chunk=4), EXPECTED)


def test_threads_give_the_same_bits_as_map():
    with ThreadPoolExecutor(3) as executor:
        assert same(label(CLUSTERS, EMT, executor.map), EXPECTED)


def test_answers_of_a_pool_may_arrive_in_any_order():
    with multiprocessing.get_context(METHODS[0]).Pool(2) as pool:
        assert same(label(CLUSTERS, EMT, pool.imap_unordered), EXPECTED)
        assert same(label(CLUSTERS, EMT, pool.map, chunk=2), EXPECTED)


def backwards(function, tasks):
    return [function(task) for task in reversed(tasks)]


@pytest.mark.parametrize("chunk", [1, 2, 4, 100])
def test_the_order_is_that_of_the_structures(chunk):
    assert same(label(iter(CLUSTERS), EMT, backwards, chunk=chunk), EXPECTED)


def test_one_calculator_serves_a_chunk():
    made = []

    def make_calculator():
        made.append(EMT())
        return made[-1]

    label(CLUSTERS, make_calculator, chunk=4)
    assert len(made) == 2


def test_a_calculator_that_has_failed_is_not_used_again():
    made = []

    def make_calculator():
        made.append(Raises())
        return made[-1]

    with pytest.raises(LabelError):
        label(CLUSTERS, make_calculator, chunk=6)
    assert len(made) == 2


def test_no_structures_have_no_labels():
    assert label([], EMT) == []


def test_everything_but_the_label_is_kept():
    crystal = bulk("Cu", cubic=True)
    crystal.rattle(0.1, seed=0)
    crystal.info["from"] = "a test"
    crystal.set_array("site", np.arange(4))
    crystal.set_initial_magnetic_moments([1, 0, 0, 0])
    crystal.set_constraint(FixAtoms([0]))
    crystal.calc = LennardJones()
    before = crystal.copy()
    (found,) = label([crystal], EMT)
    for atoms in (found, crystal):
        assert atoms == before
        assert np.array_equal(atoms.cell, before.cell)
        assert np.array_equal(atoms.pbc, before.pbc)
        assert atoms.info == before.info
        assert np.array_equal(atoms.get_array("site"), np.arange(4))
        assert np.array_equal(atoms.get_initial_magnetic_moments(), [1, 0, 0, 0])
        assert atoms.constraints[0].index.tolist() == [0]
    assert isinstance(crystal.calc, LennardJones)
    found.positions[0] += 1
    assert crystal == before


def test_labels_are_without_constraints():
    free = CLUSTERS[1]
    fixed = free.copy()
    fixed.set_constraint([FixAtoms([0]), Hookean(1, 2, k=10.0, rt=0.5)])
    (found,) = label([fixed], EMT)
    assert found.get_potential_energy(apply_constraint=False) == EXPECTED[1].get_potential_energy()
    assert np.array_equal(found.get_forces(apply_constraint=False), EXPECTED[1].get_forces())
    assert not np.array_equal(found.get_forces(), EXPECTED[1].get_forces())


def test_report_counts_up_to_all_structures():
    reports = []
    label(CLUSTERS, EMT, chunk=4, report=lambda *counts: reports.append(counts))
    assert reports == [(4, 6), (6, 6)]


@pytest.mark.parametrize("chunk", [1, 6])
@pytest.mark.parametrize(
    ("make_calculator", "reason"),
    [
        (Raises, "ValueError: three atoms are too many"),
        (Exits, "SystemExit: out of disk space"),
    ],
)
def test_a_failure_names_its_structure_and_keeps_the_other_labels(make_calculator, reason, chunk):
    with pytest.raises(LabelError, match=rf"structure 2 \(Cu3\): {reason}; 5 of 6") as caught:
        label(CLUSTERS, make_calculator, chunk=chunk)
    assert caught.value.problems == {2: reason}
    labelled = caught.value.labelled
    assert labelled.pop(2) is None
    assert same(labelled, EXPECTED[:2] + EXPECTED[3:])


def test_failures_are_counted_in_the_message():
    with pytest.raises(LabelError, match=r"structure 1 \(Cu3\), and 1 more: ValueError: three"):
        label([CLUSTERS[0], CLUSTERS[2], CLUSTERS[2]], Raises)


def test_failures_in_processes_are_reported_like_those_of_map(processes):
    with pytest.raises(LabelError) as caught:
        label(CLUSTERS, Raises, processes.map)
    assert caught.value.problems == {2: "ValueError: three atoms are too many"}


def test_labels_survive_a_calculator_that_kills_its_process():
    """With one worker: what came before the crash is labelled, and the rest can be labelled."""
    with ProcessPoolExecutor(1) as executor, pytest.raises(LabelError) as caught:
        label(CLUSTERS, Dies, executor.map)
    labelled = caught.value.labelled
    problems = caught.value.problems
    assert "structure 2 (Cu3), and 3 more: BrokenProcessPool" in str(caught.value)
    assert "the calculator may have ended its process" in problems[2]
    assert same(labelled[:2], EXPECTED[:2])
    assert labelled[2:] == 4 * [None]
    assert list(problems) == [2, 3, 4, 5]
    rest = label([CLUSTERS[i] for i in problems], EMT)
    assert same(labelled[:2] + rest, EXPECTED)


class Breaking(Executor):
    """An executor that works here, and takes no more tasks than it has to take."""

    def __init__(self, n_tasks, error):
        self.n_tasks = n_tasks
        self.error = error

    def submit(self, function, task):
        if self.n_tasks == 0:
            raise self.error
        self.n_tasks -= 1
        future = Future()
        future.set_result(function(task))
        return future


@pytest.mark.parametrize(
    "error",
    [BrokenExecutor("a worker died"), RuntimeError("cannot schedule new futures after shutdown")],
)
def test_labels_survive_an_executor_that_breaks_at_a_submission(error):
    with pytest.raises(LabelError, match=f"{type(error).__name__}: {error}") as caught:
        label(CLUSTERS, EMT, Breaking(4, error).map)
    assert same(caught.value.labelled[:4], EXPECTED[:4])
    assert list(caught.value.problems) == [4, 5]


class Cancelling(Executor):
    """An executor that another thread shuts down: it cancels each second task."""

    def __init__(self):
        self.n_tasks = 0

    def submit(self, function, task):
        self.n_tasks += 1
        future = Future()
        if self.n_tasks % 2:
            future.set_result(function(task))
        else:
            future.cancel()
            future.set_running_or_notify_cancel()
        return future


def test_labels_survive_cancelled_tasks():
    with pytest.raises(LabelError, match="CancelledError") as caught:
        label(CLUSTERS, EMT, Cancelling().map)
    assert same(caught.value.labelled[::2], EXPECTED[::2])
    assert caught.value.problems == dict.fromkeys([1, 3, 5], "CancelledError")


def test_labels_survive_an_interruption():
    with pytest.raises(
        LabelError, match=r"structure 2 \(Cu3\), and 3 more: .* KeyboardI"
    ) as caught:
        label(CLUSTERS, Interrupted)
    assert isinstance(caught.value.__cause__, KeyboardInterrupt)
    assert same(caught.value.labelled[:2], EXPECTED[:2])
    assert caught.value.problems == dict.fromkeys(
        range(2, 6), "the calculation ended with KeyboardInterrupt"
    )


def stop(done, total):
    if done >= 3:
        raise KeyboardInterrupt


def test_an_interruption_cancels_what_has_not_begun():
    """The only thread waits for the end of `label`, so that no further task can begin."""
    gate = threading.Event()
    calls = []

    def make_calculator():
        if len(calls) == 3:
            gate.wait(60)
        calls.append(1)
        return EMT()

    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(LabelError, match="ended with KeyboardInterrupt") as caught:
            label(CLUSTERS, make_calculator, executor.map, report=stop)
        gate.set()
    assert same(caught.value.labelled[:3], EXPECTED[:3])
    assert caught.value.labelled[3:] == 3 * [None]
    assert len(calls) == 4  # the fourth had begun


def test_a_failing_report_loses_no_label():
    def report(done, total):
        if done == total:
            raise OSError("no space for the log")

    with pytest.raises(
        LabelError, match=r"ended with OSError: no space for the log; 6 of 6 structures"
    ) as caught:
        label(CLUSTERS, EMT, report=report)
    assert same(caught.value.labelled, EXPECTED)
    assert caught.value.problems == {}


def first_only(function, tasks):
    return [function(tasks[0])]


def test_workers_that_forget_structures_are_noticed():
    with pytest.raises(LabelError, match=r"structure 1 \(Cu4\), and 4 more: it was not calc"):
        label(CLUSTERS, EMT, first_only)


@pytest.mark.parametrize(
    ("energy", "forces", "message"),
    [
        (np.nan, np.zeros((2, 3)), "an energy or a force that is not finite"),
        (0.0, np.full((2, 3), np.inf), "an energy or a force that is not finite"),
        (0.0, np.zeros((3, 3)), r"forces of the shape \(3, 3\)"),
        (None, np.zeros((2, 3)), "TypeError"),
    ],
)
def test_impossible_labels_are_failures(energy, forces, message):
    with pytest.raises(LabelError, match=message):
        label(CLUSTERS[:1], partial(Returns, energy, forces))


def test_a_calculator_that_makes_no_sense_is_a_failure():
    with pytest.raises(LabelError, match="Atoms object has no calculator"):
        label(CLUSTERS[:1], lambda: None)


def test_processes_refuse_a_local_calculator_with_advice(processes):
    with pytest.raises(LabelError) as caught:
        label(CLUSTERS[:2], lambda: EMT(), processes.map)
    assert "make_calculator has to be importable: not a lambda" in str(caught.value)
    assert "0 of 2 structures are labelled" in str(caught.value)
    assert same(label(CLUSTERS[:2], EMT, processes.map), EXPECTED[:2])  # they still work


def test_label_errors_survive_pickling():
    error = LabelError("structure 0", [None], {0: "ValueError"})
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.labelled, again.problems) == (
        "structure 0",
        [None],
        {0: "ValueError"},
    )


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((CLUSTERS[0], EMT), {}, TypeError, r"single ase\.Atoms; give a list: \[atoms\]"),
        (([CLUSTERS[0], 1], EMT), {}, TypeError, r"structure 1 is of type int; give ase\.Atoms"),
        (([Atoms()], EMT), {}, ValueError, "structure 0 has no atoms"),
        ((CLUSTERS, EMT()), {}, TypeError, "make_calculator is .*EMT without parentheses"),
        ((CLUSTERS, EMT, 4), {}, TypeError, "workers is 4; give map or the map of an executor"),
        ((CLUSTERS, EMT), {"chunk": 0}, ValueError, "chunk is 0; give an integer, at least 1"),
        ((CLUSTERS, EMT), {"chunk": 2.0}, TypeError, r"chunk is 2\.0; give an integer"),
        ((CLUSTERS, EMT), {"report": True}, TypeError, "report is True; give a function of done"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments, options, error, message):
    with pytest.raises(error, match=message):
        label(*arguments, **options)
