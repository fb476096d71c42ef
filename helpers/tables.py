"""Named columns of a table in a text file, checked."""

import codecs
import csv
import io
import re
from contextlib import suppress
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.validation import check_integer

PACKAGE = Path(__file__).parent
# An installed package holds a copy of the data; in the repository they lie beside the package.
DATA = PACKAGE / "data" if (PACKAGE / "data").is_dir() else PACKAGE.parent / "data"

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
FORTRAN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[dD][+-]?\d+", re.ASCII)
GROUPED_NUMBER = re.compile(r"[+-]?\d{1,3}([,'’_\s]\d{3})+(\.\d*)?")  # with thousands separators
MINUS_SIGNS = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2013\ufe63\uff0d", "-"))
DELIMITERS = {";": "semicolons", "\t": "tabs", ",": "commas", " ": "blanks"}
COMMENT_SIGNS = ("#", "%", "!")
SEARCHED_LINES = 100  # in which the names are looked for when the header lacks them


class Layout(NamedTuple):
    """How a file is laid out, as the arguments of `read_columns` say."""

    delimiter: str
    decimal: str
    comment: str | None
    skip_lines: frozenset


def read_columns(source, *names, delimiter=",", decimal=".", comment=None, skip_lines=()):
    """Arrays of floats, one for each of `names`, from the text file `source`.

    `source` is a path, or the bare name of one of the project's files such as "template.csv". The
    first line of the file holds the names of the columns, and every other line has to hold a
    finite number in each column asked for: nothing is dropped and nothing is filled in. Only empty
    lines are passed over. The text is encoded as UTF-8.

    Four arguments describe files of another layout. `delimiter` is the character between two
    values, where " " stands for any number of blanks and tabs; `decimal` is "." or ",". Lines that
    begin with the text `comment` are ignored, and so are those whose numbers are in `skip_lines`,
    counted from 1 as in the error messages: [2] for a row of units below the names, or
    range(1, 12) for eleven lines above them.

    Raises FileNotFoundError where there is no such file and ValueError where its content is not as
    described; the message names the line and says what to change.
    """
    layout = _layout(delimiter, decimal, comment, skip_lines)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is not the name of a column; give a str")
    path = _find(source)
    file = path.name
    lines = _lines(path)
    records = _records(file, lines, layout)
    header_line, header = next(records, (1, []))
    where = f"{file}, line {header_line}"
    if not any(header):
        raise ValueError(f"{where}: no column names; write them there, separated by commas")
    if not names:
        raise ValueError(f"{file}: name at least one column; the file has {_listed(header)}")
    for name in names:
        if name not in header:
            advice = (
                _header_advice(lines, header_line, names, layout)
                or _comment_advice(lines[header_line - 1])
                or _delimiter_advice(lines[header_line - 1], delimiter)
                or f"the file has {_listed(header)}; ask for one of these"
            )
            raise ValueError(f"{where}: no column {name!r}; {advice}")
        if header.count(name) > 1:
            raise ValueError(f"{where}: more than one column {name!r}; rename all but one")
    rows = list(records)
    for line, cells in rows:
        if len(cells) != len(header):
            values = "1 value" if len(cells) == 1 else f"{len(cells)} values"
            columns = "1 column" if len(header) == 1 else f"{len(header)} columns"
            advice = _comment_advice(lines[line - 1]) or "fix the line"
            raise ValueError(f"{file}, line {line}: {values} for {columns}; {advice}")
    if not rows:
        raise ValueError(f"{file}: no rows below the names in line {header_line}; add the data")
    return tuple(_column(file, name, header.index(name), rows, layout) for name in names)


def _layout(delimiter, decimal, comment, skip_lines):
    """The arguments of `read_columns` as a `Layout`, checked."""
    for name, text in {"delimiter": delimiter, "decimal": decimal, "comment": comment}.items():
        if not isinstance(text, str) and not (name == "comment" and text is None):
            raise TypeError(f"{name} is {text!r}; give a str")
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"+-.\r\n\0':
        advice = "give one character, such as ';' or '\\t', or ' ' for any number of blanks"
        raise ValueError(f"delimiter is {delimiter!r}; {advice}")
    if decimal not in (".", ","):
        raise ValueError(f"decimal is {decimal!r}; give '.' or ','")
    if comment is not None and not comment.strip():
        raise ValueError(f"comment is {comment!r}; give the text with which these lines begin")
    try:
        numbers = list(skip_lines)
    except TypeError:
        advice = "give the numbers of the lines, for example [2] or range(1, 12)"
        raise TypeError(f"skip_lines is {skip_lines!r}; {advice}") from None
    skipped = frozenset(check_integer("a number in skip_lines", number) for number in numbers)
    return Layout(delimiter, decimal, comment, skipped)


def _find(source):
    """The path of `source`: as it stands, or in DATA for the bare name of a project's file."""
    if not isinstance(source, str | PathLike):
        raise TypeError(f"source is {source!r}; give the path of a file as a str or a Path")
    path = Path(source).expanduser()
    ours = DATA / path
    if isinstance(source, str) and path.name == source and ours.is_file():
        if not path.is_file():
            return ours
        if path.read_bytes() != ours.read_bytes():
            raise ValueError(
                f"{source!r} is the name of a file in the working directory and of another one "
                f"of the project's; write './{source}' for yours or DATA / {source!r} for the "
                "project's, with DATA from helpers.tables"
            )
    if not path.is_file():
        available = _listed(sorted(file.name for file in DATA.glob("*.csv")))
        raise FileNotFoundError(
            f"{str(source)!r} is not a file; give a path, or one of the project's: {available}"
        )
    return path


def _lines(path):
    r"""The lines of a UTF-8 text file with their ends, which are \n, \r and \r\n alone."""
    content = path.read_bytes()
    with_mark = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if with_mark or b"\0" in content:
        line = 1 if with_mark else _line_number(content, content.index(b"\0"))
        problem = "UTF-16 text or binary data"
        raise ValueError(f"{path.name}, line {line}: {problem}; save the file as UTF-8 text")
    try:
        return _split(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = _line_number(content, error.start)
        problem = "not UTF-8 text but probably Latin-1 or Windows-1252"
        raise ValueError(f"{path.name}, line {line}: {problem}; save the file as UTF-8") from None


def _split(text):
    return list(io.StringIO(text, newline=""))


def _line_number(content, position):
    """The number of the line in which the byte at `position` is."""
    return len(_split(content[: position + 1].decode("latin-1")))


def _records(file, lines, layout):
    """(number of the first line, cells) of each record that is neither empty nor to be ignored."""
    remaining = enumerate(lines, 1)
    for number, line in remaining:
        if number in layout.skip_lines:
            continue
        if layout.comment and line.lstrip().startswith(layout.comment):
            continue
        following = (text for _, text in remaining)  # a quoted cell may go on there
        try:
            cells = _cells(line, following, layout.delimiter, strict=True)
        except csv.Error as problem:
            advice = (
                _comment_advice(line) or _delimiter_advice(line, layout.delimiter) or "fix the line"
            )
            raise ValueError(f"{file}, line {number}: not CSV ({problem}); {advice}") from None
        if len(cells) > 1 or line.strip():
            yield number, cells


def _cells(line, following, delimiter, strict):
    """The cells of the record that begins with `line`; it takes what it needs of `following`."""
    if delimiter == " ":
        line = line.replace("\t", " ").strip()
        following = ()
    form = {"delimiter": delimiter, "skipinitialspace": True, "strict": strict}
    return [cell.strip() for cell in next(csv.reader(chain([line], following), **form), [])]


def _comment_advice(line):
    """Which argument to pass if `line` looks like a comment."""
    if line.lstrip().startswith(COMMENT_SIGNS):
        sign = line.lstrip()[0]
        return f"the line begins with {sign!r}; pass comment={sign!r}"
    return None


def _delimiter_advice(line, delimiter):
    """Which argument to pass if `line` holds another delimiter instead of `delimiter`."""
    for other, plural in DELIMITERS.items():
        if other != " " and other in line and delimiter not in line:
            return f"the line holds {plural}; pass delimiter={other!r}"
    return None


def _header_advice(lines, header_line, names, layout):
    """Which arguments to pass if one of the first lines holds all of `names`."""
    for number, delimiter, sign, cells in _possible_headers(lines, layout):
        if not set(names) <= set(cells):
            continue
        where = "the line" if number == header_line else f"line {number}"
        if sign:
            return f"{where} holds the names behind {sign!r}; delete this sign"
        if arguments := _arguments(lines, number, delimiter, layout):
            seen = DELIMITERS[delimiter] if number == header_line else "the names"
            return f"{where} holds {seen}; pass {', '.join(arguments)}"
    return None


def _possible_headers(lines, layout):
    """(line number, delimiter, comment sign before the cells, cells), the likeliest ones first."""
    starts = [line.lstrip() for line in lines[:SEARCHED_LINES]]
    for commented in (False, True):
        for delimiter in (layout.delimiter, *DELIMITERS):
            for number, line in enumerate(starts, 1):
                if line.startswith(COMMENT_SIGNS) is commented:
                    sign = line[0] if commented else ""
                    text = line.lstrip("".join(COMMENT_SIGNS) + " ")
                    with suppress(csv.Error):  # a cell of more than 131 072 characters
                        yield number, delimiter, sign, _cells(text, (), delimiter, strict=False)


def _arguments(lines, header_line, delimiter, layout):
    """What to pass to `read_columns` for the names to be read from `header_line`."""
    arguments = []
    if delimiter != layout.delimiter:
        arguments.append(f"delimiter={delimiter!r}")
    above = [line.strip() for line in lines[: header_line - 1] if line.strip()]
    signs = {line[0] for line in above}
    if len(signs) == 1 and signs <= set(COMMENT_SIGNS):
        arguments.append(f"comment={above[0][0]!r}")
    elif above:
        skipped = sorted(layout.skip_lines | set(range(1, header_line)))
        from_first = len(skipped) == header_line - 1 > 3
        arguments.append(f"skip_lines={range(1, header_line) if from_first else skipped}")
    return arguments


def _column(file, name, index, rows, layout):
    """The numbers of one column."""
    numbers = np.empty(len(rows))
    for i, (line, cells) in enumerate(rows):
        text = cells[index]
        standard = text if layout.decimal == "." else _exchange(text)
        number = float(standard) if NUMBER.fullmatch(standard) else np.nan
        if not np.isfinite(number):
            advice = _number_advice(text, layout.decimal)
            if not advice and i == 0 and any(cells) and not any(map(_is_float, cells)):
                skipped = sorted(layout.skip_lines | {line})
                advice = f", not a number; if the line holds units, pass skip_lines={skipped}"
            shown = repr(text[:40]) if text else "empty"
            advice = advice or "; give a finite number or delete the line"
            raise ValueError(f"{file}, line {line}: {name} is {shown}{advice}")
        numbers[i] = number
    return numbers


def _exchange(text):
    """`text` with points for commas and commas for points."""
    return text.translate({ord("."): ",", ord(","): "."})


def _is_float(text):
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _number_advice(text, decimal):
    """What is special about the spelling of a number, and what to do about it."""
    as_points = _exchange(text) if decimal == "," else text  # "." before the decimals
    as_commas = _exchange(as_points)

    def written(number):
        return repr(_exchange(number) if decimal == "," else number)

    with_hyphen = as_points.translate(MINUS_SIGNS)
    if with_hyphen != as_points and NUMBER.fullmatch(with_hyphen):
        return f", with a typographic minus; write {written(with_hyphen)}"
    if FORTRAN_NUMBER.fullmatch(as_points):
        return f", in Fortran's notation; write {written(re.sub('[dD]', 'E', as_points))}"
    if as_commas != as_points and NUMBER.fullmatch(as_commas):
        other, mark = (",", "comma") if decimal == "." else (".", "point")
        advice = f", with a decimal {mark}; pass decimal={other!r}"
        if GROUPED_NUMBER.fullmatch(as_points):
            plain = written(as_points.replace(",", ""))
            advice += f", or write {plain} if the {mark} separates thousands"
        return advice
    for number in (as_points, as_commas):
        if GROUPED_NUMBER.fullmatch(number):
            plain = written(re.sub(r"[,'’_\s]", "", number))
            return f", with thousands separators; write {plain}"
    return None


def _listed(names):
    return ", ".join(map(repr, names)) or "none"
