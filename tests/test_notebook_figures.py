"""The comparison of figures sees what a reader would see, and forgives rounding."""

from base64 import b64decode, b64encode
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from notebook_plugin.figures import compare, describe_differences

X = np.linspace(0, 1, 40)
CURVE = X**2
POINTS = np.round(np.sqrt(X), 2)


def draw(
    curve=CURVE,
    points=POINTS,
    *,
    model="model 0.5",
    unit="s",
    limits=(-0.1, 1.1),
    size=None,
    legend=True,
    grid=True,
    axis_label=True,
    **line,
):
    """A figure in the style of the notebooks, as a PNG in base64."""
    with plt.style.context("helpers.figures"):
        figure, axes = plt.subplots(figsize=size)
        axes.plot(X[: len(points)], points, "o", label="measured")
        axes.plot(X, curve, label=model, **line)
        axes.set_ylim(limits)
        axes.grid(grid)
        if axis_label:
            axes.set_xlabel(f"time / {unit}")
        if legend:
            axes.legend()
        file = BytesIO()
        figure.savefig(file, format="png")
        plt.close(figure)
    return b64encode(file.getvalue()).decode()


def lighter(png):
    """The figure with all its colours lighter by 12 of 255."""
    file = BytesIO()
    pixels = np.asarray(Image.open(BytesIO(b64decode(png))).convert("RGB"), dtype=int)
    Image.fromarray(np.minimum(pixels + 12, 255).astype(np.uint8)).save(file, "png")
    return b64encode(file.getvalue()).decode()


def with_moved(points, indices, shift):
    moved = points.copy()
    moved[indices] += shift
    return moved


def pixel_height():
    """How far a data point moves, in units of the axis, if it moves by a pixel."""
    with plt.style.context("helpers.figures"):
        figure, axes = plt.subplots()
        axes.set_ylim(-0.1, 1.1)
        low, high = axes.transData.transform([(0, 0), (0, 1)])[:, 1]
        plt.close(figure)
    return 1 / (high - low)


SAME = {
    "equal": lambda: draw(),
    "rounding errors": lambda: draw(CURVE * (1 + 1e-12), POINTS * (1 - 1e-12)),
    "a marker moved by half a pixel": lambda: draw(
        points=with_moved(POINTS, [20], pixel_height() / 2)
    ),
    "two markers moved by a pixel": lambda: draw(
        points=with_moved(POINTS, [20, 30], pixel_height())
    ),
}
DIFFERENT = {
    "a curve moved by a thousandth of its axis": lambda: draw(CURVE + 1.2e-3),
    "a curve scaled by 1.02": lambda: draw(1.02 * CURVE),
    "a curve missing": lambda: draw(np.full(len(X), np.nan)),
    "a point missing": lambda: draw(points=POINTS[:-1]),
    "a point moved by three pixels": lambda: draw(
        points=with_moved(POINTS, [20], 3 * pixel_height())
    ),
    "all markers moved by a pixel": lambda: draw(points=POINTS + pixel_height()),
    "another letter": lambda: draw(unit="h"),
    "a comma for a point": lambda: draw(model="model 0,5"),
    "a decimal point missing": lambda: draw(model="model 0 5"),
    "a label missing": lambda: draw(axis_label=False),
    "a legend missing": lambda: draw(legend=False),
    "a name missing in the legend": lambda: draw(model="_model"),
    "another colour": lambda: draw(color="C2"),
    "another line": lambda: draw(linestyle="--"),
    "a thinner line": lambda: draw(linewidth=1.5),
    "no grid": lambda: draw(grid=False),
    "other limits": lambda: draw(limits=(-0.1, 1.09)),
    "lighter colours": lambda: lighter(draw()),
    "another size": lambda: draw(size=(6, 3)),
}


@pytest.mark.parametrize("name", SAME)
def test_rounding_is_forgiven(name, tmp_path):
    assert describe_differences([draw()], [SAME[name]()], tmp_path / "figure") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", DIFFERENT)
def test_difference_is_found(name, tmp_path):
    assert len(describe_differences([draw()], [DIFFERENT[name]()], tmp_path / "figure")) == 1


def test_missing_and_additional_figures_are_found(tmp_path):
    figure = draw()
    described = describe_differences([figure], [], tmp_path / "figure")
    assert described == ["1 figures are stored, 0 drawn now"]
    described = describe_differences([figure], [figure, figure], tmp_path / "figure")
    assert described == ["1 figures are stored, 2 drawn now"]


def test_differing_figures_and_their_difference_are_saved(tmp_path):
    stem = tmp_path / "differences" / "cell-3"
    without_curve = draw(np.full(len(X), np.nan))
    (sentence,) = describe_differences([draw()], [without_curve], stem)
    assert sentence.startswith("figure 1: RMS ")
    assert sentence.endswith("see differences/cell-3-1-*")
    stored = stem.parent / "cell-3-1-stored.png"
    fresh = stem.parent / "cell-3-1-fresh.png"
    assert stored.read_bytes() == b64decode(draw())
    assert fresh.read_bytes() == b64decode(without_curve)
    difference = np.asarray(Image.open(stem.parent / "cell-3-1-difference.png"))
    assert difference.max() > 200
    assert np.median(difference) == 0


def test_figures_of_other_size_are_saved_without_a_difference(tmp_path):
    (sentence,) = describe_differences([draw()], [draw(size=(6, 3))], tmp_path / "x")
    assert "pixels, drawn with" in sentence
    assert {path.name for path in tmp_path.iterdir()} == {"x-1-stored.png", "x-1-fresh.png"}


def test_patch_with_the_largest_difference_is_located():
    page = np.full((100, 150, 3), 255.0)
    spotted = page.copy()
    spotted[40:44, 70:74] = 0
    size = np.sqrt(16 * 255**2 / 16**2)
    assert f"{size:.2f} in the patch at (64, 32)" in compare(page, spotted)
    assert f"{size:.2f} in the patch at (64, 32)" in compare(spotted, page)
