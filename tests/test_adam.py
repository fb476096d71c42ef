"""Adam is restarted until the tolerance is met, and its course is recorded."""

import autograd.numpy as np
import pytest
from autograd import grad
from autograd.misc.optimizers import adam

from helpers.adam import minimize_adam

CENTRE = np.array([1.0, -2.0])


def bowl(parameters):
    return np.sum((parameters - CENTRE) ** 2)


def test_run_ends_below_the_tolerance_near_the_minimum():
    run = minimize_adam(bowl, np.zeros(2), step_size=0.01, steps=1000, tolerance=1e-10)
    assert run.objective == bowl(run.parameters) < 1e-10
    assert np.allclose(run.parameters, CENTRE, rtol=0, atol=1e-5)


def test_each_run_starts_with_moments_of_zero():
    run = minimize_adam(bowl, np.zeros(2), step_size=0.1, steps=7, tolerance=1.0)
    parameters, runs = np.zeros(2), 0
    while bowl(parameters) >= 1.0:
        parameters = adam(lambda p, _: grad(bowl)(p), parameters, num_iters=7, step_size=0.1)
        runs += 1
    assert runs > 1
    assert np.array_equal(run.parameters, parameters)
    assert [step for step, _ in run.trace] == list(range(0, 7 * runs, 7))


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


def test_start_may_be_nested_and_is_not_changed():
    start = [(np.zeros(1), {"offset": 0.0})]
    run = minimize_adam(
        lambda p: bowl(np.array([p[0][0][0], p[0][1]["offset"]])),
        start,
        step_size=0.1,
        steps=200,
        tolerance=1e-8,
    )
    assert np.isclose(run.parameters[0][1]["offset"], -2, atol=1e-3)
    assert start[0][1]["offset"] == start[0][0][0] == 0


def test_too_few_restarts_is_an_error_that_says_how_far_it_got():
    with pytest.raises(
        RuntimeError,
        match=r"the objective is .* after 6 steps, not below 1e-10; allow more restarts than 2",
    ):
        minimize_adam(bowl, np.zeros(2), step_size=0.01, steps=3, tolerance=1e-10, restarts=2)


def test_objective_that_is_not_finite_is_an_error():
    with pytest.raises(
        ValueError, match="the objective of the start is nan; start where it is finite"
    ):
        minimize_adam(lambda p: p * np.nan, 1.0, step_size=0.1, steps=3, tolerance=1.0)
    with pytest.raises(
        RuntimeError, match="the objective is nan after 3 steps; take a smaller step_size"
    ):
        minimize_adam(
            lambda p: p if p > 0.9 else p * np.nan, 1.0, step_size=0.1, steps=3, tolerance=0.5
        )


@pytest.mark.parametrize(
    ("argument", "value", "kind", "message"),
    [
        ("steps", 0, ValueError, "steps is 0; give an integer, at least 1"),
        ("steps", 3.0, TypeError, r"steps is 3\.0; give an integer, at least 1"),
        ("restarts", 0, ValueError, "restarts is 0; give an integer, at least 1"),
        ("restarts", None, TypeError, "restarts is None; give an integer"),
        ("trace_every", 0, ValueError, "trace_every is 0; give an integer, at least 1"),
        ("trace_every", -1, ValueError, "trace_every is -1; give an integer"),
        ("trace_every", "2", TypeError, "trace_every is '2'; give an integer"),
        ("step_size", 0.0, ValueError, r"step_size is 0\.0; give a positive finite number"),
        ("step_size", np.nan, ValueError, "step_size is nan; give a positive finite number"),
        ("step_size", np.inf, ValueError, "step_size is inf; give a positive finite number"),
        ("step_size", "0.1", TypeError, r"step_size is '0\.1'; give a number"),
        ("tolerance", np.nan, ValueError, "tolerance is nan; give a number"),
        ("tolerance", None, TypeError, "tolerance is None; give a number"),
    ],
)
def test_wrong_setting_is_refused_by_its_own_name(argument, value, kind, message):
    settings = {"step_size": 0.1, "steps": 3, "tolerance": 1.0}
    with pytest.raises(kind, match=f"^{message}"):
        minimize_adam(bowl, np.zeros(2), **settings | {argument: value})


def test_result_does_not_depend_on_the_trace():
    settings = {"step_size": 0.1, "steps": 7, "tolerance": 0.1}
    runs = [
        minimize_adam(bowl, np.zeros(2), **settings, trace_every=trace_every)
        for trace_every in (None, 1, 3, 100)
    ]
    for run in runs:
        assert np.array_equal(run.parameters, runs[0].parameters)
        assert run[1:3] == runs[0][1:3]
    steps = [step % 7 for step, _ in runs[2].trace]
    assert steps == [0, 3, 6] * (len(steps) // 3)
    assert runs[3].trace == runs[0].trace


def test_steps_are_counted_over_all_restarts():
    run = minimize_adam(bowl, np.zeros(2), step_size=0.1, steps=7, tolerance=1.0)
    assert run.steps == 7 + run.trace[-1][0] == 7 * len(run.trace) > 7


def test_a_tolerance_that_is_only_just_reached_is_not_met():
    with pytest.raises(
        RuntimeError,
        match=r"the objective is 0 after 1 steps, not below 0; allow more restarts than 1",
    ):
        minimize_adam(
            lambda p: 0 * np.sum(p), np.zeros(2), step_size=0.1, steps=1, tolerance=0.0, restarts=1
        )


def test_there_are_a_hundred_restarts_by_default():
    with pytest.raises(RuntimeError, match=r"the objective is 5 after 100 steps, not below 1;"):
        minimize_adam(
            lambda p: 5 + 0 * np.sum(p), np.zeros(2), step_size=0.1, steps=1, tolerance=1.0
        )


def test_an_error_on_the_way_says_after_how_many_steps():
    with pytest.raises(RuntimeError, match="the objective is nan after 6 steps"):
        minimize_adam(
            lambda p: p if p > 0.55 else p * np.nan, 1.0, step_size=0.1, steps=3, tolerance=0.5
        )


def test_objective_of_several_numbers_is_refused():
    with pytest.raises(ValueError, match=r"^the objective has shape \(2,\); return one number"):
        minimize_adam(lambda p: p**2, np.ones(2), step_size=0.1, steps=3, tolerance=0.5)


def test_objective_that_is_not_a_number_is_a_type_error():
    with pytest.raises(TypeError, match=r"^the objective of the start is None; return a number"):
        minimize_adam(lambda p: None, np.ones(2), step_size=0.1, steps=3, tolerance=0.5)
