"""How make notebooks waits for a kernel's messages."""

import asyncio
from queue import Empty

import pytest

from execute import again_and_again


def channel(*answers):
    """A channel's get_msg that gives the `answers` in turn, None standing for a time in which nothing is seen."""
    left, timeouts = list(answers), []

    async def get_msg(timeout):
        timeouts.append(timeout)
        await asyncio.sleep(timeout)
        if not left or (answer := left.pop(0)) is None:
            raise Empty
        return answer

    return get_msg, timeouts


def test_a_message_whose_arrival_was_missed_is_found_at_the_next_look():
    get_msg, timeouts = channel(None, None, "reply")
    assert asyncio.run(again_and_again(get_msg, 0.01)(timeout=60)) == "reply"
    assert timeouts == [0.01] * 3
    get_msg, _ = channel(None, "reply")
    assert asyncio.run(again_and_again(get_msg, 0.01)()) == "reply"


def test_it_gives_up_at_the_timeout():
    get_msg, timeouts = channel()
    with pytest.raises(Empty):
        asyncio.run(again_and_again(get_msg, 0.01)(timeout=0.03))
    assert sum(timeouts) <= 0.03 + 1e-9
