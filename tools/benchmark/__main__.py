"""Write RESULTS.md, which compares the helpers with other packages: `make benchmark`."""

import os
import platform
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import cpuinfo
from tabulate import tabulate

import many_atoms
import regression
import sensitivities
from timing import MISSED

TEXT = """# How fast, and how exact

{date}, {processor}, {cores} cores, {system}, Python {python}; {packages}.

Times are medians over turns in which the compared functions alternate. The speed of the machine
changes from row to row, so compare only within a row. A requirement that is missed is in bold.

## Regression

{regression.__doc__}

{tables[0]}

Faster than the helpers are: {faster}.

## Sensitivities

{sensitivities.__doc__}

{tables[1]}

CasADi is faster than the helper for {casadi_faster} of {n_problems} problems, at most {speed:.2g}
times, and less exact for {casadi_less_exact}.

## Many atoms

{many_atoms.__doc__}

{tables[2]}
"""
PACKAGES = (
    "ase autograd casadi distributed jax lmfit numpy pycse pymatgen quippy-ase scikit-learn scipy"
)


def collect(rows):
    """The rows, each of which is printed as soon as it is measured."""
    collected = []
    for row in rows:
        print(*row.values(), sep=" | ", flush=True)
        collected.append(row)
    return collected


def write_results(comparisons, problems, potentials):
    """Write the rows of the tables, and what follows from them, to RESULTS.md."""
    faster = [
        f"{row['compared with']} ({1 / row['ratio']:.2g} times; {row['task']})"
        for row in comparisons
        if row["ratio"] < 1
    ]
    speeds = [row["with / ms"] / row["CasADi / ms"] for row in problems]
    style = {"headers": "keys", "tablefmt": "pipe", "floatfmt": ".3g", "missingval": "–"}
    text = TEXT.format(
        date=date.today(),
        processor=cpuinfo.get_cpu_info()["brand_raw"],
        cores=os.cpu_count(),
        system=platform.system(),
        python=platform.python_version(),
        packages=", ".join(f"{name} {version(name)}" for name in PACKAGES.split()),
        regression=regression,
        sensitivities=sensitivities,
        many_atoms=many_atoms,
        tables=[tabulate(rows, **style) for rows in (comparisons, problems, potentials)],
        faster="; ".join(faster) or "none",
        casadi_faster=sum(speed > 1 for speed in speeds),
        casadi_less_exact=sum(row["CasADi's error"] > row["error"] for row in problems),
        n_problems=len(problems),
        speed=max(speeds),
    )
    Path(__file__).with_name("RESULTS.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    comparisons = collect(regression.rows())
    problems = collect(sensitivities.rows())
    potentials = collect(many_atoms.rows())
    write_results(comparisons, problems, potentials)
    missed = sum(row["met"] == MISSED for row in comparisons + problems + potentials)
    sys.exit(f"{missed} requirements are missed; see RESULTS.md" if missed else 0)
