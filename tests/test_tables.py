"""Columns come back as they stand in the file, or not at all."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from helpers.published import PublishedValue, published_values
from helpers.tables import DATA, read_columns

# SHA-256 of the numbers of the post\'s Table 1, in its order, with blanks between
DIGEST = "d6ecc2c5615443517a3f404d569f0a604082dfa0d8838f3741477f3ea1f8c5a4"


def written(folder, text, encoding="utf-8"):
    path = folder / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_bare_name_is_a_file_in_data():
    volume, energy = read_columns("energy_volume.csv", "volume", "energy")
    assert volume.shape == energy.shape == (28,)
    assert volume[0] == 324.85990899
    assert energy[-1] == -399.9445262604


def test_a_path_is_the_readers_own_file(tmp_path):
    x, y = read_columns(written(tmp_path, "x,y\n1,2\n3,4e-1\n"), "x", "y")
    assert x.tolist() == [1, 3]
    assert y.tolist() == [2, 0.4]


def test_a_path_to_a_file_named_like_ours_is_the_readers_own(tmp_path, monkeypatch):
    (tmp_path / "energy_volume.csv").write_text("volume\n7\n")
    monkeypatch.chdir(tmp_path)
    assert read_columns("./energy_volume.csv", "volume")[0].tolist() == [7]
    assert len(read_columns("energy_volume.csv", "volume")[0]) == 28


def test_an_explicit_empty_value_is_not_a_blank_line(tmp_path):
    with pytest.raises(ValueError, match="line 3: x is empty"):
        read_columns(written(tmp_path, 'x\n1\n""\n2\n'), "x")


def test_a_column_may_be_asked_for_twice(tmp_path):
    assert [len(column) for column in read_columns(written(tmp_path, "x\n1\n"), "x", "x")] == [1, 1]


def test_a_path_object_is_never_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_columns(Path("energy_volume.csv"), "volume")


@pytest.mark.parametrize("source", [None, 3, b"x.csv", ["x.csv"]])
def test_what_is_no_file_is_refused(source):
    with pytest.raises(ValueError, match="is no file; give the name of a file"):
        read_columns(source, "x")


def test_columns_come_in_the_order_asked_for(tmp_path):
    b, a = read_columns(written(tmp_path, "a,b\n1,2\n"), "b", "a")
    assert (a[0], b[0]) == (1, 2)


@pytest.mark.parametrize(
    "text",
    [
        '"x", "y"\n1, "2"\n',
        "\ufeffx,y\n1,2\n",
        " x , y \r\n 1 , 2 \r\n",
        '"x","y"\n"1","2"\n',
        "x,y\n\n1,2\n\n",
    ],
)
def test_what_spreadsheets_add_does_no_harm(tmp_path, text):
    x, y = read_columns(written(tmp_path, text), "x", "y")
    assert (x.tolist(), y.tolist()) == ([1], [2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x,y\n1,2\n3,n/a\n",
            "mine.csv, line 3: y is 'n/a'; give a finite number or delete the line",
        ),
        ("x,y\n1,2\n\n3,\n", "mine.csv, line 4: y is empty; give"),
        ("x,y\n1,nan\n", "mine.csv, line 2: y is 'nan'; give"),
        ("x,y\n1,-inf\n", "mine.csv, line 2: y is '-inf'; give"),
        ("x,y\n1,1e999\n", "mine.csv, line 2: y is '1e999'; give"),
        ("x,y\n1,1_0\n", "mine.csv, line 2: y is '1_0'; give"),
        ('x,y\n1,"2,5"\n', "mine.csv, line 2: y is '2,5'; give"),
        ("x,z\n1,2\n", "mine.csv, line 1: no column 'y'; the file has 'x', 'z'"),
        ("x;y\n1;2\n", "mine.csv, line 1: no column 'x'; the file has 'x;y'"),
        ("x,y,y\n1,2,3\n", "mine.csv, line 1: more than one column 'y'"),
        ("x,y\n1,2\n3\n", "mine.csv, line 3: 1 values for 2 columns; mend the line"),
        ("x,y\n1,2,5\n", "mine.csv, line 2: 3 values for 2 columns; mend the line"),
        ("x,y\n", "mine.csv: no rows below the names in line 1; add the data"),
        ("x,y\n\n\n", "mine.csv: no rows below the names in line 1; add the data"),
        ("", "mine.csv, line 1: no column names"),
        ("\n\n", "mine.csv, line 1: no column names"),
        ('x,y\n1,"2\n', "mine.csv, line 2: not CSV"),
        ('x,y\n1,2\n3,"4\n5,6\n7,8\n', "mine.csv, line 3: not CSV"),
        ('x,y\n1,2\n""\n', "mine.csv, line 3: 1 values for 2 columns"),
        ("\nx,y\n1,2\n", "mine.csv, line 1: no column names"),
        ("x,y\n1," + "9" * 50 + "z\n", "mine.csv, line 2: y is '" + "9" * 40 + "'; give"),
    ],
)
def test_an_error_names_the_file_the_line_the_column_and_what_to_do(tmp_path, text, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        read_columns(written(tmp_path, text), "x", "y")


def test_other_encodings_are_named(tmp_path):
    with pytest.raises(
        ValueError, match=r"mine\.csv, line 3: not UTF-8 text; save the file as UTF-8"
    ):
        read_columns(written(tmp_path, "x,y\n1,2\nü,3\n", encoding="latin-1"), "x")


def test_a_missing_file_is_named_and_ours_are_listed():
    with pytest.raises(
        FileNotFoundError, match=r"nowhere\.csv: no such file; .* 'energy_volume\.csv'"
    ):
        read_columns("nowhere.csv", "x")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_columns(tmp_path, "x")


def test_no_names_is_an_error_that_lists_them():
    with pytest.raises(
        ValueError, match="name at least one column; the file has 'volume', 'energy'"
    ):
        read_columns("energy_volume.csv")


def test_the_table_of_the_post_is_as_it_was_printed():
    rows = (DATA / "energy_volume.csv").read_text().splitlines()
    assert rows[1] == "324.85990899,-399.9731688470"
    assert sha256(" ".join(rows[1:]).replace(",", " ").encode()).hexdigest() == DIGEST


def test_an_unknown_post_is_named():
    with pytest.raises(ValueError, match="no post 'trimer'; it has 'neural-network-regression'"):
        published_values("trimer")


def test_there_is_a_post_for_each_notebook():
    notebooks = sorted((DATA.parent / "notebooks").glob("*.ipynb"))
    assert [len(published_values(path.stem[3:])) > 0 for path in notebooks] == [True] * 5


def test_a_bare_name_that_is_not_ours_is_a_file_in_the_working_folder(tmp_path, monkeypatch):
    written(tmp_path, "x\n7\n")
    monkeypatch.chdir(tmp_path)
    assert read_columns("mine.csv", "x")[0].tolist() == [7]


def test_blank_lines_of_a_single_column_are_no_values(tmp_path):
    assert read_columns(written(tmp_path, "x\n1\n  \n2\n\t\n"), "x")[0].tolist() == [1, 2]


def test_a_column_without_a_name_is_passed_over(tmp_path):
    """As pandas writes it: the index comes first."""
    assert read_columns(written(tmp_path, ",x\n0,5\n1,6\n"), "x")[0].tolist() == [5, 6]


def test_a_name_may_take_two_lines(tmp_path):
    assert read_columns(written(tmp_path, '"x\ny",z\n1,2\n'), "x\ny")[0].tolist() == [1]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("x;y\n1;2\n", r"the file has 'x;y'; ask for it, or put commas between the columns$"),
        ("x,y\n1,2\n", r"the file has 'x', 'y'; ask for one of these$"),
    ],
)
def test_the_advice_fits_the_file(tmp_path, text, advice):
    with pytest.raises(ValueError, match=advice):
        read_columns(written(tmp_path, text), "z")


def test_what_a_post_printed_is_a_text_with_its_digits_and_reason():
    for post in ("murnaghan-fit", "copper-dimer"):
        assert all(
            isinstance(printed, PublishedValue) for printed in published_values(post).values()
        )
    assert published_values("murnaghan-fit")["E0"] == ("-400.029", None, "")
