"""Build static pages of the README and the executed notebooks, to be read offline: `make pages`."""

import re
import shutil
import sys
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
from jinja2 import DictLoader
from nbconvert import HTMLExporter

ROOT = Path(__file__).parents[1]
TEMPLATE = """
{%- extends "lab/index.html.j2" -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block extra_css -%}
<style>
main { max-width: 60rem; margin: auto; padding: 1rem; }
nav a { margin-right: 1.5rem; }
td img { max-width: 16rem; }
</style>
{%- endblock -%}
{%- block body_header -%}
{{ super() }}
<nav>
{%- for page, title in resources.pages.items() -%}
<a href="{{ page }}">{{ title }}</a>
{%- endfor -%}
</nav>
{%- endblock -%}
"""
MATHJAX = "mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe"


def build(target):
    """Write the site into the folder `target`, and return the names of its pages."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(files("jupyter_server_mathjax") / "static", target / "mathjax")
    shutil.copytree(ROOT / "notebooks" / "pictures", target / "pictures")
    shutil.copytree(ROOT / "data", target / "data")
    for name in ("LICENSE", "CITATION.cff"):
        shutil.copy(ROOT / name, target)
    texts = {"index.html": ROOT / "README.md", "data.html": ROOT / "data" / "README.md"}
    notebooks = {f"{path.stem}.html": path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    titles = {"index.html": "Living notebooks"} | {
        page: page.removesuffix(".html") for page in notebooks
    }
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"page.html.j2": TEMPLATE})],
        template_file="page.html.j2",
        mathjax_url=MATHJAX,
    )
    for page, path in (texts | notebooks).items():
        notebook = nbformat.read(path, as_version=4) if page in notebooks else _as_notebook(path)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = re.sub(
                    r"\]\((?:notebooks/)?(\S+)\.ipynb\)", r"](\1.html)", cell.source
                )
        notebook.metadata["title"] = titles.get(page, "Data")
        html, _ = exporter.from_notebook_node(notebook, resources={"pages": titles})
        (target / page).write_text(html, encoding="utf-8")
    return [*texts, *notebooks]


def _as_notebook(path):
    """A Markdown file as a notebook of one cell."""
    text = path.read_text(encoding="utf-8")
    text = text.replace("](data/README.md)", "](data.html)").replace(
        "](notebooks/pictures/", "](pictures/"
    )
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


class _Links(HTMLParser):
    """The links of a page, as (tag, address), and its anchors."""

    def __init__(self, page):
        super().__init__()
        self.links = []
        self.anchors = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.links += [(tag, value) for name, value in attrs if name in ("href", "src") and value]
        self.anchors |= {value for name, value in attrs if name in ("id", "name")}


def broken(target, pages):
    """The links of `pages` that are broken or load a file from another site, as sentences."""
    found = {page: _Links(target / page) for page in pages}
    problems = []
    for page, links in found.items():
        for tag, address in links.links:
            url = urlsplit(address)
            if url.scheme == "data" or (tag == "a" and url.scheme in ("http", "https")):
                continue
            if url.scheme or url.netloc:
                problems.append(f"{page}: <{tag}> loads {address[:80]}")
            elif not (target / (unquote(url.path) or page)).is_file():
                problems.append(f"{page}: no file for {address}")
            elif url.fragment and unquote(url.fragment) not in found[url.path or page].anchors:
                problems.append(f"{page}: no anchor for {address}")
    return problems


if __name__ == "__main__":
    site = ROOT / "pages"
    pages = build(site)
    if problems := broken(site, pages):
        sys.exit("\n".join(problems))
    print(f"{len(pages)} pages without a broken link: open {site.name}/index.html")
