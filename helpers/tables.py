"""Named columns of a table, checked."""

import csv
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[1] / "data"


def read_columns(source, *names):
    """Arrays of floats, one per name, from the CSV file `source`.

    `source` is the name of a file in data/, or a path to a file of your own: UTF-8, commas between the
    values, the names in the first line. Empty lines carry no value and may stand anywhere. Every other
    line must hold a finite number in each column asked for: nothing is dropped, nothing is filled in.
    """
    path = _find(source)
    header, rows = _read(path)
    if not names:
        raise ValueError(f"{path.name}: name at least one column; the file has {_listed(header)}")
    for name in names:
        if header.count(name) != 1:
            problem = "more than one column" if name in header else "no column"
            advice = (
                "ask for one of these"
                if len(header) > 1
                else "ask for it, or put commas between the columns"
            )
            raise ValueError(
                f"{path.name}, line 1: {problem} {name!r}; the file has {_listed(header)}; {advice}"
            )
    if not rows:
        raise ValueError(f"{path.name}: no rows below the names in line 1; add the data")
    return tuple(
        np.array([_number(row[header.index(name)], path.name, line, name) for line, row in rows])
        for name in names
    )


def _find(source):
    """The file in data/ that a bare name means, or else the path as it stands."""
    if not isinstance(source, str | Path):
        raise ValueError(
            f"{source!r} is no file; give the name of a file in data/, or a path to your own"
        )
    bare = isinstance(source, str) and Path(source).name == source
    path = DATA / source if bare and (DATA / source).is_file() else Path(source).expanduser()
    if not path.is_file():
        ours = _listed(sorted(file.name for file in DATA.glob("*.csv")))
        raise FileNotFoundError(
            f"{source}: no such file; give a path to a CSV file, or one of {ours}"
        )
    return path


def _read(path):
    """The names in the first line, and (line number, values) for every line below that is not empty."""
    content = path.read_bytes()
    try:
        lines = content.decode("utf-8-sig").splitlines(keepends=True)
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        raise ValueError(
            f"{path.name}, line {line}: not UTF-8 text; save the file as UTF-8"
        ) from None
    rows, reader, begin = [], csv.reader(lines, skipinitialspace=True, strict=True), 1
    try:
        for row in reader:
            if row and not (len(row) == 1 and not lines[begin - 1].strip()):
                rows.append((begin, [cell.strip() for cell in row]))
            begin = reader.line_num + 1
    except csv.Error as problem:
        raise ValueError(f"{path.name}, line {begin}: not CSV ({problem}); mend the line") from None
    if not rows or rows[0][0] != 1 or not any(rows[0][1]):
        raise ValueError(
            f"{path.name}, line 1: no column names; write them there, with commas between"
        )
    (_, header), *rows = rows
    for line, row in rows:
        if len(row) != len(header):
            where = f"{path.name}, line {line}"
            raise ValueError(f"{where}: {len(row)} values for {len(header)} columns; mend the line")
    return header, rows


def _number(text, file, line, column):
    """The finite number that `text` spells."""
    try:
        number = float(
            text.replace("_", "?")
        )  # float() takes 1_000 for a number; a table should not
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        value = repr(text[:40]) if text else "empty"
        advice = "give a finite number or delete the line"
        raise ValueError(f"{file}, line {line}: {column} is {value}; {advice}")
    return number


def _listed(names):
    return ", ".join(map(repr, names)) or "none"
