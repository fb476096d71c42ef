"""Energies and forces of many structures, from any ASE calculator, on one machine or many.

`workers` is the built-in `map` or anything that is called like it, SciPy's convention: the `map` of
an executor of `concurrent.futures`, of Dask or of MPI. Prefer these to the `map` of a
`multiprocessing.Pool`, which waits forever for a worker that has died.
"""

from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from functools import partial

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

from helpers.descriptors import check_structures
from helpers.validation import check_integer


class LabelError(RuntimeError):
    """Some structures have no label. What was calculated is in `labelled`.

    `labelled` is the list that `label` would have returned, with None for each structure without a
    label; `problems` is a dict from the indices of these structures to what went wrong.
    """

    def __init__(self, message, labelled, problems):
        super().__init__(message, labelled, problems)
        self.labelled = labelled
        self.problems = problems

    def __str__(self):
        return self.args[0]


def label(structures, make_calculator, workers=map, chunk=1, report=None):
    """Copies of `structures` (`ase.Atoms`) that hold their energies (eV) and forces (eV/Å).

    `make_calculator()` returns an ASE calculator; it is called once for each `chunk` of structures,
    where they are calculated. For other processes or machines it has to be importable there, such
    as the class `ase.calculators.emt.EMT` or a function in a module of your own. Each worker gets
    `chunk` structures at a time: more than one pays off if a label takes less than some 10 ms.
    `report(done, total)` is called as the labels arrive. The result doesn't depend on `workers`.

    The structures themselves are not changed. The copies keep their constraints, but the labels are
    without them: these are the energies and forces that a potential learns.

    A structure that can't be calculated doesn't stop the others, and neither does a worker of an
    executor that dies. LabelError is raised at the end, or at once by Ctrl-C; it names the
    structures without a label and holds the labels of all others.
    """
    structures = check_structures(structures)
    chunk = check_integer("chunk", chunk)
    if not callable(make_calculator):
        raise TypeError(
            f"make_calculator is {make_calculator!r}; give a class or a function that returns a "
            "calculator, such as ase.calculators.emt.EMT without parentheses"
        )
    if not callable(workers):
        raise TypeError(
            f"workers is {workers!r}; give map or the map of an executor, such as "
            "ProcessPoolExecutor(4).map"
        )
    if report is not None and not callable(report):
        raise TypeError(f"report is {report!r}; give a function of done and total")
    tasks = []
    for begin in range(0, len(structures), chunk):
        bare = [structure.copy() for structure in structures[begin : begin + chunk]]
        tasks.append((begin, bare))
    labelled = [None] * len(structures)
    problems = {}
    missing = "it was not calculated"
    failure = None
    done = 0
    try:
        for begin, answers in _answers(partial(_calculate, make_calculator), tasks, workers):
            for i, (energy, forces, problem) in enumerate(answers, begin):
                if problem:
                    problems[i] = problem
                else:
                    labelled[i] = _with_label(structures[i], energy, forces)
            done += len(answers)
            if report:
                report(done, len(structures))
    except (Exception, KeyboardInterrupt) as error:  # of a worker, of `report`, or of a person
        failure = error
        missing = f"the calculation ended with {_describe(error)}"
    problems = {i: problems.get(i, missing) for i, found in enumerate(labelled) if found is None}
    if problems or failure:
        raise LabelError(_message(structures, problems, missing), labelled, problems) from failure
    return labelled


def _answers(function, tasks, workers):
    """Results of `function` as they arrive, in any order, from all workers that don't fail."""
    executor = getattr(workers, "__self__", None)
    if not isinstance(executor, Executor):
        yield from workers(function, tasks)
        return
    # The iterator of its `map` would end at the first failure, and lose what was calculated after.
    futures = {}
    try:
        for task in tasks:
            futures[_submit(executor, function, task)] = task
        for future in as_completed(futures):
            begin, structures = futures[future]
            try:
                yield future.result()
            except (Exception, SystemExit) as error:
                yield begin, [(None, None, _describe(error))] * len(structures)
    finally:
        for future in futures:
            future.cancel()


def _submit(executor, function, task):
    """The future of a task. It holds the exception of an executor that takes no more tasks."""
    try:
        return executor.submit(function, task)
    except RuntimeError as error:  # a worker died while others have finished their tasks
        future = Future()
        future.set_exception(error)
        return future


def _calculate(make_calculator, task):
    """Energies, forces and problems of the structures of a task; this runs in the workers."""
    begin, structures = task
    calculator = None
    answers = []
    for structure in structures:
        try:
            if calculator is None:
                calculator = make_calculator()
            structure.calc = calculator
            energy = float(structure.get_potential_energy(apply_constraint=False))
            forces = np.array(structure.get_forces(apply_constraint=False), dtype=float)
            if forces.shape != (len(structure), 3):
                raise ValueError(f"the calculator returned forces of the shape {forces.shape}")
            if not (np.isfinite(energy) and np.all(np.isfinite(forces))):
                raise ValueError("the calculator returned an energy or a force that is not finite")
            answers.append((energy, forces, None))
        except (Exception, SystemExit) as error:
            answers.append((None, None, _describe(error)))
            calculator = None  # it may be in any state
    return begin, answers


def _with_label(structure, energy, forces):
    labelled = structure.copy()
    labelled.calc = SinglePointCalculator(labelled, energy=energy, forces=forces)
    return labelled


def _describe(error):
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    if isinstance(error, BrokenExecutor):
        return (
            f"{text} (the calculator may have ended its process, or the process can't import "
            "make_calculator)"
        )
    if "pickle" in text:
        return f"{text} (make_calculator has to be importable: not a lambda or a local function)"
    return text


def _message(structures, problems, missing):
    n_labelled = len(structures) - len(problems)
    rest = f"{n_labelled} of {len(structures)} structures are labelled, in .labelled"
    if not problems:
        return f"{missing}; {rest}"
    first, problem = next(iter(problems.items()))
    others = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    formula = structures[first].get_chemical_formula()
    return f"structure {first} ({formula}){others}: {problem}; {rest}"
