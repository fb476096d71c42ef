"""What the original posts printed, and the table that compares it with this work."""

import tomllib
from decimal import (
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
    InvalidOperation,
)
from math import isfinite
from numbers import Real
from typing import NamedTuple

from helpers.tables import DATA

EXACT = Context(prec=2000)  # digits enough for every float


class PublishedValue(NamedTuple):
    """A value as printed, the number of its digits that this work reproduces, and why not all."""

    text: str
    digits: int | None = None  # None: every digit; 0: the value can't be reproduced
    reason: str = ""


def published_values(post):
    """The values that `post` printed, from data/published.toml: `PublishedValue`s by name."""
    posts = tomllib.loads((DATA / "published.toml").read_text(encoding="utf-8"))
    if post not in posts:
        raise ValueError(f"published.toml: no post {post!r}; it has {', '.join(map(repr, posts))}")
    return {
        name: PublishedValue(entry) if isinstance(entry, str) else PublishedValue(**entry)
        for name, entry in posts[post].items()
    }


def comparison_table(published, reproduced):
    """A Markdown table of published and reproduced values and the number of digits that match.

    `published` maps names to `PublishedValue`s. `reproduced` maps the same names to numbers, or to
    texts where the post printed text; for a value that can't be reproduced, a text or None is shown
    as it is. ValueError where a name is in one of them only, or where a text or a digit that should
    match does not.
    """
    if unpaired := set(published) ^ set(reproduced):
        raise ValueError(
            f"{', '.join(map(repr, sorted(unpaired)))}: only published or only reproduced; "
            "give both values"
        )
    rows = [
        "| quantity | published | this work | matching digits | reason |",
        "|:--|--:|--:|:-:|:--|",
    ]
    for name, value in published.items():
        shown, matching = _compare(name, value, reproduced[name])
        rows.append(f"| {name} | {value.text} | {shown} | {matching} | {value.reason} |")
    return "\n".join(rows)


def agrees(text, number, digits):
    """Whether `number` and the number that `text` spells are equal when rounded to `digits` digits.

    The digits are counted from the first of `text` that is not zero. A text that ends in a 5 just
    behind them may be rounded up or down, because it is itself a rounded number.
    """
    if not isfinite(number):
        return False
    published = {_rounded(text, text, digits, mode) for mode in (ROUND_HALF_DOWN, ROUND_HALF_UP)}
    return _rounded(text, number, digits) in published


def _rounded(text, number, digits, rounding=ROUND_HALF_EVEN):
    """`number` rounded to the last of the first `digits` digits of `text`, as a Decimal."""
    unit = Decimal(1).scaleb(Decimal(text).adjusted() - digits + 1)
    exact = Decimal(number) if isinstance(number, str) else Decimal(float(number))
    rounded = exact.quantize(unit, rounding, EXACT)
    return EXACT.plus(rounded)  # without the minus of a negative zero


def _compare(name, value, reproduced):
    """The reproduced value as the table shows it, and how many digits match."""
    text, digits, _ = value
    if digits == 0:
        return "–" if reproduced is None else reproduced, "–"
    if not _is_number(text):
        if reproduced != text:
            raise ValueError(f"{name}: published {text}, reproduced {reproduced}; they differ")
        return reproduced, "all"
    if not isinstance(reproduced, Real):
        raise TypeError(f"{name}: published {text}, reproduced {reproduced!r}; give a number")
    significant = len(Decimal(text).as_tuple().digits)
    digits = digits or significant
    if not agrees(text, reproduced, digits):
        problem = f"they differ when rounded to {digits} digits"
        raise ValueError(f"{name}: published {text}, reproduced {reproduced}; {problem}")
    rounded = _rounded(text, reproduced, digits)
    shown = f"{float(rounded):.{digits - 1}e}" if "e" in text.lower() else f"{rounded:f}"
    return shown, f"{digits} of {significant}"


def _is_number(text):
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
