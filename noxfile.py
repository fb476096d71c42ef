"""Run the notebooks on other platforms: `make platforms`, or nox with the names of sessions.

A platform that is not available here, or whose emulation has no effect, is skipped and never
passes. Arguments after `--` are the notebooks to run instead of all of them.
"""

import json
import os
import sys
from pathlib import Path

import nox

LOCKED_PYTHON = ".venv/bin/python"  # made by make, with the packages of requirements.txt
TOOLS = Path(__file__).resolve().parent / "tools" / "platforms"
GLIBC = "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-AVX512F,-AVX512VL,-ERMS"
RESOLUTIONS = {  # the Python and how uv chooses among the versions allowed
    "oldest": ("3.11", "lowest-direct"),
    "newest-3.13": ("3.13", "highest"),
    "newest-3.14": ("3.14", "highest"),
}
EMULATIONS = {  # the quantity that the probe reports, its expected value, environment variables
    "numpy-avx2": ("NumPy", "X86_V3", {"NPY_ENABLE_CPU_FEATURES": "X86_V3"}),
    "numpy-sse4": ("NumPy", "X86_V2", {"NPY_ENABLE_CPU_FEATURES": "X86_V2"}),
    "blas-prescott": ("BLAS", "Katmai", {"OPENBLAS_CORETYPE": "Prescott"}),  # OpenBLAS's name
    "blas-nehalem": ("BLAS", "Nehalem", {"OPENBLAS_CORETYPE": "Nehalem"}),
    "blas-haswell": ("BLAS", "Haswell", {"OPENBLAS_CORETYPE": "Haswell"}),
    "blas-skylakex": ("BLAS", "SkylakeX", {"OPENBLAS_CORETYPE": "SkylakeX"}),
    "one-blas-thread": ("BLAS threads", "1", {"OPENBLAS_NUM_THREADS": "1"}),
    "two-blas-threads": ("BLAS threads", "2", {"OPENBLAS_NUM_THREADS": "2"}),
    "glibc-without-avx2-fma": ("math functions", None, {"GLIBC_TUNABLES": GLIBC}),
    "ulp-noise-0": ("inputs", None, {"PYTHONPATH": str(TOOLS / "ulp_noise"), "ULP_NOISE": "0"}),
    "ulp-noise-1": ("inputs", None, {"PYTHONPATH": str(TOOLS / "ulp_noise"), "ULP_NOISE": "1"}),
}
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *map(str, PYENV.glob("versions/*/bin"))])
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def python(session):
    """Run the notebooks with the locked packages."""
    session.install("--exact", "--requirement", "requirements.txt", "--editable", ".")
    run_notebooks(session)


@nox.session
@nox.parametrize("python, resolution", RESOLUTIONS.values(), ids=RESOLUTIONS.keys())
def dependencies(session, resolution):
    """Run the notebooks with the oldest or newest dependencies that pyproject.toml allows."""
    groups = ["--group", "notebooks", "--group", "tests"]
    session.install("--exact", "--upgrade", "--resolution", resolution, *groups, "--editable", ".")
    session.run("uv", "pip", "list", external=True)
    run_notebooks(session)


@nox.session(python=False)
@nox.parametrize("quantity, expected, variables", EMULATIONS.values(), ids=EMULATIONS.keys())
def emulated(session, quantity, expected, variables):
    """Run the notebooks under environment variables that emulate another platform."""
    plain = probe(session, quantity)
    try:
        found = probe(session, quantity, variables)
    except nox.command.CommandFailed:
        session.skip(f"this processor cannot run NumPy and BLAS with {variables}")
    has_effect, description = found == expected, f"{found}, expected {expected}"
    if expected is None:
        has_effect, description = compare(plain, found)
    if not has_effect:
        session.skip(f"the emulation does not have the intended effect: {quantity}: {description}")
    session.log(f"{quantity}: {description}")
    run_notebooks(session, LOCKED_PYTHON, variables)


def run_notebooks(session, python="python", variables=None):
    """Run the notebooks and compare their outputs with the stored ones."""
    options = ["--quiet", "-p", "no:cacheprovider", "--numprocesses", "2", "--dist", "loadscope"]
    options += session.posargs or ["notebooks"]
    session.run(python, "-m", "pytest", *options, env=variables)


def probe(session, quantity, variables=None):
    """Return a quantity that the probe reports under the environment variables."""
    command = [LOCKED_PYTHON, TOOLS / "probe.py", quantity]
    return json.loads(session.run(*command, env=variables, silent=True, stderr=None, log=False))


def compare(plain, found):
    """Return whether numbers differ, by two units in the last place at most, and a description."""
    errors = [abs(new / old - 1) for new, old in zip(found, plain, strict=True)]
    count = sum(error > 0 for error in errors)
    has_effect = 0 < max(errors) <= 2 * sys.float_info.epsilon
    return has_effect, f"{count} of {len(errors)} differ, by at most {max(errors):.1e}"
