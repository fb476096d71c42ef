from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import autograd.numpy as np
import pytest

from helpers.simulation import simulate_coverage

INPUTS = np.linspace(0, 2, 12)


def line(x, intercept, slope):
    return intercept + slope * x


def decay(x, amplitude, rate):
    return amplitude * np.exp(-rate * x)


def test_intervals_of_a_line_have_their_level():
    """They are exact for a linear model with normally distributed errors."""
    found = simulate_coverage(line, INPUTS, [1, 2], 0.3, 400, np.random.default_rng(0), level=0.8)
    assert found.names == ("intercept", "slope")
    assert found.n_failed == 0
    assert np.all(np.abs(found.shares - 0.8) < 3 * found.standard_errors)
    assert found.standard_errors == pytest.approx([0.02, 0.02], rel=0.1)


def test_errors_of_each_input_are_weighted():
    sigma = np.linspace(0.01, 1, 12)
    found = simulate_coverage(line, INPUTS, [1, 2], sigma, 200, np.random.default_rng(1))
    assert np.all(np.abs(found.shares - 0.95) < 3 * found.standard_errors)


def test_failed_fits_count_as_misses():
    """With errors of this size some data don't determine a positive rate."""
    found = simulate_coverage(decay, INPUTS, [1, 2], 3.0, 40, np.random.default_rng(0))
    assert 0 < found.n_failed < 40
    assert np.all(found.shares <= 1 - found.n_failed / 40)


def test_coverage_does_not_depend_on_the_workers():
    def simulate(workers):
        return simulate_coverage(
            decay, INPUTS, [1, 2], 0.1, 20, np.random.default_rng(3), workers=workers
        )

    with ThreadPoolExecutor(2) as executor:
        assert simulate(executor.map).shares.tolist() == simulate(map).shares.tolist()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        in_groups = partial(executor.map, chunksize=10)
        assert simulate(in_groups).shares.tolist() == simulate(map).shares.tolist()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"sigma": 0.0}, ValueError, "sigma is 0.0; give positive"),
        ({"sigma": np.nan}, ValueError, "sigma: contains nan"),
        ({"truth": [1, 2, 3]}, ValueError, "3 numbers for the parameters"),
        ({"truth": [1, np.inf]}, ValueError, "truth: contains inf"),
        ({"n_trials": 1}, ValueError, "n_trials is 1"),
        ({"n_trials": 10.0}, TypeError, "n_trials is 10.0"),
    ],
)
def test_wrong_arguments_are_refused(changes, error, message):
    arguments = {"truth": [1, 2], "sigma": 0.1, "n_trials": 5, "rng": np.random.default_rng(0)}
    with pytest.raises(error, match=message):
        simulate_coverage(line, INPUTS, **(arguments | changes))
