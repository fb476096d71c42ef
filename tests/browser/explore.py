"""Act as a reader of a section "Explore": move the sliders and write into the text areas."""

import re
from time import perf_counter

from playwright.sync_api import TimeoutError as TooLate

REDRAWING = 10_000  # ms
SETTLING = 300  # ms


def visible_errors(page):
    """Errors and text in stderr, each by its last line that isn't indented: the message."""
    shown = [
        (number, re.findall(r"^\S.*", text, re.MULTILINE))
        for number, text in page.evaluate("look.red()")
    ]
    return [
        f"code cell {number}: {lines[-1] if lines else 'text in stderr'}" for number, lines in shown
    ]


def explore(page, row):
    """Move every slider and write into every text area; what is wrong, as a list of sentences."""
    sliders = page.locator(".widget-slider:visible").all()
    areas = page.locator(".widget-textarea:visible").all()
    if not sliders + areas:
        row["moved"] = "nothing to move"
        return ['there is no slider or text area to move; its section "Explore" should have one']
    row["moved"] = f"{len(sliders)} sliders, {len(areas)} texts"
    slowest = 0
    for control, act in [(slider, drag) for slider in sliders] + [(area, edit) for area in areas]:
        taken, wrong = move(page, control, act)
        if wrong:
            name = control.locator(".widget-label").first.inner_text()
            return [f"on moving {name!r}: {sentence}" for sentence in wrong]
        slowest = max(slowest, taken)
        row["ms to redraw"] = f"{1000 * slowest:.0f}"
    return []


def move(page, control, act):
    """Seconds from moving `control` until the output of its cell has changed, and what is wrong."""
    control.scroll_into_view_if_needed()
    before = control.evaluate("look.shown")
    began = act(page, control)
    try:
        page.wait_for_function(
            "([control, before]) => look.changed(control, before)",
            arg=[control.element_handle(), before],
            timeout=REDRAWING,
        )
    except TooLate:
        return None, visible_errors(page) or [f"nothing changes within {REDRAWING / 1000:.0f} s"]
    taken = perf_counter() - began
    page.wait_for_timeout(SETTLING)
    page.wait_for_function("look.idle()", timeout=REDRAWING)
    missing = before["pictures"] - control.evaluate("look.shown")["pictures"]
    gone = [f"figures that are gone: {missing}"] if missing > 0 else []
    return taken, visible_errors(page) or gone


def drag(page, slider):
    """Pull the handle to the other side of its track, and return the time of the start."""
    handle, track = (
        slider.locator(part).first.bounding_box() for part in (".noUi-handle", ".noUi-base")
    )
    x = handle["x"] + handle["width"] / 2
    y = handle["y"] + handle["height"] / 2
    on_the_left = x < track["x"] + track["width"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    began = perf_counter()
    page.mouse.move(track["x"] + track["width"] * (0.75 if on_the_left else 0.25), y)
    page.mouse.up()
    return began


def edit(page, area):
    """Type a word where it is valid syntax, leave, and return the time of the start."""
    area.locator("textarea").evaluate("look.place")
    began = perf_counter()
    page.keyboard.insert_text("now ")
    page.keyboard.press("Tab")
    return began
