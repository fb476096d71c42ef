"""Plant each fault in a copy of the project, run its tests, and say which test saw it. Run by make mutants."""

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
    """All faults by name: the file concerned, relative to the project, and what makes its text a faulty one."""
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
            raise ValueError(
                f"{old!r} stands there {text.count(old)} times; a fault is planted where it stands once"
            )
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
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def first_to_look(file):
    """The tests that are the likeliest to see a fault in `file`, in the order in which to run them."""
    stem, own = Path(file).stem, f"tests/test_{Path(file).stem}.py"
    if file.startswith("notebooks/"):
        return ["tests/test_notebooks.py", "tests/test_own_data.py", file]
    if stem == "checks":
        return ["tests/test_network.py", "tests/test_properties.py"]
    if file in ("pyproject.toml", "requirements.txt"):
        own = "tests/test_environment.py"
    elif stem in ("conftest", "figures", "guard", "shares"):
        own = "tests/test_planted.py"
    elif file.startswith("data/"):
        own = "tests/test_data.py"
    elif stem == "mydef":
        own = "tests/test_documented.py"
    return [own] if (ROOT / own).is_file() else []


def run_tests(folder, where=("tests", "notebooks")):
    """Exit status of pytest on what is `where` in the copy in `folder`, and the first test that failed."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
    }  # before the project itself, which is installed
    environment.pop("PYTEST_ADDOPTS", None)
    options = [
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "--ignore=tests/test_mutants.py",
    ]  # that one sees all of them
    command = [sys.executable, "-m", "pytest", *options, *where]
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    failed = re.search(r"^(?:FAILED|ERROR) (\S+(?:::Cell \d+)?)", run.stdout, re.MULTILINE)
    shares = re.search(
        r"^\S+: (a smaller share|fewer assertions|its cells are not)", run.stdout, re.MULTILINE
    )
    return run.returncode, failed[
        1
    ] if failed else "the shares of code cells" if shares else run.stdout[-300:]


def verdict(name):
    """Whether the tests see the fault `name`, what saw it, and after how many seconds."""
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
    caught = status == 1 or (
        status == 2 and seen_by.endswith(".py")
    )  # 2: a module that can't be imported
    return caught, seen_by if caught or status else "every test passed", time.monotonic() - began


def main(words):
    """Run the faults whose names contain one of `words`, or all; the names of those that no test saw."""
    chosen = [name for name in faults() if not words or any(word in name for word in words)]
    with tempfile.TemporaryDirectory(prefix="mutant-") as scratch:
        copy_to(Path(scratch))
        found = subprocess.run(
            [sys.executable, "-c", "import helpers; print(helpers.__file__)"],
            cwd=scratch, env={**os.environ, "PYTHONPATH": scratch}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert Path(found.stdout.strip()).is_relative_to(scratch), (
            "the copy has to be the one that is imported"
        )
        status, said = run_tests(Path(scratch))
    if status:
        sys.exit(f"without any fault the tests don't pass: {said}")
    print(f"Without any fault the tests pass. {len(chosen)} faults:", flush=True)
    missed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number, (name, (caught, seen_by, seconds)) in enumerate(
            zip(chosen, pool.map(verdict, chosen), strict=True), 1
        ):
            print(
                f"{number:3d} {'caught' if caught else 'MISSED'} {seconds:4.0f} s  {name[:100]:100s}  {seen_by}",
                flush=True,
            )
            missed += [] if caught else [name]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} caught")
    return missed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
