"""The list of direct dependencies, the lock and the conda environment agree."""

import re
import tomllib
import warnings
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
APART = GROUPS.keys() - {"notebooks", "tests"}  # groups with environments of their own
DIRECT = [
    Requirement(line)
    for lines in [PROJECT["project"]["dependencies"], *GROUPS.values()]
    for line in lines
]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
LOCKED = [
    Requirement(line) for line in LOCK.splitlines() if line and not line.lstrip().startswith("#")
]


def test_lock_pins_every_package_and_contains_nothing_else():
    for requirement in LOCKED:
        assert [specifier.operator for specifier in requirement.specifier] == ["=="], requirement
        assert requirement.url is None
    assert not re.search(r"https?:|file:|--", LOCK)


def test_lock_satisfies_direct_dependencies():
    apart = {Requirement(line).name for group in APART for line in GROUPS[group]}
    for direct in [direct for direct in DIRECT if direct.name not in apart]:
        pins = [
            pin for pin in LOCKED if canonicalize_name(pin.name) == canonicalize_name(direct.name)
        ]
        assert pins, f"{direct.name} is not in requirements.txt: make lock"
        for pin in pins:
            (version,) = (specifier.version for specifier in pin.specifier)
            assert direct.specifier.contains(version), f"{pin} does not meet {direct}: make lock"


def test_direct_dependencies_have_lower_and_upper_bounds():
    for direct in DIRECT:
        operators = {specifier.operator for specifier in direct.specifier}
        assert operators == {">=", "<"}, direct


def test_direct_dependencies_have_a_reason():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for direct in DIRECT:
        assert re.search(rf'^ +"{re.escape(direct.name)}>=.*", +# \S', text, re.MULTILINE), direct


def test_conda_takes_only_python_and_pip_from_conda_forge():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, through_pip = environment["dependencies"]
    assert environment["channels"] == ["conda-forge"]
    assert pip == "pip"
    assert through_pip == {"pip": ["-r requirements.txt", "-e ."]}
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(
        python.removeprefix("python=")
    )


def test_required_python_is_the_same_everywhere():
    required = SpecifierSet(PROJECT["project"]["requires-python"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert required == SpecifierSet(">=3.11")
    assert "--python-version 3.11 " in makefile
    assert "v >= (3, 11)" in makefile
    assert "Python 3.11 or later" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_ci_runs_readme_commands_on_three_systems():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    pythons = [*matrix["python"], *(extra["python"] for extra in matrix["include"])]
    commands = "\n".join(step.get("run", "") for job in jobs.values() for step in job["steps"])
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {system.split("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert min(pythons, key=lambda python: int(python.split(".")[1])) == "3.11"
    for command in ("make test", r".venv\Scripts\pytest"):
        assert command in commands
        assert command in readme


def test_warning_is_an_error():
    with pytest.raises(UserWarning, match="beware"):
        warnings.warn("beware", stacklevel=1)


def test_every_run_loads_the_notebook_plugin_and_the_notebooks(pytestconfig):
    assert pytestconfig.pluginmanager.hasplugin("notebook_plugin")
    assert pytestconfig.getini("testpaths") == ["tests", "notebooks"]
