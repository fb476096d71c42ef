"""What a reader does in a section "Explore": move the sliders, write into the text areas, and look."""

import re
from time import perf_counter

from playwright.sync_api import TimeoutError as TooLate

REDRAWING, SETTLING = 10_000, 300  # ms


def red(page):
    """Errors and what stands in stderr, each by its last line that isn't indented: what was raised, or warned of."""
    shown = [
        (number, re.findall(r"^\S.*", text, re.MULTILINE))
        for number, text in page.evaluate("look.red()")
    ]
    return [
        f"code cell {number}: {lines[-1] if lines else 'something in stderr'}"
        for number, lines in shown
    ]


def explore(page, row):
    """Move every slider and write into every text area; what is wrong, as a list of sentences."""
    sliders = page.locator(".widget-slider:visible").all()
    areas = page.locator(".widget-textarea:visible").all()
    row["moved"] = (
        f"{len(sliders)} sliders, {len(areas)} texts" if sliders or areas else "nothing to move"
    )
    if not sliders + areas:
        return [
            'there is no slider and no text area to move; its section "Explore" should have one'
        ]
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
    """Seconds from moving `control` until what its cell shows has changed, and what is wrong then."""
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
        return None, red(page) or [f"nothing changes within {REDRAWING / 1000:.0f} s"]
    taken = perf_counter() - began
    page.wait_for_timeout(SETTLING)
    page.wait_for_function("look.idle()", timeout=REDRAWING)
    missing = before["pictures"] - control.evaluate("look.shown")["pictures"]
    return taken, red(page) or ([f"figures that are gone: {missing}"] if missing > 0 else [])


def drag(page, slider):
    """Pull the handle to the other side of its track; when."""
    handle, track = (
        slider.locator(part).first.bounding_box() for part in (".noUi-handle", ".noUi-base")
    )
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    on_the_left = x < track["x"] + track["width"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    began = perf_counter()
    page.mouse.move(track["x"] + track["width"] * (0.75 if on_the_left else 0.25), y)
    page.mouse.up()
    return began


def edit(page, area):
    """Type a word where it spoils no syntax, and leave; when."""
    area.locator("textarea").evaluate("look.place")
    began = perf_counter()
    page.keyboard.insert_text("now ")
    page.keyboard.press("Tab")
    return began
