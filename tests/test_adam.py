"""Adam in rounds."""

import autograd.numpy as np
import pytest
from autograd import grad
from autograd.misc.optimizers import adam

from helpers.adam import minimize_adam

CENTRE = np.array([1.0, -2.0])


def bowl(parameters):
    return np.sum((parameters - CENTRE) ** 2)


def test_it_ends_below_the_tolerance_near_the_minimum():
    run = minimize_adam(bowl, np.zeros(2), step_size=0.01, steps=1000, tolerance=1e-10)
    assert run.objective == bowl(run.parameters) < 1e-10
    assert np.allclose(run.parameters, CENTRE, rtol=0, atol=1e-5)


def test_each_round_starts_adam_afresh():
    run = minimize_adam(bowl, np.zeros(2), step_size=0.1, steps=7, tolerance=1.0)
    parameters, rounds = np.zeros(2), 0
    while bowl(parameters) >= 1.0:
        parameters = adam(lambda p, _: grad(bowl)(p), parameters, num_iters=7, step_size=0.1)
        rounds += 1
    assert rounds > 1
    assert np.array_equal(run.parameters, parameters)
    assert [step for step, _ in run.trace] == list(range(0, 7 * rounds, 7))


def test_the_trace_holds_the_objective_before_the_step_it_names():
    run = minimize_adam(bowl, np.zeros(2), step_size=0.1, steps=4, tolerance=np.inf, trace_every=2)
    after_two = adam(lambda p, _: grad(bowl)(p), np.zeros(2), num_iters=2, step_size=0.1)
    assert run.trace == ((0, 5.0), (2, bowl(after_two)))


def test_the_trace_is_reported_as_it_grows():
    seen = []
    run = minimize_adam(
        bowl,
        np.zeros(2),
        step_size=0.1,
        steps=4,
        tolerance=3.5,
        trace_every=2,
        report=lambda *at: seen.append(at),
    )
    assert tuple(seen) == run.trace
    seen.clear()
    with pytest.raises(
        RuntimeError, match="not below"
    ):  # what came before the failure has been seen
        minimize_adam(
            bowl,
            np.zeros(2),
            step_size=0.1,
            steps=4,
            tolerance=0,
            restarts=2,
            report=lambda *at: seen.append(at),
        )
    assert [step for step, _ in seen] == [0, 4]


def test_the_start_may_be_nested_and_is_left_alone():
    start = [(np.zeros(1), {"offset": 0.0})]
    run = minimize_adam(
        lambda p: bowl(np.array([p[0][0][0], p[0][1]["offset"]])),
        start,
        step_size=0.01,
        steps=1000,
        tolerance=1e-8,
    )
    assert np.isclose(run.parameters[0][1]["offset"], -2, atol=1e-3)
    assert start[0][1]["offset"] == start[0][0][0] == 0


def test_too_few_rounds_is_an_error_that_says_how_far_it_got():
    with pytest.raises(
        RuntimeError,
        match=r"the objective is .* after 2 rounds of 3 steps, not below 1e-10; allow more",
    ):
        minimize_adam(bowl, np.zeros(2), step_size=0.01, steps=3, tolerance=1e-10, restarts=2)


def test_an_objective_that_is_no_number_is_an_error():
    with pytest.raises(
        ValueError, match="the objective of the start is nan; it has to be one finite number"
    ):
        minimize_adam(lambda p: p * np.nan, 1.0, step_size=0.1, steps=3, tolerance=1.0)
    with pytest.raises(
        RuntimeError, match="the objective is nan after 3 steps; take a smaller step_size"
    ):
        minimize_adam(
            lambda p: p if p > 0.9 else p * np.nan, 1.0, step_size=0.1, steps=3, tolerance=0.5
        )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps is 0; give a whole number, at least 1|trace_every is 0"),
        ({"restarts": 0}, "restarts is 0; give a whole number, at least 1"),
        ({"trace_every": -1}, "trace_every is -1; give a whole number"),
        ({"steps": 3.0}, r"is 3\.0; give a whole number"),
        ({"step_size": 0.0}, r"step_size is 0\.0; give a positive length"),
    ],
)
def test_settings_that_lead_nowhere_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        minimize_adam(bowl, np.zeros(2), **{"step_size": 0.1, "steps": 3, "tolerance": 1.0} | wrong)


def test_the_steps_are_those_of_all_rounds():
    run = minimize_adam(bowl, np.zeros(2), step_size=0.1, steps=7, tolerance=1.0)
    assert run.steps == 7 + run.trace[-1][0] == 7 * len(run.trace) > 7


def test_a_tolerance_that_is_only_just_reached_is_not_met():
    with pytest.raises(
        RuntimeError, match=r"the objective is 0 after 1 rounds of 1 steps, not below 0;"
    ):
        minimize_adam(
            lambda p: 0 * np.sum(p), np.zeros(2), step_size=0.1, steps=1, tolerance=0.0, restarts=1
        )


def test_it_tries_a_hundred_rounds():
    with pytest.raises(
        RuntimeError, match=r"the objective is 5 after 100 rounds of 1 steps, not below 1;"
    ):
        minimize_adam(
            lambda p: 5 + 0 * np.sum(p), np.zeros(2), step_size=0.1, steps=1, tolerance=1.0
        )


def test_an_error_on_the_way_says_after_how_many_steps():
    with pytest.raises(RuntimeError, match="the objective is nan after 6 steps"):
        minimize_adam(
            lambda p: p if p > 0.55 else p * np.nan, 1.0, step_size=0.1, steps=3, tolerance=0.5
        )


def test_an_objective_of_many_numbers_is_refused():
    with pytest.raises(ValueError, match="it has to be one finite number"):
        minimize_adam(lambda p: p**2, np.ones(2), step_size=0.1, steps=3, tolerance=0.5)
