"""Columns come back as they are in the file, or not at all."""

import os
import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from helpers.tables import DATA, read_columns

# SHA-256 of the numbers of the post's Table 1, in its order, with blanks between
DIGEST = "d6ecc2c5615443517a3f404d569f0a604082dfa0d8838f3741477f3ea1f8c5a4"


@pytest.fixture
def write(tmp_path):
    """A function that writes the reader's own file and returns its path."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "mine.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def refusal(path, *names, **layout):
    """The message with which a file is refused, without the name of the file."""
    with pytest.raises(ValueError, match=r"^mine\.csv") as problem:
        read_columns(path, *(names or ("x", "y")), **layout)
    return str(problem.value).removeprefix("mine.csv").removeprefix(", ")


# Which file is read


def test_bare_name_means_a_file_of_the_project():
    volume, energy = read_columns("energy_volume.csv", "volume", "energy")
    assert volume.shape == energy.shape == (28,)
    assert volume[0] == 324.85990899
    assert energy[-1] == -399.9445262604


def test_bare_name_means_a_file_in_the_working_directory(write, monkeypatch):
    monkeypatch.chdir(write("x\n7\n").parent)
    assert read_columns("mine.csv", "x")[0].tolist() == [7]


@pytest.mark.parametrize("kind", [str, Path])
def test_path_means_the_readers_own_file(write, kind):
    x, y = read_columns(kind(write("x,y\n1,2\n3,4e-1\n")), "x", "y")
    assert x.tolist() == [1, 3]
    assert y.tolist() == [2, 0.4]


def test_readers_own_file_is_never_replaced_silently(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("template.csv").write_text("x,y\n7,8\n")
    message = r"write '\./template\.csv' for yours or DATA / 'template\.csv' for the project's"
    with pytest.raises(ValueError, match=message):
        read_columns("template.csv", "x")
    assert read_columns("./template.csv", "x")[0].tolist() == [7]
    assert read_columns(Path("template.csv"), "x")[0].tolist() == [7]
    assert len(read_columns(DATA / "template.csv", "x")[0]) > 1


def test_unchanged_copy_of_a_project_file_is_not_ambiguous(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("template.csv").write_bytes((DATA / "template.csv").read_bytes())
    assert len(read_columns("template.csv", "x")[0]) > 1
    monkeypatch.chdir(DATA)
    assert len(read_columns("template.csv", "x")[0]) > 1


def test_path_object_never_means_a_file_of_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_columns(Path("energy_volume.csv"), "volume")


def test_data_are_found_from_any_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert DATA.is_absolute()
    assert len(read_columns("reaction.csv", "time")[0]) > 1


def test_missing_file_is_named_and_the_projects_are_listed(tmp_path):
    message = r"'nowhere\.csv' is not a file; give a path, .* 'energy_volume\.csv'"
    with pytest.raises(FileNotFoundError, match=message):
        read_columns("nowhere.csv", "x")
    for folder in (tmp_path, str(tmp_path), ""):
        with pytest.raises(FileNotFoundError, match="is not a file"):
            read_columns(folder, "x")


@pytest.mark.parametrize("source", [None, 3, b"x.csv", ["x.csv"]])
def test_source_of_a_wrong_type_is_a_type_error(source):
    with pytest.raises(TypeError, match=r"^source is .*; give the path of a file as a str or"):
        read_columns(source, "x")


def test_the_posts_table_is_as_it_was_printed():
    rows = (DATA / "energy_volume.csv").read_text().splitlines()
    assert rows[1] == "324.85990899,-399.9731688470"
    assert sha256(" ".join(rows[1:]).replace(",", " ").encode()).hexdigest() == DIGEST


# Which columns are read


def test_columns_come_in_the_order_asked_for(write):
    b, a, again = read_columns(write("a,b\n1,2\n"), "b", "a", "b")
    assert (a[0], b[0], again[0]) == (1, 2, 2)


def test_column_without_a_name_is_passed_over(write):
    """As pandas writes a table: the index comes first."""
    assert read_columns(write(",x\n0,5\n1,6\n"), "x")[0].tolist() == [5, 6]


def test_name_may_take_two_lines(write):
    path = write('"x\ny",z\n1,2\nn/a,2\n')
    assert refusal(path, "x\ny").startswith("line 4: x\ny is 'n/a'")
    assert read_columns(path, "z")[0].tolist() == [2, 2]


def test_no_names_is_an_error_that_lists_the_columns():
    message = "name at least one column; the file has 'volume', 'energy'"
    with pytest.raises(ValueError, match=message):
        read_columns("energy_volume.csv")


def test_name_that_is_not_a_text_is_a_type_error():
    with pytest.raises(TypeError, match=r"^3 is not the name of a column; give a str"):
        read_columns("energy_volume.csv", 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,z\n1,2\n", "line 1: no column 'y'; the file has 'x', 'z'; ask for one of these"),
        ("x,y,y\n1,2,3\n", "line 1: more than one column 'y'; rename all but one"),
        ("", "line 1: no column names; write them there, separated by commas"),
        ("\n\n", "line 1: no column names"),
        (",\n1,2\n", "line 1: no column names"),
        ('x,"y\nz"\n1,2\n', "line 1: no column 'y'; the file has 'x', 'y\\nz'; ask for one"),
        ("z" * 140_000 + "\n1\n", "line 1: not CSV (field larger than field limit"),
        ("z\n1\n" + "z" * 140_000 + "\n", "line 1: no column 'x'; the file has 'z'"),
        ("x,y\n", ": no rows below the names in line 1; add the data"),
        ("\nx,y\n\n\n", ": no rows below the names in line 2; add the data"),
    ],
)
def test_missing_column_or_row_is_named(write, text, message):
    assert refusal(write(text)).startswith(message)


# Which numbers are read


@pytest.mark.parametrize(
    "text",
    [
        '"x", "y"\n1, "2"\n',
        "\ufeffx,y\n1,2\n",
        " x , y \r\n 1 , 2 \r\n",
        '"x","y"\n"1","2"\n',
        "x,y\r1,2\r",
        "\nx,y\n\n1,2\n \t \n",
        "x,y\n+1.,.2E+01\n",
    ],
)
def test_usual_forms_of_csv_are_read(write, text):
    x, y = read_columns(write(text), "x", "y")
    assert (x.tolist(), y.tolist()) == ([1], [2])


def test_every_float_comes_back_to_the_last_bit(write):
    numbers = np.array([5e-324, -1.7976931348623157e308, 0.1, 1 / 3, 1e22])
    text = "\n".join(["x", *map(repr, numbers.tolist())])
    assert np.array_equal(read_columns(write(text), "x")[0], numbers)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_csvs_own_line_breaks_end_a_line(write, separator):
    path = write(f"x,note\n1,a{separator}b\n2,{separator}\n")
    assert read_columns(path, "x")[0].tolist() == [1, 2]
    path = write(f"x,note\n1,a{separator}b\nn/a,c\n")
    assert refusal(path, "x").startswith("line 3: x is 'n/a'")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_are_counted_with_any_line_break(write, end):
    path = write(end.join(["x,y", "1,2", "", '3,"a', 'b"', "n/a,4", ""]))
    assert refusal(path, "x").startswith("line 6: x is 'n/a'")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("n/a", "'n/a'; give a finite number or delete the line"),
        ("", "empty; give a finite number or delete the line"),
        ('""', "empty; give a finite number or delete the line"),
        ("nan", "'nan'; give a finite number or delete the line"),
        ("-inf", "'-inf'; give a finite number or delete the line"),
        ("1e999", "'1e999'; give a finite number or delete the line"),
        ("0x10", "'0x10'; give a finite number or delete the line"),
        ("1_0", "'1_0'; give a finite number or delete the line"),
        ("\u0661", "'\u0661'; give a finite number or delete the line"),
        ("9" * 50 + "z", f"'{'9' * 40}'; give a finite number or delete the line"),
        ('"2,5"', "'2,5', with a decimal comma; pass decimal=','"),
        (
            '"1,234"',
            "'1,234', with a decimal comma; pass decimal=',', or write '1234' if the comma "
            "separates thousands",
        ),
        ('"1,234.5"', "'1,234.5', with thousands separators; write '1234.5'"),
        ('"1.234,5"', "'1.234,5', with thousands separators; write '1234.5'"),
        ('"1,234,567"', "'1,234,567', with thousands separators; write '1234567'"),
        ("-1 234", "'-1 234', with thousands separators; write '-1234'"),
        ("1_000", "'1_000', with thousands separators; write '1000'"),
        ("1.0D-03", "'1.0D-03', in Fortran's notation; write '1.0E-03'"),
        ("\u22121.5", "'\u22121.5', with a typographic minus; write '-1.5'"),
        ("\u20131e3", "'\u20131e3', with a typographic minus; write '-1e3'"),
    ],
)
def test_cell_that_is_no_number_is_explained(write, cell, message):
    assert refusal(write(f"x,y\n1,2\n3,{cell}\n")) == f"line 3: y is {message}"


def test_spelling_is_explained_in_the_first_row_too(write):
    assert "Fortran's notation" in refusal(write("x,y\n1.0D0,2.0D0\n"))
    assert "typographic minus" in refusal(write("x,y\n\u22121,\u22122\n"))
    assert refusal(write("x,y\nn/a,2\n")).endswith("; give a finite number or delete the line")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n3\n", "line 3: 1 value for 2 columns; fix the line"),
        ("x,y\n1,2,5\n", "line 2: 3 values for 2 columns; fix the line"),
        ("x\n1\n1,2\n", "line 3: 2 values for 1 column; fix the line"),
        ('x,y\n1,2\n""\n', "line 3: 1 value for 2 columns; fix the line"),
        ('x,y\n1,"2\n', "line 2: not CSV (unexpected end of data); fix the line"),
        ('x,y\n1,2\n3,"4\n5,6\n7,8\n', "line 3: not CSV (unexpected end of data); fix the line"),
    ],
)
def test_line_that_does_not_fit_is_named(write, text, message):
    names = text.splitlines()[0].split(",")
    assert refusal(write(text), *names) == message


def test_empty_cell_in_quotes_is_not_an_empty_line(write):
    assert refusal(write('x\n1\n""\n2\n'), "x").startswith("line 3: x is empty")
    assert read_columns(write("x\n1\n  \n2\n\t\n"), "x")[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("latin-1", "line 3: not UTF-8 text but probably Latin-1 or Windows-1252; save the file"),
        ("utf-16", "line 1: UTF-16 text or binary data; save the file as UTF-8"),
        ("utf-16-le", "line 1: UTF-16 text or binary data; save the file as UTF-8"),
        ("utf-16-be", "line 1: UTF-16 text or binary data; save the file as UTF-8"),
    ],
)
def test_other_encodings_are_told_apart(write, encoding, message):
    assert refusal(write("x,y\n1,2\nü,3\n", encoding)).startswith(message)


# Files of another layout: refused with the arguments to pass, and read with them


@pytest.mark.parametrize(
    ("text", "layout", "message"),
    [
        (
            "x;y\n1,5;2\n",
            {"delimiter": ";", "decimal": ","},
            "line 1: no column 'x'; the line holds semicolons; pass delimiter=';'",
        ),
        (
            '"x";"y"\n1.5;2\n',
            {"delimiter": ";"},
            "line 1: not CSV (',' expected after '\"'); the line holds semicolons; "
            "pass delimiter=';'",
        ),
        (
            "x\ty\n1.5\t2\n",
            {"delimiter": "\t"},
            "line 1: no column 'x'; the line holds tabs; pass delimiter='\\t'",
        ),
        (
            "  x   y \n 1.5\t 2  \n",
            {"delimiter": " "},
            "line 1: no column 'x'; the line holds blanks; pass delimiter=' '",
        ),
        (
            '# made by\n  # "hand, on\n\nx,y\n1.5,2\n# the end\n',
            {"comment": "#"},
            "line 1: no column 'x'; line 4 holds the names; pass comment='#'",
        ),
        (
            "x,y\n1.5,2\n% the end\n",
            {"comment": "%"},
            "line 3: 1 value for 2 columns; the line begins with '%'; pass comment='%'",
        ),
        (
            "sep=;\nx;y\n1.5;2\n",
            {"delimiter": ";", "skip_lines": [1]},
            "line 1: no column 'x'; line 2 holds the names; pass delimiter=';', skip_lines=[1]",
        ),
        (
            "x,y\ns,mol/L\n1.5,2\n",
            {"skip_lines": [2]},
            "line 2: x is 's', not a number; if the line holds units, pass skip_lines=[2]",
        ),
        (
            "Instrument,7\nDate;today\n\nNote\nMore\nx,y\n1.5,2\n",
            {"skip_lines": range(1, 6)},
            "line 1: no column 'x'; line 6 holds the names; pass skip_lines=range(1, 6)",
        ),
        (
            '"x","y"\n"1,5","2"\n',
            {"decimal": ","},
            "line 2: x is '1,5', with a decimal comma; pass decimal=','",
        ),
    ],
)
def test_other_layouts_need_an_argument_which_the_message_says(write, text, layout, message):
    path = write(text)
    assert refusal(path) == message
    x, y = read_columns(path, "x", "y", **layout)
    assert (x.tolist(), y.tolist()) == ([1.5], [2])


def test_decimal_comma_is_advised_once_the_delimiter_is_right(write):
    message = refusal(write("x;y\n1,5;2,5\n"), delimiter=";")
    assert message == "line 2: x is '1,5', with a decimal comma; pass decimal=','"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("2.5", "'2.5', with a decimal point; pass decimal='.'"),
        ("1.234,5", "'1.234,5', with thousands separators; write '1234,5'"),
        ("1,0D-3", "'1,0D-3', in Fortran's notation; write '1,0E-3'"),
        ("\u22121,5", "'\u22121,5', with a typographic minus; write '-1,5'"),
    ],
)
def test_advice_keeps_to_the_decimal_comma(write, cell, message):
    path = write(f"x;y\n1;2\n3;{cell}\n")
    assert refusal(path, delimiter=";", decimal=",") == f"line 3: y is {message}"


def test_names_behind_a_comment_sign_are_found(write):
    """As NumPy's savetxt writes them by default."""
    message = "no column 'x'; line 1 holds the names behind '#'; delete this sign"
    assert refusal(write("# x,y\n1,2\n")) == "line 1: " + message.replace("line 1", "the line")
    assert refusal(write("# x y\n1 2\n"), comment="#") == "line 2: " + message


def test_units_are_advised_beside_lines_already_skipped(write):
    path = write("Instrument\nx,y\ns,\n1,2\n")
    assert refusal(path, "y", skip_lines=[1]).endswith("pass skip_lines=[1, 3]")


def test_delimiter_is_advised_even_for_a_name_that_is_not_there(write):
    assert refusal(write("x;y\n1;2\n"), "z").endswith("semicolons; pass delimiter=';'")
    assert refusal(write("# made\nx,y\n1,2\n"), "z").endswith("with '#'; pass comment='#'")


def test_comment_sign_inside_a_line_is_data(write):
    path = write('x,note\n1,#5\n2,"a\n# b"\n')
    assert read_columns(path, "x", comment="#")[0].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("layout", "kind", "message"),
    [
        ({"delimiter": 3}, TypeError, "delimiter is 3; give a str"),
        ({"delimiter": None}, TypeError, "delimiter is None; give a str"),
        ({"delimiter": r"\s+"}, ValueError, r"delimiter is '\\s+'; give one character"),
        ({"delimiter": ""}, ValueError, "delimiter is ''; give one character"),
        ({"delimiter": '"'}, ValueError, "delimiter is '\"'; give one character"),
        ({"decimal": ";"}, ValueError, "decimal is ';'; give '.' or ','"),
        ({"decimal": None}, TypeError, "decimal is None; give a str"),
        ({"comment": 1}, TypeError, "comment is 1; give a str"),
        ({"comment": " "}, ValueError, "comment is ' '; give the text with which"),
        ({"skip_lines": 2}, TypeError, "skip_lines is 2; give the numbers of the lines"),
        ({"skip_lines": "2"}, TypeError, "a number in skip_lines is '2'; give an integer"),
        ({"skip_lines": [0]}, ValueError, "a number in skip_lines is 0; give an integer"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(write, layout, kind, message):
    with pytest.raises(kind, match="^" + re.escape(message)):
        read_columns(write("x,y\n1,2\n"), "x", **layout)


def test_file_is_not_changed_by_reading(write):
    path = write("x;y\r\n1;2\r\n")
    before = (path.read_bytes(), os.stat(path).st_mtime_ns)
    read_columns(path, "x", delimiter=";")
    assert (path.read_bytes(), os.stat(path).st_mtime_ns) == before
