"""Sphinx settings of the static site: `make pages`. The source folder is the repository."""

from importlib.resources import files
from pathlib import Path
from shutil import copyfile
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup
from sphinx.util.logging import getLogger

ROOT = Path(__file__).parents[2]
TEXTS = ["data/README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tools/benchmark/RESULTS.md"]

project = "Living notebooks"
root_doc = "README"
include_patterns = ["README.md", "notebooks/*.ipynb", *TEXTS]
exclude_patterns = [".*"]
extensions = ["myst_nb"]
nitpicky = True

myst_enable_extensions = ["amsmath", "dollarmath", "html_image"]
myst_heading_anchors = 6
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"  # with tables and formulas

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
html_static_path = ["pages.css", str(files("mathjax") / "static/mathjax/es5/tex-svg-full.js")]
html_css_files = ["pages.css"]
mathjax_path = "tex-svg-full.js"  # contains its fonts, which some browsers block in local files


def add_table_of_contents(app, docname, source):
    """Append the list of all pages to the README."""
    if docname == root_doc:
        entries = [text for text in TEXTS if (ROOT / text).is_file()]
        for path in sorted(ROOT.glob("notebooks/*.ipynb"), reverse=True):
            number, words = path.stem.split("-", 1)
            title = f"{int(number)} {words.replace('-', ' ').capitalize()}"
            entries.insert(0, f"{title} <notebooks/{path.stem}>")
        source[0] += "\n\n```{toctree}\n:hidden:\n\n" + "\n".join(entries) + "\n```\n"


def check_site(app, exception):
    """Warn of everything in the pages that is broken and that Sphinx accepts, such as raw HTML."""
    if exception:
        return
    copyfile(app.outdir / "README.html", app.outdir / "index.html")
    paths = Path(app.outdir).rglob("*.html")
    pages = {path: BeautifulSoup(path.read_bytes(), "html.parser") for path in paths}
    for path, page in pages.items():
        for tag in page.select("[src], [href]"):
            if problem := find_problem(tag, path, pages):
                getLogger(__name__).warning("%s: %s: %.200s", path.name, problem, tag)


def find_problem(tag, path, pages):
    """Return what is wrong with a link or an image, or None."""
    url = urlsplit(tag.get("src") or tag["href"])
    target = path.parent.joinpath(unquote(url.path)).resolve() if url.path else path
    if url.scheme or url.netloc:
        return None if tag.name == "a" or url.scheme == "data" else "loaded from another site"
    if not target.is_file():
        return "missing file"
    if url.fragment and not pages[target].find(id=unquote(url.fragment)):
        return "missing anchor"
    if tag.name == "img" and tag.get("alt") in (None, "", tag["src"]):
        return "missing alternative text"
    return None


def setup(app):
    """Connect both functions to the events of the build."""
    app.connect("source-read", add_table_of_contents)
    app.connect("build-finished", check_site)
