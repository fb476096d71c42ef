"""The pages that `make pages` builds have no broken links, and need no network."""

import pytest

from pages import broken, build


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, and the names of its pages."""
    folder = tmp_path_factory.mktemp("site") / "pages"
    return folder, build(folder)


def test_site_has_no_broken_or_external_links(site):
    assert broken(*site) == []


def test_landing_page_links_every_notebook(site):
    folder, pages = site
    landing = (folder / "index.html").read_text(encoding="utf-8")
    assert [page[:2] for page in pages if page[:1].isdigit()] == ["01", "02", "03", "04", "05"]
    assert all(f'href="{page}"' in landing for page in pages)


def test_links_between_notebooks_lead_to_their_pages(site):
    folder, _ = site
    text = (folder / "04-copper-dimer.html").read_text(encoding="utf-8")
    assert '<a href="02-murnaghan-fit.html">notebook 2</a>' in text


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ('<a href="nowhere.html">', "no file for nowhere.html"),
        ('<a href="#nowhere">', "no anchor for #nowhere"),
        ('<a href="data.html#nowhere">', "no anchor for data.html#nowhere"),
        ('<img src="https://example.org/x.png">', "<img> loads https://example.org/x.png"),
        ('<script src="//example.org/x.js">', "<script> loads //example.org/x.js"),
    ],
)
def test_broken_or_external_link_is_reported(site, link, problem):
    folder, pages = site
    page = folder / "index.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(text + link, encoding="utf-8")
    assert broken(folder, pages) == [f"index.html: {problem}"]
    page.write_text(text, encoding="utf-8")
