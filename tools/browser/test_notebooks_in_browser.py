"""Run every notebook in JupyterLab in Chromium, as a reader would, and move its controls."""

import json
import re
from pathlib import Path
from time import perf_counter

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
OPENING = 60_000  # ms
RUNNING = 600_000  # ms
REDRAWING = 10_000  # ms
SETTLING = 500  # ms, because outputs are drawn a moment after the kernel is idle
CONTROLS = ":is(.widget-slider, .widget-textarea):visible"
ERRORS = ":is([data-mime-type$='jupyter.stderr'], [data-mime-type$='jupyter.error'])"
UNKNOWN_MACROS = "mjx-merror, mjx-mtext[style*='color: red']"
IDLE = """() => document.querySelector('.jp-Dialog') || (
    document.querySelector('.jp-StatusBar-Left')?.innerText.endsWith('| Idle')
    && ![...document.querySelectorAll('.jp-InputPrompt')].some(e => e.innerText === '[*]:'))"""
FIGURES = """cells => cells.map(cell => [...cell.querySelectorAll('.jp-RenderedImage img')]
    .filter(image => !image.closest('.jupyter-widgets')).length)"""
BROKEN_IMAGES = """async images => {
    await Promise.allSettled(images.map(image => image.decode()));
    return images.filter(image => image.naturalWidth === 0).map(image => image.src.slice(0, 80));
}"""
SOURCE_TEXT = r"""parts => parts.flatMap(part => {
    const copy = part.cloneNode(true);
    copy.querySelectorAll('code, mjx-container').forEach(other => other.remove());
    return copy.textContent.split('\n').filter(line => /\$|##|\*\*/.test(line));
})"""
OUTPUT = """area => {
    const copy = area.cloneNode(true);
    copy.querySelectorAll('.widget-slider, .widget-textarea').forEach(other => other.remove());
    return copy.textContent.trim() + [...copy.querySelectorAll('img')].map(image => image.src);
}"""


@pytest.mark.browser_context_args(viewport={"width": 1400, "height": 1600})
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_notebook(page, base_url, output_path, notebook):
    page.set_default_timeout(OPENING)
    page.goto(base_url.replace("/lab?", f"/lab/tree/{notebook.name}?reset&"))
    wait_until_idle(page, OPENING)
    assert visible_errors(page) == []
    cells = page.locator(".jp-CodeCell")
    stored = stored_figures(notebook)
    choose(page, "Edit", "Clear Outputs of All Cells")
    choose(page, "Run", "Run All Cells")
    wait_until_idle(page, RUNNING)
    scroller = page.locator(".jp-WindowedPanel-outer")
    for screen in range(scroller.evaluate("e => Math.ceil(e.scrollHeight / e.clientHeight)")):
        scroller.evaluate("(e, screen) => { e.scrollTop = screen * e.clientHeight }", screen)
        page.screenshot(path=f"{output_path}/screen-{screen + 1}.png")
    prompts = cells.locator(".jp-InputPrompt").all_inner_texts()
    unknown = page.locator("mjx-container").filter(has=page.locator(UNKNOWN_MACROS))
    problems = {
        "errors": visible_errors(page),
        "cells not run": [n for n, prompt in enumerate(prompts, 1) if prompt == "[ ]:"],
        "broken images": page.locator(".jp-Notebook img").evaluate_all(BROKEN_IMAGES),
        "source text": page.locator(".jp-RenderedMarkdown").evaluate_all(SOURCE_TEXT),
        "unknown macros": unknown.all_text_contents(),
    }
    assert problems == {kind: [] for kind in problems}
    assert cells.evaluate_all(FIGURES) == stored, "figures of each code cell: drawn, stored"
    seconds = move_controls(page)
    assert seconds, "there is no slider or text area to move; the notebook should have one"
    print(f"{len(stored)} code cells, {sum(stored)} figures, {len(seconds)} controls moved,")
    print(f"redrawn within {max(seconds):.1f} s")
    choose(page, "Kernel", "Shut Down Kernel")


def stored_figures(path):
    """The number of figures that each code cell has stored, folded ones included."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [
        sum("image/png" in output.get("data", {}) for output in cell["outputs"])
        for cell in cells
        if cell["cell_type"] == "code"
    ]


def choose(page, menu, entry):
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def wait_until_idle(page, timeout):
    """Wait until no cell is running and the kernel is idle, or until JupyterLab shows a dialog."""
    page.wait_for_timeout(SETTLING)
    page.wait_for_function(IDLE, timeout=timeout)
    page.wait_for_timeout(SETTLING)


def visible_errors(page):
    """Text of dialogs, and errors and text in stderr, which a widget's callback shows as well."""
    errors = page.locator(".jp-Dialog-content").all_inner_texts()
    for cell in page.locator(".jp-CodeCell").filter(has=page.locator(ERRORS)).all():
        prompt = cell.locator(".jp-InputPrompt").inner_text()
        for text in cell.locator(ERRORS).all_text_contents():
            message = re.findall(r"^\S.*", text, re.MULTILINE)[-1:]  # a traceback's last line
            errors.append(f"{prompt} {message}")
    return errors


def move_controls(page):
    """Drag every slider and edit every text area; seconds until each output has changed."""
    seconds = []
    for cell in page.locator(".jp-CodeCell").filter(has=page.locator(CONTROLS)).all():
        output = cell.locator(".jp-Cell-outputArea")
        for control in cell.locator(CONTROLS).all():
            name = control.locator(".widget-label").inner_text()
            images = output.locator("img").count()
            before = output.evaluate(OUTPUT)
            start = perf_counter()
            move(control)
            deadline = start + REDRAWING / 1000
            while (now := output.evaluate(OUTPUT)) in (before, "") and perf_counter() < deadline:
                page.wait_for_timeout(50)
            seconds.append(perf_counter() - start)
            wait_until_idle(page, REDRAWING)
            assert visible_errors(page) == [], f"after moving {name!r}"
            assert now not in (before, ""), f"{name!r} changes nothing in {REDRAWING // 1000} s"
            assert output.locator("img").count() >= images, f"moving {name!r} removes a figure"
    return seconds


def move(control):
    """Drag a slider's handle to the other side of its track, or insert a word into a text area."""
    area = control.locator("textarea")
    if area.count():
        in_quotes = r'^([^"]*"(?=\w))?'  # another word does not spoil the syntax there
        area.fill(re.sub(in_quotes, r"\1now ", area.input_value()))
        area.press("Tab")
    else:
        track = control.locator(".noUi-base")
        handle = control.locator(".noUi-handle").first
        box = track.bounding_box()
        on_the_left = handle.bounding_box()["x"] < box["x"] + box["width"] / 2
        target = box["width"] * (0.75 if on_the_left else 0.25)
        handle.drag_to(track, target_position={"x": target, "y": 1})
