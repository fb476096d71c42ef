"""Faults that the tests have to notice, in files other than the helpers' modules.

Each entry of TEXTS is a file, a text that occurs in it once, and the text that replaces it. Each
entry of CELLS is a name, a notebook, and a function that changes the notebook's JSON.
"""

import json
from base64 import b64decode, b64encode
from io import BytesIO

import numpy as np
from matplotlib import image

TEXTS = [
    # the style of the figures
    ("helpers/figures.mplstyle", "axes.grid: True", "axes.grid: False"),
    ("helpers/figures.mplstyle", "lines.linewidth: 1.8", "lines.linewidth: 1.5"),
    ("helpers/figures.mplstyle", '"0072B2", "D55E00"', '"D55E00", "0072B2"'),
    # data
    ("data/energy_volume.csv", "-399.9445262604", "-399.9445262605"),
    ("data/energy_volume.csv", "253.43999457,-400.0172393178\n", ""),
    ("data/energy_volume.csv", "volume,energy", "energy,volume"),
    ("data/cube_root.csv", "1.0,1.0", "1.0,1.1"),
    ("data/reaction.csv", "0.50,", "0.51,"),
    ("data/copper_dimer.csv", "distance,energy", "distance,energie"),
    ("data/published.toml", '"network, w0[0]" = "-0.71332351"', '"network, w0[0]" = "-0.71332361"'),
    ("data/published.toml", '"SSE at step 3400" = "2.359e-05"', '"SSE at step 3400" = "2.350e-05"'),
    (
        "data/published.toml",
        '"1.5768901008364176e-05", digits = 9',
        '"1.5768901008364176e-05", digits = 3',
    ),
    ("data/published.toml", '"end of the time axis" = "0.5"', '"end of the time axis" = "0.4"'),
    ("data/published.toml", 'text = "1.18663393", digits = 6', 'text = "1.18664393", digits = 6'),
    ("data/published.toml", '"(func 24 3)" = "72"', '"(func 24 3)" = "73"'),
    ("data/published.toml", 'text = "0.0744600049689"', 'text = "0.0744600049680"'),
    ("data/published.toml", '"V0, upper end" = "213.27898"', '"V0, upper end" = "213.37898"'),
    # settings and checks
    ("pyproject.toml", "--nbval --nbval-current-env", "--nbval-lax --nbval-current-env"),
    ("pyproject.toml", 'filterwarnings = ["error"]', 'filterwarnings = ["ignore"]'),
    ("pyproject.toml", '"scipy>=1.15,<1.18"', '"scipy>=1.15"'),
    ("requirements.txt", "numpy==", "numpy>="),
    ("conftest.py", 'warnings.simplefilter("error")', 'warnings.simplefilter("ignore")'),
    ("conftest.py", "if complaints := _differing_pictures(item):", "if complaints := []:"),
    ("conftest.py", "session.exitstatus = pytest.ExitCode.TESTS_FAILED", "pass"),
    ("tests/figures.py", "\nTOLERANCE = 1.0", "\nTOLERANCE = 10.0"),
    ("tests/figures.py", "PATCH_TOLERANCE = 4.0", "PATCH_TOLERANCE = 40.0"),
    ("tests/figures.py", "size=(3, 3, 1)", "size=(9, 9, 1)"),
    (
        "tests/guard.py",
        '        found += [f"code cell {number}: {complaint}" for complaint in _of_cell(cell)]\n',
        "",
    ),
    (
        "tests/shares.toml",
        '05-documented-arguments = { "compared" = 14',
        '05-documented-arguments = { "compared" = 13',
    ),
]


def code(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def renumber(notebook):
    """Number the cells and their results as if each had been executed once, in order."""
    for number, cell in enumerate(code(notebook), 1):
        cell["execution_count"] = number
        for output in cell["outputs"]:
            if "execution_count" in output:
                output["execution_count"] = number


def in_source(old, new):
    """A fault that replaces `old` by `new` in the code of the only cell that contains it."""

    def plant(notebook):
        cell = the_cell(notebook, old)
        assert "".join(cell["source"]).count(old) == 1
        cell["source"] = "".join(cell["source"]).replace(old, new)

    return plant


def in_output(old, new):
    """A fault that replaces `old` by `new` in the stored outputs of the last cell that has it."""

    def plant(notebook):
        old_json, new_json = (json.dumps(text, ensure_ascii=False)[1:-1] for text in (old, new))
        holds = [
            cell
            for cell in code(notebook)
            if old_json in json.dumps(cell["outputs"], ensure_ascii=False)
        ]
        holds[-1]["outputs"] = json.loads(
            json.dumps(holds[-1]["outputs"], ensure_ascii=False).replace(old_json, new_json, 1)
        )

    return plant


def strip_outputs(notebook):
    for cell in code(notebook):
        cell["outputs"] = []


def strip_all(notebook):
    strip_outputs(notebook)
    for cell in code(notebook):
        cell["execution_count"] = None


def the_cell(notebook, text):
    """The only code cell that contains `text`."""
    (cell,) = [cell for cell in code(notebook) if text in "".join(cell["source"])]
    return cell


def without_output(text):
    return lambda notebook: the_cell(notebook, text)["outputs"].clear()


def tagged(text, tag, reason=""):
    def plant(notebook):
        cell = the_cell(notebook, text)
        cell["metadata"]["tags"] = [tag]
        cell["source"] = reason + "".join(cell["source"])

    return plant


def delete(text):
    """A fault that deletes the only code cell that contains `text`, and renumbers the others."""

    def plant(notebook):
        notebook["cells"].remove(the_cell(notebook, text))
        renumber(notebook)

    return plant


def swap(first, second):
    def plant(notebook):
        cells = notebook["cells"]
        i, j = (cells.index(the_cell(notebook, text)) for text in (first, second))
        cells[i], cells[j] = cells[j], cells[i]
        renumber(notebook)

    return plant


def pictures(notebook):
    """The data of a notebook's outputs that contain a picture."""
    return [
        output["data"]
        for cell in code(notebook)
        for output in cell["outputs"]
        if "image/png" in output.get("data", {})
    ]


def swap_pictures(notebook):
    first, second, *_ = pictures(notebook)
    first["image/png"], second["image/png"] = second["image/png"], first["image/png"]


def lighten(notebook):
    """Make the last picture lighter by 12 of 255, where it isn't white."""
    picture = pictures(notebook)[-1]
    file = BytesIO()
    pixels = image.imread(BytesIO(b64decode(picture["image/png"])))
    image.imsave(file, np.minimum(pixels + 12 / 255, 1), format="png")
    picture["image/png"] = b64encode(file.getvalue()).decode()


def forget_picture(notebook):
    for data in pictures(notebook)[-1:]:
        del data["image/png"]


NETWORK, MURNAGHAN, SENSITIVITY, DIMER, DOCUMENTED = (
    "01-neural-network-regression",
    "02-murnaghan-fit",
    "03-sensitivity-analysis",
    "04-copper-dimer",
    "05-documented-arguments",
)
CELLS = [
    (
        "a curve taken out of a figure",
        SENSITIVITY,
        in_source('plt.plot(time, local[:, 1], label="$S_{k_{-1}}$")\n', ""),
    ),
    (
        "a legend taken out of a figure",
        MURNAGHAN,
        in_source('plt.ylabel("energy / Ha")\nplt.legend()', 'plt.ylabel("energy / Ha")'),
    ),
    (
        "a label taken off an axis",
        DIMER,
        in_source('plt.ylabel("force on the second atom / eV/Å")\n', ""),
    ),
    (
        "a unit changed in a label",
        DIMER,
        in_source('"network - EMT / meV"', '"network - EMT / eV"'),
    ),
    ("a colour changed", SENSITIVITY, in_source('color=f"C{which}"', 'color=f"C{which + 1}"')),
    ("a line dashed", NETWORK, in_source('plt.plot(x, line(x), "--"', 'plt.plot(x, line(x), "-"')),
    ("an axis cut shorter", SENSITIVITY, in_source("plt.ylim(0, 1)\n", "plt.ylim(0, 0.99)\n")),
    (
        "a curve scaled by 1.02",
        MURNAGHAN,
        in_source(
            "plt.plot(volume, 1000 * found.residuals", "plt.plot(volume, 1020 * found.residuals"
        ),
    ),
    ("two stored pictures swapped", DIMER, swap_pictures),
    ("a stored picture lighter", SENSITIVITY, lighten),
    ("a stored picture forgotten", MURNAGHAN, forget_picture),
    ("a digit changed in a stored trace", NETWORK, in_output("1.71e-05", "1.72e-05")),
    (
        "a digit changed in a stored table",
        MURNAGHAN,
        in_output("211.847 | 211.847", "211.847 | 211.846"),
    ),
    (
        "a number of digits raised in a stored table",
        DIMER,
        in_output("1.18663 | 6 of 9", "1.18663 | 7 of 9"),
    ),
    (
        "a word changed in stored help",
        DOCUMENTED,
        in_output("    arg2 : a number", "    arg2 : a figure"),
    ),
    ("a notebook stripped of its outputs", SENSITIVITY, strip_outputs),
    ("a notebook stripped of outputs and counts", DOCUMENTED, strip_all),
    ("the output of a cell removed", SENSITIVITY, without_output("of the way at 0.3 s")),
    (
        "the output of a compared figure removed",
        MURNAGHAN,
        without_output('label="Murnaghan, Adam"'),
    ),
    (
        "the output of an ignored cell removed",
        NETWORK,
        without_output("with_jacobian = perf_counter() - began"),
    ),
    ("a cell skipped", DIMER, tagged("assert max(small) < 1.1 * min(small)", "nbval-skip")),
    (
        "a cell newly ignored, with a reason",
        SENSITIVITY,
        tagged("of the way at 0.3 s", "nbval-ignore-output", "# not compared: rounding\n"),
    ),
    (
        "a cell allowed to raise",
        SENSITIVITY,
        tagged("autograd and the closed forms agree", "raises-exception"),
    ),
    ("a cell deleted, the others renumbered", SENSITIVITY, delete("|dA/dk1| is largest")),
    (
        "a cell of assertions deleted, the others renumbered",
        DIMER,
        delete("assert max(small) < 1.1 * min(small)"),
    ),
    ("the table of the post deleted", DOCUMENTED, delete("comparison_table(post, found)")),
    (
        "a cell swapped with one that needs it, the others renumbered",
        MURNAGHAN,
        swap("run = minimize_adam(", "energy0, modulus, modulus_prime, volume0 = run.parameters"),
    ),
    (
        "cells run out of order",
        NETWORK,
        lambda notebook: code(notebook)[3].update(execution_count=99),
    ),
    (
        "an assertion turned around",
        NETWORK,
        in_source("assert round(ratio) == 26", "assert round(ratio) != 26"),
    ),
    (
        "an assertion taken out of a cell that prints nothing",
        DIMER,
        in_source("assert np.all(two[0] < 0.5)\n", ""),
    ),
    (
        "a prefactor changed in a notebook's model",
        NETWORK,
        in_source("return b1 + w10 * tanh", "return b1 + 1.01 * w10 * tanh"),
    ),
    (
        "a seed changed",
        NETWORK,
        in_source("rng=np.random.RandomState(0)", "rng=np.random.RandomState(1)"),
    ),
    (
        "warnings silenced",
        SENSITIVITY,
        in_source("plt.style.use(", "np.seterr(all='ignore')\nplt.style.use("),
    ),
    (
        "a kernel of one machine",
        DIMER,
        lambda notebook: notebook["metadata"]["kernelspec"].update(name="conda-env-py"),
    ),
    (
        "a comma for a decimal point in a label",
        NETWORK,
        in_source("MSE {network.rmse**2:.1e} up to {end}", "MSE {network.rmse**2:.1e} up to 1,0"),
    ),
    (
        "a marker left out",
        DIMER,
        in_source(
            'plt.plot(distance, energy, "o", label="EMT")',
            'plt.plot(distance[1:], energy[1:], "o", label="EMT")',
        ),
    ),
    ("a slider without the picture that it begins with", MURNAGHAN, in_source("\nexplore()", "")),
]
