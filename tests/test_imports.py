"""Which modules the helpers import, and what importing them leaves alone."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np

import helpers
from helpers.network import train

MODULES = {
    path.stem: path
    for path in Path(helpers.__file__).parent.glob("*.py")
    if path.stem != "__init__"
}


def ours(path):
    """The helpers that a helper imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name.removeprefix("helpers.") for name in names if name.split(".")[0] == "helpers"}


def loaded(code, names):
    """Which of the modules `names` a fresh Python has loaded after `code`."""
    shown = f"print([name for name in {names} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; {shown}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    return ast.literal_eval(result.stdout)


def test_helpers_import_only_what_they_are_built_on():
    graph = {name: ours(path) for name, path in MODULES.items()}
    assert graph["validation"] == set()
    graph = {name: imported - {"validation"} for name, imported in graph.items()}
    assert {name: imported for name, imported in graph.items() if imported} == {
        "eos": {"least_squares"},
        "labels": {"descriptors"},
        "least_squares": {"autodiff"},
        "network": {"autodiff", "variable_projection"},
        "potential": {"autodiff", "descriptors", "variable_projection"},
        "ode_sensitivity": {"collocation", "rate_derivatives"},
        "rate_derivatives": {"autodiff"},
        "reversible_reaction": {"autodiff"},
        "published": {"tables"},
        "simulation": {"autodiff", "least_squares"},
    }


def test_only_modules_of_atoms_load_large_packages():
    with_ase = {"dimer", "calculator", "labels"}
    light = [f"helpers.{name}" for name in MODULES if name not in with_ase]
    large = ["ase", "hy", "pycse", "matplotlib", "IPython", "pandas"]
    assert loaded(f"import {', '.join(light)}", large) == []
    for name in with_ase:
        assert loaded(f"import helpers.{name}", ["ase", "hy", "pycse"]) == ["ase"]


def test_least_squares_loads_neither_ase_nor_hy_nor_pycse():
    assert loaded("import helpers.least_squares", ["ase", "hy", "pycse"]) == []


def test_training_leaves_the_global_generator_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - what is tested
    train(np.linspace(0, 1, 20), np.linspace(0, 1, 20) ** 2, hidden=2, rng=np.random.default_rng(0))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
