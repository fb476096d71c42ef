"""Run every notebook in JupyterLab in Chromium, as a reader would: `make browser`.

It prints a table, and what is wrong. Usage: python browser.py JUPYTER NOTEBOOK...
"""

import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from time import perf_counter

from playwright.sync_api import Error, sync_playwright

from explore import explore, visible_errors
from lab import code, jupyterlab, read

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--disable-quic",
]
SCREENSHOTS = Path(__file__).parents[2] / "browser-screenshots"
WINDOW = {"width": 1400, "height": 1600}  # px
OPENING = 60_000  # ms
RUNNING = 600_000  # ms
SETTLING = 300  # ms
COLUMNS = {
    "notebook": 30,
    "cells": 7,
    "figures": 9,
    "moved": 22,
    "ms to redraw": 14,
    "seconds": 9,
}  # characters


def visit(browser, notebook, url, token):
    """The row of `notebook` in the table, and what is wrong with it."""
    row = {"notebook": notebook.stem}
    wrong = []
    began = perf_counter()
    page = browser.new_page(viewport=WINDOW)
    page.set_default_timeout(OPENING)
    page.add_init_script(path=Path(__file__).with_name("page.js"))
    try:
        run(page, f"{url}lab/tree/{notebook.name}?reset&token={token}")
        wrong += check(page, code(read(notebook)), row)
        page.evaluate("look.scroll(0)")
        for screen in range(page.evaluate("look.screens()")):
            page.evaluate("screen => look.scroll(screen)", screen)
            photograph(page, notebook, screen + 1)
        if not wrong:
            wrong += explore(page, row)
            photograph(page, notebook, "explored")
        page.evaluate("look.panel().sessionContext.shutdown()")
    except Error as error:
        wrong.append("stopped; " + error.message.splitlines()[0].split("Error: ")[-1])
        photograph(page, notebook, "stopped")
    page.close()
    row["seconds"] = f"{perf_counter() - began:.1f}"
    return row, wrong


def photograph(page, notebook, what):
    with suppress(Error):  # the page may be gone
        page.screenshot(path=SCREENSHOTS / f"{notebook.stem}-{what}.png")


def run(page, url):
    """Open a notebook and run all its cells by the menu, to the end or to the first error."""
    page.goto(url)
    page.wait_for_function("look.idle()")
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    page.wait_for_function("look.ran()", timeout=RUNNING)
    page.wait_for_timeout(SETTLING)


def check(page, stored, row):
    """What is wrong with the cells after the run: a list of sentences."""
    fresh = page.evaluate("look.outputs()")
    row["cells"] = len(fresh)
    row["figures"] = sum(map(pictures, fresh))
    wrong = visible_errors(page)
    for number, (now, then) in enumerate(zip(fresh, stored, strict=True), 1):
        if not now["execution_count"]:
            wrong.append(f"code cell {number} has not run")
        elif pictures(now) != pictures(then):
            wrong.append(
                f"code cell {number}: figures stored {pictures(then)}, drawn {pictures(now)}"
            )
    if not wrong and any(map(complains, fresh)):
        wrong.append("a cell has an error or text in stderr that the page does not show as one")
    wrong += [f"shown as source text: {text.strip()}" for text in page.evaluate("look.raw()")]
    if (seen := page.evaluate("look.drawn()")) != row["figures"]:
        wrong.append(f"the kernel has sent {row['figures']} figures, the page shows {seen}")
    return wrong


def pictures(cell):
    return sum("image/png" in output.get("data", {}) for output in cell["outputs"])


def complains(cell):
    return any(
        output["output_type"] == "error" or output.get("name") == "stderr"
        for output in cell["outputs"]
    )


def line(row):
    return "".join(f"{row.get(name, '–')!s:>{width}}" for name, width in COLUMNS.items())


def main(jupyter, *names):
    """Print the table; the exit status."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print(
            f"SKIPPED: no browser was found, none of {', '.join(BROWSERS)}. "
            "On Debian: apt-get install chromium"
        )
        return 0
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    notebooks = [Path(name) for name in names]
    wrong = []
    print(line({name: name for name in COLUMNS}), flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as home,
        sync_playwright() as playwright,
        jupyterlab(jupyter, notebooks, Path(home)) as (url, token),
        chromium(playwright, program, home) as browser,
    ):
        for notebook in notebooks:
            row, complaints = visit(browser, notebook, url, token)
            print(line(row), flush=True)
            wrong += [f"{notebook.name}: {complaint}" for complaint in complaints]
    print(*wrong, f"Screenshots: {SCREENSHOTS.name}/", sep="\n")
    return 1 if wrong else 0


def chromium(playwright, program, home):
    """Launch Chromium with a home folder of its own; its sandbox doesn't work as root."""
    apart = {"env": {**os.environ, "HOME": home}, "chromium_sandbox": os.geteuid() != 0}
    try:
        return playwright.chromium.launch(executable_path=program, args=FLAGS, **apart)
    except Error as error:
        said = [line for line in error.message.split("Call log")[0].splitlines() if "[err]" in line]
        sys.exit("\n".join([f"{program} does not start.", *said]))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends JupyterLab and Chromium
    sys.exit(main(*sys.argv[1:]))
