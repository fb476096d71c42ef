"""Energies and forces of many structures, from any ASE calculator, on one machine or many.

`workers` is the built-in `map` or anything that is called like it, SciPy's convention: the `map` of
an executor of `concurrent.futures`, of Dask or of MPI.
"""

from concurrent.futures import Executor, as_completed
from functools import partial

import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

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

    A structure that can't be calculated doesn't stop the others. LabelError is raised at the end;
    it names the structures without a label and holds the labels of all others.
    """
    structures = list(structures)
    chunk = check_integer("chunk", chunk)
    tasks = []
    for begin in range(0, len(structures), chunk):
        bare = [structure.copy() for structure in structures[begin : begin + chunk]]
        tasks.append((begin, bare))
    labelled = [None] * len(structures)
    problems = dict.fromkeys(range(len(structures)), "it was not calculated")
    done = 0
    try:
        for begin, answers in _answers(partial(_calculate, make_calculator), tasks, workers):
            for i, (energy, forces, problem) in enumerate(answers, begin):
                if problem:
                    problems[i] = problem
                else:
                    labelled[i] = _with_label(structures[i], energy, forces)
                    del problems[i]
            done += len(answers)
            if report:
                report(done, len(structures))
    except (Exception, KeyboardInterrupt) as error:  # of a worker, or of a person
        reason = f"the calculation ended with {_describe(error)}"
        problems = {
            i: problem.replace("it was not calculated", reason) for i, problem in problems.items()
        }
        raise LabelError(_message(structures, problems), labelled, problems) from error
    if problems:
        raise LabelError(_message(structures, problems), labelled, problems)
    return labelled


def _answers(function, tasks, workers):
    """Results of `function` as they arrive, in any order, from all workers that don't fail."""
    executor = getattr(workers, "__self__", None)
    if not isinstance(executor, Executor):
        yield from workers(function, tasks)
        return
    # The iterator of its `map` would end at the first failure, and lose what was calculated after.
    futures = {executor.submit(function, task): task for task in tasks}
    try:
        for future in as_completed(futures):
            if error := future.exception():
                begin, structures = futures[future]
                yield begin, [(None, None, _describe(error))] * len(structures)
            else:
                yield future.result()
    finally:
        for future in futures:
            future.cancel()


def _calculate(make_calculator, task):
    """Energies, forces and problems of the structures of a task; this runs in the workers."""
    begin, structures = task
    calculator = None
    answers = []
    for structure in structures:
        try:
            calculator = calculator or make_calculator()
            structure.calc = calculator
            energy = float(structure.get_potential_energy())
            forces = np.array(structure.get_forces(), dtype=float)
            if not (np.isfinite(energy) and np.all(np.isfinite(forces))):
                raise ValueError("the calculator returned an energy or a force that is not finite")
            answers.append((energy, forces, None))
        except Exception as error:
            answers.append((None, None, _describe(error)))
            calculator = None  # it may be in any state
    return begin, answers


def _with_label(structure, energy, forces):
    labelled = structure.copy()
    labelled.calc = SinglePointCalculator(labelled, energy=energy, forces=forces)
    return labelled


def _describe(error):
    return f"{type(error).__name__}: {error}"


def _message(structures, problems):
    first, problem = next(iter(problems.items()))
    others = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    return (
        f"structure {first} ({structures[first].get_chemical_formula()}){others}: {problem}; "
        f"the labels of the other {len(structures) - len(problems)} structures are in .labelled"
    )
