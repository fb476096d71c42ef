"""Stored pictures beside fresh ones: nbval compares texts, and passes over every picture."""

from base64 import b64decode
from io import BytesIO

import numpy as np
from matplotlib import image

TOLERANCE = 1.0  # root mean square over all pixels, 0 to 255; a changed glyph is 2, a lost curve 10


def pictures(outputs):
    """The PNGs, in base64, among a cell's outputs."""
    return [output["data"]["image/png"].strip() for output in outputs if "image/png" in output.get("data", {})]


def differences(stored, fresh, folder, name):
    """What differs between two lists of PNGs: a list of sentences, empty if nothing does.

    Of each pair that differs three pictures are left in `folder`: `name`-1-stored.png, -fresh and -difference.
    """
    found = [] if len(stored) == len(fresh) else [f"{len(stored)} figures are stored, {len(fresh)} drawn now"]
    for number, (old, new) in enumerate(zip(stored, fresh, strict=False), 1):
        if old != new and (complaint := _complaint(_pixels(old), _pixels(new))):
            folder.mkdir(exist_ok=True)
            _leave(_pixels(old), _pixels(new), f"{folder}/{name}-{number}")
            found.append(f"figure {number}: {complaint}; see {folder.name}/{name}-{number}-difference.png")
    return found


def rms(one, other):
    """Root mean square difference over all pixels of two pictures, laid upon each other at the upper left."""
    one, other = _of_one_size(one, other)
    return float(np.sqrt(np.mean((one - other) ** 2)))


def _complaint(old, new):
    """How two pictures differ, or None."""
    if old.shape != new.shape:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (old.shape, new.shape)]
        return f"stored with {sizes[0]} pixels, drawn with {sizes[1]} now, RMS {rms(old, new):.2f}"
    return f"RMS {rms(old, new):.2f}, above {TOLERANCE}" if rms(old, new) > TOLERANCE else None


def _pixels(png):
    """Red, green and blue of a PNG in base64, on white, 0 to 255, (height, width, 3)."""
    pixels = 255 * image.imread(BytesIO(b64decode(png))).astype(float)
    return pixels[..., :3] * pixels[..., 3:] / 255 + 255 - pixels[..., 3:]


def _of_one_size(*pictures):
    """The pictures, filled up with white at the right and below."""
    height, width = np.max([picture.shape[:2] for picture in pictures], axis=0)
    return [
        np.pad(p, [(0, height - p.shape[0]), (0, width - p.shape[1]), (0, 0)], constant_values=255) for p in pictures
    ]


def _leave(old, new, stem):
    """Write both pictures, and the size of their difference, dark where it is large."""
    difference = 255 - np.abs(np.subtract(*_of_one_size(old, new)))
    for kind, picture in {"stored": old, "fresh": new, "difference": difference}.items():
        image.imsave(f"{stem}-{kind}.png", np.round(picture).astype(np.uint8))
