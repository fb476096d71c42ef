"""Compare stored figures with fresh ones; nbval compares only texts."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.testing.compare import save_diff_image
from PIL import Image
from scipy.ndimage import maximum_filter, minimum_filter

PATCH = 16  # pixels
# Root mean square difference over the whole figure, of 255. Rounding makes 0.02, and a curve that
# is moved by a thousandth of its axis about 3.
TOLERANCE = 0.4
# Patches that the whole leaves out, the most different ones: rounding can move two markers by a
# pixel, each of which touches at most four patches.
LEFT_OUT = 8
# Root mean square difference in a patch that a shift by a pixel can't explain. A comma in the place
# of a decimal point makes 13, and nothing over the whole, which leaves its patch out.
PATCH_TOLERANCE = 4.0


def pictures(outputs):
    """The PNGs, in base64, among a cell's outputs."""
    return [
        output["data"]["image/png"].strip()
        for output in outputs
        if "image/png" in output.get("data", {})
    ]


def describe_differences(stored, fresh, stem):
    """What differs between two lists of PNGs: a list of sentences, empty if nothing does.

    Pictures of each pair that differs are written beside the path `stem`: `stem`-1-stored.png,
    `stem`-1-fresh.png and, if their sizes agree, `stem`-1-difference.png.
    """
    found = []
    if len(stored) != len(fresh):
        found.append(f"{len(stored)} figures are stored, {len(fresh)} drawn now")
    for number, (old, new) in enumerate(zip(stored, fresh, strict=False), 1):
        if old != new and (difference := compare(_pixels(old), _pixels(new))):
            _save(old, new, stem.with_name(f"{stem.name}-{number}"))
            found.append(
                f"figure {number}: {difference}; see {stem.parent.name}/{stem.name}-{number}-*"
            )
    return found


def compare(old, new):
    """How two figures (height, width, 3) differ, or None if rounding explains the difference."""
    if old.shape != new.shape:
        sizes = [f"{width} x {height} pixels" for height, width, _ in (old.shape, new.shape)]
        return f"stored with {sizes[0]}, drawn with {sizes[1]} now"
    patches = np.sort(_mean_squares(new - old), axis=None)
    whole = np.sqrt(np.sum(patches[:-LEFT_OUT]) / patches.size)
    beyond_a_shift = _mean_squares(np.maximum(_outside_range(old, new), _outside_range(new, old)))
    row, column = np.unravel_index(np.argmax(beyond_a_shift), beyond_a_shift.shape)
    worst = np.sqrt(beyond_a_shift[row, column])
    if whole <= TOLERANCE and worst <= PATCH_TOLERANCE:
        return None
    return (
        f"RMS {whole:.2f} over the whole, {worst:.2f} in the patch at "
        f"({PATCH * column}, {PATCH * row}); {TOLERANCE} and {PATCH_TOLERANCE} are allowed"
    )


def _mean_squares(difference):
    """Mean square of each patch, white beyond the edges, (rows, columns)."""
    squares = np.mean(difference**2, axis=2)
    squares = np.pad(squares, [(0, -size % PATCH) for size in squares.shape])
    rows, columns = np.array(squares.shape) // PATCH
    return squares.reshape(rows, PATCH, columns, PATCH).mean(axis=(1, 3))


def _outside_range(one, other):
    """By how much the pixels of `one` are outside the range of 3 x 3 pixels in `other`."""
    lowest = minimum_filter(other, size=(3, 3, 1), mode="nearest")
    highest = maximum_filter(other, size=(3, 3, 1), mode="nearest")
    return np.maximum(0, np.maximum(one - highest, lowest - one))


def _pixels(png):
    """Red, green and blue of a PNG in base64, on white, 0 to 255, (height, width, 3)."""
    picture = Image.open(BytesIO(b64decode(png))).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB"), dtype=float)


def _save(old, new, stem):
    """Write both figures and, by matplotlib's own function, their difference."""
    stem.parent.mkdir(exist_ok=True)
    stored = f"{stem}-stored.png"
    fresh = f"{stem}-fresh.png"
    Path(stored).write_bytes(b64decode(old))
    Path(fresh).write_bytes(b64decode(new))
    if _pixels(old).shape == _pixels(new).shape:
        save_diff_image(stored, fresh, f"{stem}-difference.png")
