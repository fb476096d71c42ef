"""The cells "Your own data": with the data as they stand, and with a file of the reader's."""

import ast
import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.io import read
from IPython.core.inputtransformer2 import TransformerManager
from matplotlib.text import Text

from helpers.dimer import binding_energies, morse, rose
from helpers.eos import GPA_PER_HARTREE_BOHR3, vinet
from helpers.labels import label
from helpers.reversible_reaction import concentration
from helpers.tables import DATA, read_columns

SOURCE = re.compile(r"^source = \(.*\)$", re.MULTILINE)
LINE = np.linspace(0, 1, 30)
VOLUMES = np.linspace(60, 90, 12)
DISTANCES = np.linspace(1.9, 3.1, 25)
TABLES = {  # one for each notebook
    1: {"time": LINE, "signal": np.tanh(5 * LINE - 2)},
    2: {"V": VOLUMES, "E": vinet(VOLUMES, -7.0, 0.005, 4.5, 75.0)},
    3: {"t": LINE, "A": concentration(LINE, 2.0, 0.5)},
    4: {"d": LINE + 2, "E": morse(LINE + 2, 5.0, 1.4, 2.3)},
}


def run(number, source):
    """The names that a notebook's own-data cells define for `source`, and the texts they draw.

    Of the other cells only imports, functions and constants, whose names are in upper case, are
    executed. The texts of the figures are returned as "texts".
    """
    (path,) = (DATA.parent / "notebooks").glob(f"{number:02d}-*.ipynb")
    cells = [
        (cell["cell_type"], "".join(cell["source"]))
        for cell in json.loads(path.read_text("utf-8"))["cells"]
    ]
    headings = [i for i, (_, text) in enumerate(cells) if text.startswith("## ")]
    begin = next(i for i in headings if cells[i][1].startswith("## Your own data"))
    own = [
        text for kind, text in cells[begin : headings[headings.index(begin) + 1]] if kind == "code"
    ]
    names = {}
    plt.close("all")  # those of a run that failed
    for text in [text for kind, text in cells if kind == "code"]:
        needed = [
            part
            for part in ast.parse(TransformerManager().transform_cell(text)).body
            if isinstance(part, ast.Import | ast.ImportFrom | ast.FunctionDef)
            or (isinstance(part, ast.Assign) and ast.unparse(part.targets[0]).isupper())
        ]
        exec(compile(ast.Module(needed, []), path.name, "exec"), names)
    assert len(SOURCE.findall("\n".join(own))) == 1, "the file and its columns stand in one line"
    for text in own:
        exec(SOURCE.sub(f"source = {source!r}", text), names)
    figures = map(plt.figure, plt.get_fignums())
    names["texts"] = [text.get_text() for figure in figures for text in figure.findobj(Text)]
    plt.close("all")
    return names


@pytest.fixture
def write(tmp_path):
    """A function that writes columns to a file of the reader's, and returns its source line."""

    def write(**named):
        path = tmp_path / "mine.csv"
        np.savetxt(
            path,
            np.transpose(list(named.values())),
            delimiter=",",
            header=",".join(named),
            comments="",
        )
        return (str(path), *named)

    return write


def test_network_finds_the_curve_below_the_readers_noise(write):
    curve = TABLES[1]["signal"]
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(LINE))
    own = run(1, write(time=LINE, signal=curve + noise))["own"]
    assert np.sqrt(np.mean((own(LINE) - curve) ** 2)) < 0.03


def test_equation_that_made_the_readers_energies_is_found(write):
    names = run(2, write(**TABLES[2]))
    assert names["closest"] is names["own_fits"]["vinet"]
    assert np.allclose(names["closest"].parameters, [-7.0, 0.005, 4.5, 75.0], rtol=1e-6)
    assert names["units"] == ("bohr³", "Ha", GPA_PER_HARTREE_BOHR3)


@pytest.mark.parametrize("second", [1, 60, 86400, 1e-6])  # the reader's unit of time, per s
def test_rate_constants_are_found_in_any_unit_of_time(write, second):
    truth = np.array([2.0 / second, 0.5 / second, 0.02])
    time = LINE * 2 * second
    measured = concentration(time, *truth) + 1e-5 * np.random.default_rng(0).standard_normal(
        len(time)
    )
    own = run(3, write(t=time, A=measured))["own"]
    assert np.all(np.abs(own.parameters - truth) < 4 * own.standard_errors)
    assert np.all(own.standard_errors < 0.05 * truth)


@pytest.mark.parametrize(("name", "formula"), [("Morse", morse), ("Rose", rose)])
def test_parameters_of_the_readers_well_are_found(write, name, formula):
    names = run(4, write(d=DISTANCES, E=formula(DISTANCES, 5.0, 1.4, 2.3)))
    assert np.allclose(names["own_fits"][name].parameters, [5.0, 1.4, 2.3])


@pytest.mark.parametrize("metal", ["Cu", "Au"])
def test_network_fits_the_readers_well(write, metal):
    names = run(4, write(d=DISTANCES, E=binding_energies(DISTANCES, metal)))
    assert names["own_network"].rmse < 1e-4


@pytest.mark.parametrize("number", [1, 2, 4])
def test_template_works_in_every_notebook(number):
    run(number, ("template.csv", "x", "y"))


@pytest.mark.parametrize("number", TABLES)
def test_figures_name_the_readers_file_without_its_folder(number, write):
    source = write(**TABLES[number])
    texts = run(number, source)["texts"]
    assert ("mine.csv" in texts) == (number in (1, 3))
    assert not any(str(Path(source[0]).parent) in text for text in texts)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_error_names_a_missing_column(number, write):
    with pytest.raises(
        ValueError, match=r"mine\.csv, line 1: no column 'nowhere'; the file has 'x', 'y'"
    ):
        run(number, (write(x=LINE, y=LINE)[0], "x", "nowhere"))


def test_data_are_what_their_readme_says():
    x, y = read_columns("noisy_cube_root.csv", "x", "y")
    even = np.linspace(0, 1, 100)
    noise = 0.05 * np.random.default_rng(3).standard_normal(100)
    assert np.allclose(x, even, rtol=0, atol=6e-7)
    assert np.allclose(y, even ** (1 / 3) + noise, rtol=0, atol=6e-5)
    time, measured = read_columns("reaction.csv", "time", "concentration")
    assert np.array_equal(measured, np.round(concentration(time, 3.0, 3.0), 3))
    distance, energy = read_columns("copper_dimer.csv", "distance", "energy")
    assert np.array_equal(distance, np.linspace(1.7, 3, 30))
    assert np.allclose(energy, binding_energies(distance), rtol=0, atol=1e-9)
    clusters = read(DATA / "copper_clusters.xyz", index=":")
    assert {len(cluster) for cluster in clusters} == {2, 3, 4, 5, 6, 7}
    for stored, again in zip(clusters, label(clusters, EMT), strict=True):
        assert stored.get_potential_energy() == pytest.approx(again.get_potential_energy())
        assert np.allclose(stored.get_forces(), again.get_forces(), rtol=0, atol=1e-7)
    assert {path.name for path in Path(DATA).iterdir()} == set(
        re.findall(r"^\| `(\S+)` \|", (DATA / "README.md").read_text("utf-8"), re.MULTILINE)
    ) | {"README.md"}
