"""The last section of every notebook: what the post printed, beside what was found here."""

import tomllib
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import NamedTuple

from helpers.tables import DATA


class PublishedValue(NamedTuple):
    """What a post printed: the text, how many digits of it are to be met here, and why not all."""

    text: str
    digits: int | None = None  # None: every digit; 0: the value can't be computed again
    reason: str = ""


def published_values(post):
    """What `post` printed: a dict from each quantity's name to its `PublishedValue`, from data/published.toml."""
    posts = tomllib.loads((DATA / "published.toml").read_text(encoding="utf-8"))
    if post not in posts:
        raise ValueError(f"published.toml: no post {post!r}; it has {', '.join(map(repr, posts))}")
    return {
        name: PublishedValue(entry) if isinstance(entry, str) else PublishedValue(**entry)
        for name, entry in posts[post].items()
    }


def comparison_table(published, found):
    """A Markdown table of every number in `published`, the number in `found`, and the digits that agree.

    `published` maps names to `data.PublishedValue`; `found` maps the same names to numbers, or to texts where the
    post printed text. Where its value can't be computed again, a text or None is shown as it is. A name on
    one side only, or a digit or text that should agree and does not, raises ValueError: a table that is
    shown is a table that holds.
    """
    if alone := set(published) ^ set(found):
        raise ValueError(
            f"only on one side: {sorted(alone)}; give what was printed and what was found"
        )
    head = ["| | the post | here | digits that agree | why not all |", "|:--|--:|--:|:-:|:--|"]
    return "\n".join(
        head + [_row(name, printed, found[name]) for name, printed in published.items()]
    )


def agrees(text, number, digits):
    """Whether `number` is within half a unit of the last of the first `digits` digits of `text`."""
    unit = Decimal(1).scaleb(Decimal(text).adjusted() - digits + 1)
    return isfinite(number) and abs(Decimal(float(number)) - Decimal(text)) <= unit / 2


def _row(name, printed, found):
    text, digits, reason = printed
    if digits == 0:
        return f"| {name} | {text} | {'–' if found is None else found} | – | {reason} |"
    if not _is_number(text):
        if found != text:
            raise ValueError(
                f"{name}: the post printed {text}, here it is {found}; they should be equal"
            )
        return f"| {name} | {text} | {found} | all | |"
    significant = len(Decimal(text).as_tuple().digits)
    digits = digits or significant
    if not agrees(text, found, digits):
        raise ValueError(
            f"{name}: the post printed {text}, here it is {found}: not {digits} digits agree"
        )
    return (
        f"| {name} | {text} | {_like(text, found, digits)} | {digits} of {significant} | {reason} |"
    )


def _is_number(text):
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _like(text, number, digits):
    """`number` to `digits` significant digits of `text`, in the notation of `text`."""
    if "e" in text:
        return f"{number:.{digits - 1}e}"
    return f"{number:.{max(0, digits - 1 - Decimal(text).adjusted())}f}"
