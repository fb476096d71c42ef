"""`make notebooks` waits for a kernel's messages."""

import asyncio
from queue import Empty

import pytest

from execute import poll


def channel(*answers):
    """A channel's `get_msg` that gives the `answers` in turn, and the timeouts of its calls.

    None stands for a time in which no message is seen.
    """
    left = list(answers)
    timeouts = []

    async def get_msg(timeout):
        timeouts.append(timeout)
        await asyncio.sleep(timeout)
        if not left or (answer := left.pop(0)) is None:
            raise Empty
        return answer

    return get_msg, timeouts


def test_missed_message_is_found_at_next_poll():
    get_msg, timeouts = channel(None, None, "reply")
    assert asyncio.run(poll(get_msg, 0.01)(timeout=60)) == "reply"
    assert timeouts == [0.01] * 3
    get_msg, _ = channel(None, "reply")
    assert asyncio.run(poll(get_msg, 0.01)()) == "reply"


def test_polling_ends_at_timeout():
    get_msg, timeouts = channel()
    with pytest.raises(Empty):
        asyncio.run(poll(get_msg, 0.01)(timeout=0.03))
    assert sum(timeouts) <= 0.03 + 1e-9
