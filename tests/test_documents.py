"""README.md and CONTRIBUTING.md name what there is, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
DOCUMENTS += [ROOT / "data" / "README.md", ROOT / "tests" / "data" / "README.md"]
README, CONTRIBUTING = (path.read_text(encoding="utf-8") for path in DOCUMENTS[:2])


def test_readme_links_every_notebook():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"(notebooks/{path.name})" in README


def test_contributing_names_every_helper_and_command():
    for path in (ROOT / "helpers").glob("*.py"):
        assert path.stem == "__init__" or f"`helpers.{path.stem}`" in CONTRIBUTING
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.search(r"^\.PHONY: (.*) moved$", makefile, re.MULTILINE)[1].split():
        assert f"`make {target}`" in CONTRIBUTING


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(document):
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r'\]\(([^)#]+)[)#]|src="([^"]+)"', text):
        link = "".join(target)
        assert link.startswith("https://") or (document.parent / link).exists(), link


def test_example_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    """Its file of measurements has a known rate."""
    rows = "".join(f"{t},{3 * 0.5**t}\n" for t in range(8))
    (tmp_path / "mine.csv").write_text(f"time,signal\n{rows}")
    code, _ = re.findall(r"```python\n(.*?)```", README, re.DOTALL)  # the other: tools/dask
    monkeypatch.chdir(tmp_path)
    exec(code.replace("path/to/mine.csv", "./mine.csv"), {})
    assert capsys.readouterr().out.startswith("0.693147")
