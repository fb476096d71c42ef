"""The shape of the package: what a module imports, and that importing does no work."""

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
    imports = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    ]
    return {
        node.module.removeprefix("helpers.")
        for node in imports
        if node.module.startswith("helpers")
    }


def test_the_import_graph_is_a_tree_that_grows_from_autodiff():
    graph = {name: ours(path) for name, path in MODULES.items()}
    assert {
        name: below - {"validation"} for name, below in graph.items() if below - {"validation"}
    } == {
        "eos": {"least_squares"},
        "least_squares": {"autodiff", "optimum"},
        "network": {"autodiff"},
        "reversible_reaction": {"autodiff"},
        "published": {"tables"},
    }


def test_only_the_modules_that_need_them_load_ase_and_hy():
    light = [f"helpers.{name}" for name in MODULES if name not in ("dimer",)]
    heavy = ["ase", "hy", "pycse", "matplotlib", "IPython", "pandas"]
    code = (
        f"import sys, {', '.join(light)}; print([name for name in {heavy} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
    assert result.stderr == ""


def test_nobody_touches_the_global_generator():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the one that is watched
    train(np.linspace(0, 1, 20), np.linspace(0, 1, 20) ** 2, hidden=2, rng=np.random.default_rng(0))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
