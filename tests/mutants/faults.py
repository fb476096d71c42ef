"""The faults that a green run rules out: what each file would look like with it.

TEXTS: file, what stands there once, and what stands there instead. CELLS: a name, a notebook, and what is done
to its JSON.
"""

import json
from base64 import b64decode, b64encode
from io import BytesIO

import numpy as np
from matplotlib import image

TEXTS = [
    # helpers: a constant, a sign, an exponent, an index, a term
    ("helpers/checks.py", "np.any(sigma <= 0)", "np.any(sigma < 0)"),
    ("helpers/checks.py", "hidden * (inputs.shape[1] + 2) + 1", "hidden * (inputs.shape[1] + 2)"),
    ("helpers/checks.py", "np.all(np.isfinite(array))", "np.any(np.isfinite(array))"),
    ("helpers/comparison.py", "<= unit / 2", "<= unit * 2"),
    ("helpers/comparison.py", "- digits + 1)", "- digits + 2)"),
    ("helpers/comparison.py", "set(published) ^ set(found)", "set(published) - set(found)"),
    ("helpers/data.py", "row[header.index(name)]", "row[0]"),
    ("helpers/data.py", 'text.replace("_", "?")', "text"),
    ("helpers/data.py", "header.count(name) != 1", "header.count(name) < 1"),
    ("helpers/derivatives.py", "x: lambda g: g * (1 - tanh_x**2)", "x: lambda g: g * (1 - tanh_x)"),
    (
        "helpers/derivatives.py",
        "lambda g, tanh_x, x: g * (1 - tanh_x**2)",
        "lambda g, tanh_x, x: g * (1 - x**2)",
    ),
    ("helpers/derivatives.py", "    jacobian[:] = 0\n", ""),
    ("helpers/derivatives.py", "ends = [-1, 0, 0]", "ends = [0, 0, 0]"),
    ("helpers/derivatives.py", "start + BLOCK)", "start + BLOCK - 1)"),
    ("helpers/descent.py", "step % every == 0", "step % every == 1"),
    ("helpers/descent.py", "reached, taken + steps, tuple", "reached, taken, tuple"),
    ("helpers/descent.py", "reached < tolerance", "reached > tolerance"),
    ("helpers/descent.py", "        parameters = adam(", "        _ = adam("),
    ("helpers/dimer.py", "SEPARATED = 10.0", "SEPARATED = 4.0"),
    ("helpers/dimer.py", "dispersion / distance**6", "dispersion / distance**5"),
    ("helpers/dimer.py", "return depth * ((1", "return depth * ((2"),
    ("helpers/dimer.py", "-depth * (1 + stretch)", "-depth * (1 - stretch)"),
    ("helpers/dimer.py", "total_energies([SEPARATED], element)", "total_energies([SEPARATED])"),
    ("helpers/dimer.py", "get_forces()[1, 0]", "get_forces()[0, 0]"),
    ("helpers/documented.py", "texts[-1] if texts", "texts[0] if texts"),
    ("helpers/documented.py", "inspect.cleandoc(text)", "text"),
    ("helpers/documented.py", 'f"{name} : {text}"', 'f"{name}: {text}"'),
    ("helpers/documented.py", "function.args = arguments\n", "pass\n"),
    ("helpers/eos.py", "** bulk_modulus_prime\n", "** (bulk_modulus_prime + 1e-9)\n"),
    ("helpers/eos.py", "        - volume0 * bulk_modulus / excess\n", ""),
    (
        "helpers/eos.py",
        "(x - 1) * bulk_modulus_prime + 6 - 4 * x",
        "(x - 1) * bulk_modulus_prime + 6 - 5 * x",
    ),
    ("helpers/eos.py", "9 / 16 * volume0", "9 / 8 * volume0"),
    ("helpers/eos.py", "(1 - (1 + y) * np.exp(-y))", "(1 - (1 + y) * np.exp(y))"),
    ("helpers/eos.py", "y = 3 / 2 * excess", "y = 2 / 3 * excess"),
    ("helpers/eos.py", "strain**2 * (3 + (bulk", "strain**2 * (3 - (bulk"),
    ("helpers/eos.py", "lambda volume, *parameters: -slope(", "lambda volume, *parameters: slope("),
    ("helpers/eos.py", "-volume * slope(", "volume * slope("),
    ("helpers/eos.py", '["Bohr radius"][0] ** 3', '["Bohr radius"][0] ** 2'),
    (
        "helpers/kinetics.py",
        "np.exp(-total * time) + k_backward)",
        "np.exp(-total * time) - k_backward)",
    ),
    ("helpers/kinetics.py", "k_forward * time / 2", "k_forward * time"),
    ("helpers/kinetics.py", "points=2**14", "points=2**6"),
    ("helpers/kinetics.py", ")[:, :2]", ")[:, 1:]"),
    ("helpers/network.py", "DAMPING = 1e-8", "DAMPING = 1e-2"),
    ("helpers/network.py", "units += hidden_biases[:, np.newaxis]\n", "pass\n"),
    ("helpers/network.py", "biases - shift @ weights", "biases + shift @ weights"),
    ("helpers/network.py", "STEPS = 300", "STEPS = 3"),
    ("helpers/network.py", "rng.standard_normal(n_out) * scale", "rng.standard_normal(n_out)"),
    ("helpers/optimum.py", "SETTLED = 1e-9", "SETTLED = 1e-1"),
    ("helpers/optimum.py", "parameters - step / scale", "parameters + step / scale"),
    ("helpers/optimum.py", 'x_scale="jac", ', ""),
    ("helpers/rates.py", "by_species @ sensitivities + by_parameter", "by_species @ sensitivities"),
    ("helpers/rates.py", "rtol=1e-9, atol=1e-13", "rtol=1e-3, atol=1e-6"),
    ("helpers/regression.py", "student.ppf((1 + level) / 2", "student.ppf(level"),
    (
        "helpers/regression.py",
        "half @ half.T * (sse / dof)",
        "half @ half.T * (sse / len(residuals))",
    ),
    ("helpers/regression.py", "residuals = -residuals * sigma", "residuals = residuals * sigma"),
    ("helpers/regression.py", "len(residuals) - len(parameters)", "len(residuals)"),
    ("helpers/regression.py", "np.sqrt(variance + noise)", "np.sqrt(variance)"),
    ("helpers/regression.py", "UNDETERMINED = 1e-13", "UNDETERMINED = 1e-30"),
    ("helpers/mydef.hy", "(if (in item '[/ *])", "(if (in item '[/])"),
    ("helpers/mydef.hy", "(cut body 1 None)", "body"),
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
    # what checks
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
    """Count the cells as if they had been executed once each, in order, and their results with them."""
    for number, cell in enumerate(code(notebook), 1):
        cell["execution_count"] = number
        for output in cell["outputs"]:
            if "execution_count" in output:
                output["execution_count"] = number


def in_source(old, new):
    """A fault that puts `new` in the place of `old` in the code of the one cell that holds it; outputs stay."""

    def plant(notebook):
        cell = the_cell(notebook, old)
        assert "".join(cell["source"]).count(old) == 1
        cell["source"] = "".join(cell["source"]).replace(old, new)

    return plant


def in_output(old, new):
    """A fault that puts `new` in the place of `old` in what the one cell has stored that holds it; the code stays."""

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
    """The one code cell that holds `text`."""
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
    """A fault that deletes the one code cell that holds `text`, and counts the others anew."""

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
    """The outputs of a notebook that hold a picture."""
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
    """Make the last picture lighter, by twelve of 255, where it isn't white."""
    picture, file = pictures(notebook)[-1], BytesIO()
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
    ("the table of the post deleted", DOCUMENTED, delete("post_and_here(post, found)")),
    (
        "a cell swapped with one that needs it, the others renumbered",
        MURNAGHAN,
        swap("run = descend(", "energy0, modulus, modulus_prime, volume0 = run.parameters"),
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
