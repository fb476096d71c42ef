"""Time functions in turns, and state how their times compare."""

from statistics import median
from time import perf_counter

TURN = 5e-3  # s, the shortest turn: fast functions are called repeatedly
MISSED = "**missed**"


def mean_seconds(function, argument):
    """Mean seconds of the calls that fill one turn, and the result of the last one."""
    calls = 0
    elapsed = 0.0
    start = perf_counter()
    while elapsed < TURN:
        result = function(argument)
        calls += 1
        elapsed = perf_counter() - start
    return elapsed / calls, result


def take_turns(arguments, functions, timer=mean_seconds, average=median):
    """Average seconds and all results of each function; all get one argument in each turn.

    Because the functions alternate, a slow minute of the machine slows all of them.
    """
    turns = [[timer(function, argument) for function in functions] for argument in arguments]
    timings = [zip(*timing, strict=True) for timing in zip(*turns, strict=True)]
    return [(average(seconds), results) for seconds, results in timings]


def compare(task, arguments, ours, peers, describe=lambda _: "", condition=None, **options):
    """Yield a row of the table for each of `peers`, which maps names to (function, requirement).

    `describe` gives the text for the results of all turns; `condition` is a text and a function of
    our results and the peer's that tells whether it holds.
    """
    functions = [ours, *(function for function, _ in peers.values())]
    (seconds, results), *timings = take_turns(arguments, functions, **options)
    for name, (peer_seconds, peer_results) in zip(peers, timings, strict=True):
        conditions = {condition[0]: condition[1](results, peer_results)} if condition else {}
        yield {
            "task": task,
            "time / ms": 1e3 * seconds,
            "result": describe(results),
            "compared with": name,
            "its time / ms": 1e3 * peer_seconds,
            "its result": describe(peer_results),
            **judge(peer_seconds / seconds, peers[name][1], conditions),
        }


def judge(ratio, requirement, conditions=()):
    """The cells with a ratio, what is required, such as "≥ 20", and whether it is met."""
    required = dict(conditions)
    if requirement:
        sign, bound = requirement.split()
        required[requirement] = ratio >= float(bound) if sign == "≥" else ratio <= float(bound)
    met = "yes" if all(required.values()) else MISSED
    return {"ratio": ratio, "required": ", ".join(required), "met": met if required else "–"}
