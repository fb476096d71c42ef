"""Compare stored pictures with fresh ones. nbval compares only texts."""

from base64 import b64decode
from io import BytesIO

import numpy as np
from matplotlib import image
from scipy.ndimage import maximum_filter, minimum_filter

# Root mean square difference over a whole picture, of 255. Rounding makes 0.02, and a curve that is
# moved by 1e-3 of its axis 1.3 or more.
TOLERANCE = 1.0
# Size of a patch in pixels. Over the whole picture, a comma in the place of a decimal point makes
# only 0.6, because most of the picture is white.
PATCH = 16
# Root mean square difference in a patch that a shift by one pixel can't explain. A marker that
# rounding has moved by a pixel makes 0.
PATCH_TOLERANCE = 4.0


def pictures(outputs):
    """The PNGs, in base64, among a cell's outputs."""
    return [
        output["data"]["image/png"].strip()
        for output in outputs
        if "image/png" in output.get("data", {})
    ]


def differences(stored, fresh, folder, name):
    """What differs between two lists of PNGs: a list of sentences, empty if nothing does.

    Three pictures of each pair that differs are written to `folder`: `name`-1-stored.png,
    `name`-1-fresh.png and `name`-1-difference.png.
    """
    found = []
    if len(stored) != len(fresh):
        found.append(f"{len(stored)} figures are stored, {len(fresh)} drawn now")
    for number, (old, new) in enumerate(zip(stored, fresh, strict=False), 1):
        if old != new and (complaint := _complaint(_pixels(old), _pixels(new))):
            folder.mkdir(exist_ok=True)
            _save_difference(_pixels(old), _pixels(new), f"{folder}/{name}-{number}")
            found.append(
                f"figure {number}: {complaint}; see {folder.name}/{name}-{number}-difference.png"
            )
    return found


def rms(one, other):
    """Root mean square difference over all pixels of two pictures, aligned at the upper left."""
    difference = np.subtract(*_of_one_size(one, other))
    return float(np.sqrt(np.mean(difference**2)))


def largest_difference(one, other):
    """Root mean square difference in the patch where it is largest, and the patch's corner (x, y).

    The difference of a pixel is its distance from the range of the 3 x 3 pixels around the same
    place in the other picture.
    """
    one, other = _of_one_size(one, other)
    squares = np.mean(np.maximum(_beyond(one, other), _beyond(other, one)) ** 2, axis=2)
    squares = np.pad(squares, [(0, -size % PATCH) for size in squares.shape])
    patches = squares.reshape(len(squares) // PATCH, PATCH, -1, PATCH).mean(axis=(1, 3))
    row, column = np.unravel_index(np.argmax(patches), patches.shape)
    return float(np.sqrt(patches[row, column])), (int(column) * PATCH, int(row) * PATCH)


def _beyond(one, other):
    """By how much the pixels of `one` are outside the range of 3 x 3 pixels in `other`."""
    lowest, highest = (
        extreme(other, size=(3, 3, 1), mode="nearest")
        for extreme in (minimum_filter, maximum_filter)
    )
    return np.maximum(0, np.maximum(one - highest, lowest - one))


def _complaint(old, new):
    """How two pictures differ, or None."""
    overall = rms(old, new)
    size, (x, y) = largest_difference(old, new)
    found = f"RMS {overall:.2f} over all pixels, {size:.2f} in the {PATCH} x {PATCH} at ({x}, {y})"
    if old.shape != new.shape:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (old.shape, new.shape)]
        return f"stored with {sizes[0]} pixels, drawn with {sizes[1]} now, {found}"
    allowed = overall <= TOLERANCE and size <= PATCH_TOLERANCE
    return None if allowed else f"{found}; {TOLERANCE} and {PATCH_TOLERANCE} are allowed"


def _pixels(png):
    """Red, green and blue of a PNG in base64, on white, 0 to 255, (height, width, 3)."""
    pixels = 255 * image.imread(BytesIO(b64decode(png))).astype(float)
    return pixels[..., :3] * pixels[..., 3:] / 255 + 255 - pixels[..., 3:]


def _of_one_size(*pictures):
    """The pictures, filled up with white at the right and below."""
    height, width = np.max([picture.shape[:2] for picture in pictures], axis=0)
    return [
        np.pad(p, [(0, height - p.shape[0]), (0, width - p.shape[1]), (0, 0)], constant_values=255)
        for p in pictures
    ]


def _save_difference(old, new, stem):
    """Write both pictures and their difference: white for none, darkest where it is largest."""
    absolute = np.abs(np.subtract(*_of_one_size(old, new)))
    difference = 255 - absolute * (255 / (absolute.max() or 1.0))
    for kind, picture in {"stored": old, "fresh": new, "difference": difference}.items():
        image.imsave(f"{stem}-{kind}.png", np.round(picture).astype(np.uint8))
