"""Run the notebooks as other machines would: `make elsewhere`. Arguments choose machines by name.

A machine that can't be imitated here, or whose imitation has no effect, is reported as "not
imitated" and never as passed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENTS = ROOT / ".venv-elsewhere"
BIN = "Scripts" if os.name == "nt" else "bin"
NEWEST = "3.14"
GLIBC = "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-AVX512F,-AVX512VL,-ERMS"
SSE4 = ("SSE", "X86_V2", "POPCNT")  # how NumPy's names of instructions up to SSE4 begin
AVX2 = (*SSE4, "AVX2", "FMA3", "F16C", "X86_V3")
PROCESSORS = {  # name: environment variables, and the entry of the witness that shows their effect
    "BLAS of Prescott": ({"OPENBLAS_CORETYPE": "Prescott"}, "BLAS", "Katmai"),  # OpenBLAS's name
    "BLAS of Nehalem": ({"OPENBLAS_CORETYPE": "Nehalem"}, "BLAS", "Nehalem"),
    "BLAS of Haswell": ({"OPENBLAS_CORETYPE": "Haswell"}, "BLAS", "Haswell"),
    "BLAS of SkylakeX": ({"OPENBLAS_CORETYPE": "SkylakeX"}, "BLAS", "SkylakeX"),
    "one BLAS thread": ({"OPENBLAS_NUM_THREADS": "1"}, "BLAS threads", "1"),
    "two BLAS threads": ({"OPENBLAS_NUM_THREADS": "2"}, "BLAS threads", "2"),
    "glibc without AVX2 and FMA": ({"GLIBC_TUNABLES": GLIBC}, "math functions", None),
    "inputs off by their last bit": (
        {"PYTHONPATH": str(HERE / "last_bit"), "LAST_BIT": "0"},
        "inputs",
        None,
    ),
    "inputs off the other way": (
        {"PYTHONPATH": str(HERE / "last_bit"), "LAST_BIT": "1"},
        "inputs",
        None,
    ),
}


def witness(python, variables=()):
    """What the witness reports from `python` under environment `variables`, or None if it fails."""
    environment = {**os.environ, **dict(variables)}
    run = subprocess.run(
        [python, HERE / "witness.py"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(run.stdout) if run.returncode == 0 else None


def imitated(found, plain, what, wanted):
    """Whether the imitation had an effect, and what shows it.

    `wanted` is the value that has to be found, or None if any other than the `plain` one will do.
    """
    if found is None:
        return False, "Python does not start so"
    if wanted is not None:
        return found[what] == wanted, f"{what}: {found[what]}"
    pairs = list(zip(found[what], plain[what], strict=True))
    moved = sum(one != other for one, other in pairs)
    most = max(abs(one - other) / abs(other) for one, other in pairs if other)
    return (
        moved > 0 and most < 4.5e-16,
        f"{moved} of {len(pairs)} {what} differ, by {most:.1e} at most",
    )


def notebooks_pass(python, variables=()):
    """Whether the notebooks pass with `python`, and what pytest reports."""
    environment = {**os.environ, **dict(variables)}
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "notebooks"]
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    failed = re.findall(r"^FAILED (\S+::Cell \d+)", run.stdout, re.MULTILINE)
    if run.returncode:
        (ENVIRONMENTS / "last-failure.txt").write_text(run.stdout + run.stderr, encoding="utf-8")
    last = run.stdout.strip().splitlines()[-1:] or ["pytest did not start"]
    return run.returncode == 0, ", ".join(failed) or re.sub(r" in .*", "", last[0].strip("= "))


def environment(name, python, requirements):
    """The Python of a separate environment, made again if the files `requirements` have changed."""
    folder = ENVIRONMENTS / name
    uv = Path(sys.executable).with_name("uv")
    stamp = folder / "made-from"
    content = "".join(file.read_text(encoding="utf-8") for file in requirements)
    ours = folder / BIN / "python"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != content:
        quiet = {"check": True, "capture_output": True, "text": True}
        subprocess.run([uv, "venv", "--clear", "--python", python, folder], **quiet)
        files = [part for file in requirements for part in ("--requirement", file)]
        subprocess.run(
            [uv, "pip", "install", "--python", ours, *files, "--editable", ROOT], cwd=ROOT, **quiet
        )
        stamp.write_text(content, encoding="utf-8")
    return ours


def resolved(name, resolution, python):
    """The Python of an environment with the oldest or the newest direct dependencies allowed."""
    uv = Path(sys.executable).with_name("uv")
    compiled = ENVIRONMENTS / f"{name}.txt"
    command = [uv, "pip", "compile", "--quiet", "--upgrade", "--no-header"]
    command += ["--resolution", resolution, "--python", python]
    command += ["--group", "notebooks", "--group", "tests"]
    command += ["--output-file", compiled, "pyproject.toml"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return environment(name, python, [compiled])


def pythons():
    """The path of each supported Python on this machine by its version, oldest first.

    The newest is downloaded if possible.
    """
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "python", "install", "--quiet", NEWEST], check=False, capture_output=True)
    path = os.pathsep.join([*pyenvs(), os.environ["PATH"]])
    command = [uv, "python", "list", "--only-installed", "--output-format", "json", ">=3.11"]
    listed = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )
    found = [entry for entry in json.loads(listed.stdout) if entry["implementation"] == "cpython"]
    paths = {
        tuple(map(int, entry["version"].split(".")[:2])): entry["path"] for entry in reversed(found)
    }
    return {f"{major}.{minor}": path for (major, minor), path in sorted(paths.items())}


def pyenvs():
    """The folders with pyenv's Pythons, if it is installed; its shims show only one of them."""
    if not shutil.which("pyenv"):
        return []
    root = subprocess.run(
        ["pyenv", "root"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return map(str, Path(root).glob("versions/*/bin"))


def machines():
    """Yield the name of each machine and a function that imitates it.

    The function returns whether the machine is imitated, what shows it, its Python and its
    environment variables.
    """
    if sys.platform == "linux":
        plain = witness(sys.executable)
        for name, kept, wanted in (("AVX2", AVX2, "X86_V3"), ("SSE4", SSE4, "baseline")):
            wider = [feature for feature in plain["features"] if not feature.startswith(kept)]
            variables = {
                "NPY_DISABLE_CPU_FEATURES": " ".join(wider)
            }  # NumPy warns of unknown names
            yield f"NumPy cut down to {name}", partial(processor, plain, variables, "NumPy", wanted)
        for name, (variables, what, wanted) in PROCESSORS.items():
            yield name, partial(processor, plain, variables, what, wanted)
    there = pythons()
    first, last = (list(there.values())[end] for end in (0, -1))
    yield (
        "oldest dependencies",
        lambda: of_packages(resolved("oldest", "lowest-direct", first), "packages"),
    )
    yield (
        "newest dependencies",
        lambda: of_packages(resolved("newest", "highest", last), "packages"),
    )
    for version, python in there.items():
        yield f"Python {version}", partial(with_lock, version, python)
    if NEWEST not in there:
        yield (
            f"Python {NEWEST}",
            lambda: (False, "it is not installed, and can't be downloaded", None, {}),
        )


def processor(plain, variables, what, wanted):
    return (
        *imitated(witness(sys.executable, variables), plain, what, wanted),
        sys.executable,
        variables,
    )


def with_lock(version, python):
    return of_packages(environment(version, python, [ROOT / "requirements.txt"]), "Python")


def of_packages(python, what):
    found = witness(python)
    return (
        found is not None,
        f"{what}: {found[what]}" if found else "the packages can't be imported",
        python,
        {},
    )


def main(words):
    """Run the notebooks on the machines whose names contain one of `words`, or on all.

    The names of the machines on which they failed are returned.
    """
    ENVIRONMENTS.mkdir(exist_ok=True)
    failed = []
    for name, imitate in machines():
        if words and not any(word.lower() in name.lower() for word in words):
            continue
        print(f"{name:30s}", end="", flush=True)
        began = time.monotonic()
        try:
            there, shown, python, variables = imitate()
        except subprocess.CalledProcessError as problem:
            there, shown = False, str(problem.stderr).strip().splitlines()[-1][:200]
        passed, said = notebooks_pass(python, variables) if there else (None, "")
        outcome = {True: "passed", False: "FAILED", None: "not imitated"}[passed]
        print(f"{outcome:13s}{time.monotonic() - began:4.0f} s  {shown}; {said}", flush=True)
        failed += [name] if passed is False else []
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
