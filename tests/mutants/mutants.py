"""Make each fault in a copy of the project and report which test notices it: `make mutants`."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults import CELLS, TEXTS

ROOT = Path(__file__).parents[2]
AT_ONCE = 2  # copies, each with a process of its own


def faults():
    """All faults by name: a file of the project, and a function that changes its text."""
    found = {}
    for file, old, new in TEXTS:
        name = f"{file}: {' '.join(old.split())} → {' '.join(new.split()) or 'nothing'}"
        found[name] = file, replacing(old, new)
    for name, notebook, plant in CELLS:
        file = f"notebooks/{notebook}.ipynb"
        found[f"{file}: {name}"] = file, in_notebook(plant)
    return found


def replacing(old, new):
    def change(text):
        if text.count(old) != 1:
            raise ValueError(f"{old!r} occurs {text.count(old)} times; it has to occur once")
        return text.replace(old, new)

    return change


def in_notebook(plant):
    def change(text):
        notebook = json.loads(text)
        plant(notebook)
        return json.dumps(notebook)

    return change


def copy_to(folder):
    """Copy to `folder` what git would commit, changes included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def first_to_look(file):
    """The tests that are the most likely to notice a fault in `file`, in the order to run them."""
    stem = Path(file).stem
    if file.startswith("notebooks/"):
        return ["tests/test_notebooks.py", "tests/test_own_data.py", file]
    if file in ("pyproject.toml", "requirements.txt"):
        return ["tests/test_environment.py"]
    if stem in ("conftest", "figures", "guard", "shares"):
        return ["tests/test_planted.py"]
    if file == "data/published.toml":
        return ["tests/test_published.py"]
    if file.startswith("data/"):
        return ["tests/test_tables.py"]
    return []


def run_tests(folder, where=("tests", "notebooks")):
    """Exit status of pytest on the paths `where` of the copy in `folder`, and what failed first."""
    environment = {**os.environ, "PYTHONPATH": str(folder)}  # before the installed project
    environment.pop("PYTEST_ADDOPTS", None)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["--ignore=tests/test_mutants.py", *where]  # that test notices every fault
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    failed = re.search(r"^(?:FAILED|ERROR) (\S+(?:::Cell \d+)?)", run.stdout, re.MULTILINE)
    if failed:
        return run.returncode, failed[1]
    counts = r"^\S+: (a smaller share|fewer assertions|its cells are not)"
    if re.search(counts, run.stdout, re.MULTILINE):
        return run.returncode, "the counts of code cells"
    return run.returncode, run.stdout[-300:]


def run_mutant(name):
    """Whether the tests notice the fault `name`, which test did, and after how many seconds."""
    file, change = faults()[name]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as scratch:
        folder = Path(scratch)
        copy_to(folder)
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(change(text), encoding="utf-8")
        first = first_to_look(file)
        status, seen_by = run_tests(folder, first) if first else (0, "")
        if status == 0:
            status, seen_by = run_tests(folder)
    if status == 0:
        seen_by = "every test passed"
    import_failed = status == 2 and seen_by.endswith(".py")
    return status == 1 or import_failed, seen_by, time.monotonic() - began


def main(words):
    """Run the faults whose names contain one of `words`, or all, and return those not noticed."""
    chosen = [name for name in faults() if not words or any(word in name for word in words)]
    with tempfile.TemporaryDirectory(prefix="mutant-") as scratch:
        copy_to(Path(scratch))
        imported = subprocess.run(
            [sys.executable, "-c", "import helpers; print(helpers.__file__)"],
            cwd=scratch,
            env={**os.environ, "PYTHONPATH": scratch},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert Path(imported).is_relative_to(scratch), f"not the copy: {imported}"
        status, said = run_tests(Path(scratch))
    if status:
        sys.exit(f"without any fault the tests don't pass: {said}")
    print(f"Without any fault the tests pass. {len(chosen)} faults:", flush=True)
    missed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = zip(chosen, pool.map(run_mutant, chosen), strict=True)
        for number, (name, (caught, seen_by, seconds)) in enumerate(results, 1):
            outcome = "caught" if caught else "MISSED"
            print(
                f"{number:3d} {outcome} {seconds:4.0f} s  {name[:100]:100s}  {seen_by}", flush=True
            )
            if not caught:
                missed.append(name)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} caught")
    return missed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
