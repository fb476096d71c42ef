"""The project works where it is installed, without its repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.tables import DATA

ROOT = Path(__file__).parents[1]


def uv(*arguments):
    """Run uv; skip the test where it would need a package index that can't be reached."""
    command = [sys.executable, "-m", "uv", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    unreachable = ("Failed to fetch", "dns error", "network was disabled")
    if result.returncode and any(sign in result.stderr for sign in unreachable):
        pytest.skip("the build backend is neither in uv's cache nor can it be downloaded")
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of a plain installation, from a wheel that was built from the source archive."""
    dist = tmp_path_factory.mktemp("dist")
    target = tmp_path_factory.mktemp("installed")
    uv("build", "--quiet", "--out-dir", dist, ROOT)
    (wheel,) = dist.glob("*.whl")
    (_,) = dist.glob("*.tar.gz")
    uv("pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel)
    return target


@pytest.fixture
def run(installed, tmp_path):
    """A function that runs code with the installed package, in an empty working directory."""

    def run(code):
        environment = os.environ | {"PYTHONPATH": str(installed)}
        result = subprocess.run(
            [sys.executable, "-c", f"import json\n{code}"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        return json.loads(result.stdout)

    return run


def test_installed_package_reads_its_data_from_any_directory(run, installed):
    module, volumes = run(
        "import helpers.tables\n"
        "volumes, = helpers.tables.read_columns('energy_volume.csv', 'volume')\n"
        "print(json.dumps([helpers.tables.__file__, volumes.tolist()]))"
    )
    assert Path(module).is_relative_to(installed)
    assert (
        volumes == np.loadtxt(DATA / "energy_volume.csv", delimiter=",", skiprows=1)[:, 0].tolist()
    )


def test_installed_package_knows_the_published_values(run):
    text = run(
        "from helpers.published import published_values\n"
        "print(json.dumps(published_values('murnaghan-fit')['E0'].text))"
    )
    assert text == "-400.029"


def test_every_file_of_the_package_and_the_data_is_installed(installed):
    def files(folder):
        return {
            path.relative_to(folder)
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }

    installed_files = files(installed / "helpers")
    assert files(ROOT / "helpers") <= installed_files
    assert {Path("data") / path for path in files(DATA)} <= installed_files


def test_fitting_alone_loads_neither_ase_nor_hy_nor_pycse(run):
    loaded = run(
        "import sys, helpers.least_squares\n"
        "print(json.dumps([name for name in ('ase', 'hy', 'pycse') if name in sys.modules]))"
    )
    assert loaded == []


def test_installed_macro_can_be_required(run):
    source = '(require helpers.mydef [mydef]) (mydef f [[#^ int x "a"]] x) f.args'
    arguments = run(
        "import hy\n"
        f"for form in hy.read_many({source!r}):\n"
        "    value = hy.eval(form, globals())\n"
        "print(json.dumps(value))"
    )
    assert arguments == {"x": "a"}
