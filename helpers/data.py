"""Named columns of a table, checked; and what each post printed."""

import csv
import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np

DATA = Path(__file__).parents[1] / "data"


def columns(source, *names):
    """Arrays of floats, one per name, from the CSV file `source`.

    `source` is the name of a file in data/, or a path to a file of your own: UTF-8, commas between the
    values, the names in the first line. Blank lines carry no value and may stand anywhere. Every other
    line must hold a finite number in each column asked for: nothing is dropped, nothing is filled in.
    """
    path = _find(source)
    header, rows = _read(path)
    if not names:
        raise ValueError(f"{path.name}: name at least one column; the file has {_listed(header)}")
    for name in names:
        if header.count(name) != 1:
            problem = "more than one column" if name in header else "no column"
            raise ValueError(f"{path.name}, line 1: {problem} {name!r}; the file has {_listed(header)}")
    if not rows:
        raise ValueError(f"{path.name}: no rows below the names in line 1; add the data")
    table = {name: header.index(name) for name in names}
    return tuple(
        np.array([_number(row[column], path.name, line, name) for line, row in rows])
        for name, column in table.items()
    )


class Printed(NamedTuple):
    """What a post printed: the text, how many digits of it are to be met here, and why not all."""

    text: str
    digits: int | None = None  # None: every digit; 0: the value can't be computed again
    reason: str = ""


def published(post):
    """What `post` printed: a dict from each quantity's name to its `Printed`, from data/published.toml."""
    posts = tomllib.loads((DATA / "published.toml").read_text(encoding="utf-8"))
    if post not in posts:
        raise ValueError(f"published.toml: no post {post!r}; it has {_listed(posts)}")
    return {
        name: Printed(entry) if isinstance(entry, str) else Printed(**entry) for name, entry in posts[post].items()
    }


def _find(source):
    """The file in data/ that a bare name means, or else the path as it stands."""
    bare = Path(source).name == str(source)
    path = DATA / source if bare and (DATA / source).is_file() else Path(source)
    if not path.is_file():
        ours = _listed(sorted(file.name for file in DATA.glob("*.csv")))
        raise FileNotFoundError(f"{source}: no such file; give a path to a CSV file, or one of {ours}")
    return path


def _read(path):
    """The names in the first line, and (line number, values) for every line below that is not blank."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
        except UnicodeDecodeError as problem:
            raise ValueError(f"{path.name}: not UTF-8 text ({problem.reason}); save it as UTF-8") from None
        except csv.Error as problem:
            where = f"{path.name}, line {reader.line_num}"
            raise ValueError(f"{where}: not CSV ({problem}); mend the line") from None
    if not lines or not any(lines[0][1]):
        raise ValueError(f"{path.name}, line 1: no column names; write them there, with commas between")
    (_, header), *rows = lines
    rows = [(line, row) for line, row in rows if row not in ([], [""])]
    for line, row in rows:
        if len(row) != len(header):
            where = f"{path.name}, line {line}"
            raise ValueError(f"{where}: {len(row)} values for {len(header)} columns; mend the line")
    return header, rows


def _number(text, file, line, column):
    """The finite number that `text` spells."""
    try:
        number = float(text.replace("_", "?"))  # float() takes 1_000 for a number; a table should not
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        value = "empty" if not text else repr(text)
        advice = "give a finite number or delete the line"
        raise ValueError(f"{file}, line {line}: {column} is {value}; {advice}")
    return number


def _listed(names):
    return ", ".join(map(repr, names)) or "none"
