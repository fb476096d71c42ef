"""The Radau IIA formula: its nodes, its order, and linear equations solved with it."""

import numpy as np
import pytest

from helpers.collocation import (
    LinearSystem,
    differentiate,
    interpolate,
    radau_iia,
    stage_times,
)


def solve(mesh, stages, jacobian, forcing, start, scale=None):
    """Solutions of ds/dt = J(t) s + f(t) at all stages, for functions J and f of time."""
    times = stage_times(mesh, stages)[1:]
    matrices = np.array([jacobian(time) for time in times])
    n = matrices.shape[1]
    rows, columns = np.nonzero(np.any(matrices != 0, axis=0))
    system = LinearSystem(mesh, stages, n, (rows, columns, matrices[:, rows, columns]))
    lengths = np.repeat(np.diff(mesh), stages)[:, np.newaxis, np.newaxis]
    forces = np.array([forcing(time) for time in times])
    right = np.concatenate([start[np.newaxis], lengths * forces])
    found = system.factorised(np.ones(n) if scale is None else scale)(right)
    return found, system.residual(right, found)


@pytest.mark.parametrize(
    ("stages", "nodes"), [(2, [1 / 3, 1]), (3, [(4 - 6**0.5) / 10, (4 + 6**0.5) / 10, 1])]
)
def test_nodes_are_those_of_the_literature(stages, nodes):
    assert radau_iia(stages)[0] == pytest.approx(nodes, rel=1e-14)


def test_inverse_matrix_has_the_coefficients_of_radau_iia_5():
    """The matrix A of Hairer and Wanner, table IV.5.6, is the inverse of D without its column 0."""
    root = 6**0.5
    coefficients = [
        [(88 - 7 * root) / 360, (296 - 169 * root) / 1800, (-2 + 3 * root) / 225],
        [(296 + 169 * root) / 1800, (88 + 7 * root) / 360, (-2 - 3 * root) / 225],
        [(16 - root) / 36, (16 + root) / 36, 1 / 9],
    ]
    _, differentiation = radau_iia(3)
    assert np.allclose(np.linalg.inv(differentiation[:, 1:]), coefficients, rtol=1e-13)


@pytest.mark.parametrize("stages", [2, 3, 5])
def test_polynomials_are_differentiated_exactly(stages):
    mesh = np.array([0.0, 0.3, 1.0])
    times = stage_times(mesh, stages)
    values = np.stack([times**power for power in range(stages + 1)], axis=1)
    slopes = [power * times[1:] ** max(power - 1, 0) for power in range(stages + 1)]
    assert np.allclose(differentiate(mesh, stages, values), np.stack(slopes, axis=1), atol=1e-12)


@pytest.mark.parametrize("stages", [2, 5])
def test_polynomials_are_interpolated_exactly(stages):
    mesh = np.array([0.0, 0.3, 1.0])
    values = stage_times(mesh, stages)[:, np.newaxis] ** np.arange(stages + 1)
    times = np.linspace(0, 1, 23)
    found = interpolate(mesh, stages, values, times)
    assert np.allclose(found, times[:, np.newaxis] ** np.arange(stages + 1), atol=1e-13)


def test_interpolation_returns_the_values_at_mesh_points():
    mesh = np.array([0.0, 0.1, 0.7, 1.0])
    values = np.random.default_rng(0).normal(size=(1 + 3 * 3, 2))
    assert np.array_equal(interpolate(mesh, 3, values, mesh), values[::3])


@pytest.mark.parametrize("stages", [2, 3, 4])
def test_end_of_a_step_converges_with_order_2s_minus_1(stages):
    """ds/dt = cos(t) s + e^(sin t) from 1: s = (1 + t) e^(sin t)."""

    def error(n_steps):
        mesh = np.linspace(0, 2, n_steps + 1)
        found, _ = solve(
            mesh,
            stages,
            lambda t: np.array([[np.cos(t)]]),
            lambda t: np.array([[np.exp(np.sin(t))]]),
            np.ones((1, 1)),
        )
        return abs(found[-1, 0, 0] - 3 * np.exp(np.sin(2)))

    order = np.log2(error(4) / error(8))
    assert order == pytest.approx(2 * stages - 1, abs=0.5)


@pytest.mark.parametrize("rate", [1e3, 1e8, 1e14])
def test_stiff_decay_lands_on_the_slow_solution(rate):
    """ds/dt = -rate (s - cos t) - sin t from 2: after one step, s is cos t."""
    mesh = np.array([0.0, 0.5, 1.0])
    found, _ = solve(
        mesh,
        3,
        lambda t: np.array([[-rate]]),
        lambda t: np.array([[rate * np.cos(t) - np.sin(t)]]),
        np.full((1, 1), 2.0),
    )
    assert found[-1, 0, 0] == pytest.approx(np.cos(1), abs=2 / rate + 1e-5)


def random_problem(n, n_solutions, seed=0):
    rng = np.random.default_rng(seed)
    fixed = rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.4) - 2 * np.eye(n)
    start, force = rng.normal(size=(2, n, n_solutions))
    return (lambda t: fixed * (1 + t)), (lambda t: force * np.cos(t)), start


@pytest.mark.parametrize("n", [1, 4, 30, 60])
def test_several_solutions_are_those_one_at_a_time(n):
    jacobian, forcing, start = random_problem(n, 3)
    mesh = np.linspace(0, 1, 12)
    together, residual = solve(mesh, 3, jacobian, forcing, start)
    assert np.allclose(residual, 0, rtol=0, atol=1e-11 * np.max(np.abs(together)))
    for j in range(3):
        alone, _ = solve(mesh, 3, jacobian, lambda t, j=j: forcing(t)[:, [j]], start[:, [j]])
        assert np.allclose(together[..., [j]], alone, rtol=1e-11, atol=1e-12)


def test_unit_of_a_component_changes_nothing():
    """Powers of two scale without rounding, so that all digits are the same."""
    jacobian, forcing, start = random_problem(5, 2)
    units = 2.0 ** np.array([-40, -3, 0, 11, 60])
    mesh = np.linspace(0, 1, 8)
    plain, _ = solve(mesh, 3, jacobian, forcing, start)
    scaled, _ = solve(
        mesh,
        3,
        lambda t: units[:, np.newaxis] * jacobian(t) / units,
        lambda t: units[:, np.newaxis] * forcing(t),
        units[:, np.newaxis] * start,
        units,
    )
    assert np.array_equal(scaled / units[:, np.newaxis], plain)


@pytest.mark.parametrize("n", [3, 40])
def test_badly_scaled_equations_are_solved_to_rounding(n):
    """The formula is exact for s = scale (1 + t); amounts span 12 decades, entries of J 24."""
    scale = np.geomspace(1e-12, 1, n)
    fixed = scale[:, np.newaxis] * np.random.default_rng(0).normal(size=(n, n)) / scale / n
    mesh = np.linspace(0, 1, 6)
    found, _ = solve(
        mesh,
        3,
        lambda t: fixed,
        lambda t: (scale - (1 + t) * fixed @ scale)[:, np.newaxis],
        scale[:, np.newaxis],
        scale,
    )
    exact = 1 + stage_times(mesh, 3)[:, np.newaxis]
    assert np.allclose(found[..., 0] / scale, exact, rtol=1e-12, atol=0)


def test_one_stage_is_refused():
    with pytest.raises(ValueError, match="the formula has two or more"):
        radau_iia(1)
