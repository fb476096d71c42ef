"""The helpers and other packages on the same data. The ratio is their time divided by ours."""

import subprocess
import sys
import warnings
from functools import partial
from itertools import chain, product
from statistics import mean, median

import ase.eos
import autograd.numpy as np
import jax
import lmfit
from autograd import jacobian
from pycse import nlinfit
from pymatgen.analysis.eos import EOS
from scipy.optimize import curve_fit, least_squares
from scipy.optimize._numdiff import approx_derivative
from sklearn.neural_network import MLPRegressor

from helpers.adam import minimize_adam
from helpers.autodiff import model_jacobian, tanh
from helpers.dimer import binding_energies
from helpers.eos import birch_murnaghan, fit_eos, murnaghan, poirier_tarantola, vinet
from helpers.least_squares import fit
from helpers.network import train
from helpers.tables import read_columns
from reference_problems.nist import MODELS, read_problem
from timing import compare

jax.config.update("jax_enable_x64", True)
RNG = np.random.default_rng
VOLUME, ENERGY = read_columns("energy_volume.csv", "volume", "energy")  # bohr³, Ha
START = np.array([-400, 0.5, 2, 210])
FOUND = lambda found: f"{sum(found)} of {len(found)}", ("all", lambda ours, _: all(ours))
# calculated with 50 digits
OPTIMUM = [-400.0294660730306, 0.003735889834296311, 4.048736514430762, 212.7784226294645]


def ten_tanh(x, b1, w10, w00, b00, w11, w01, b01, w12, w02, b02, tanh=tanh):
    return b1 + w10 * tanh(w00 * x + b00) + w11 * tanh(w01 * x + b01) + w12 * tanh(w02 * x + b02)


def jacobian_by_hand(x, parameters):
    result = np.ones((len(x), 10))
    for first, (height, slope, offset) in zip((1, 4, 7), parameters[1:].reshape(3, 3), strict=True):
        unit = np.tanh(slope * x + offset)
        derivative = height * (1 - unit**2)
        result[:, first] = unit
        result[:, first + 1] = derivative * x
        result[:, first + 2] = derivative
    return result


def jacobians():
    turns = [RNG(0).standard_normal(10)] * 21
    one_pass = model_jacobian(ten_tanh)
    in_jax = jax.jit(jax.jacfwd(lambda p, x: ten_tanh(x, *p, tanh=jax.numpy.tanh)))
    model, ours = (partial(lambda f, x, p: f(x, *p), f) for f in (ten_tanh, one_pass))
    same = "same values", lambda ours, theirs: np.allclose(ours, theirs, rtol=1e-12, atol=1e-14)
    for n, requirement in ((50, "≥ 20"), (2_000, "≥ 300")):
        x = np.linspace(0, 1, n)
        peers = {"autograd.jacobian": (jacobian(partial(model, x)), requirement)}
        yield from compare(f"Jacobian, {n} points", turns, partial(ours, x), peers, condition=same)
    small, middle, large = (np.linspace(0, 1, n) for n in (1_000, 10_000, 100_000))
    peers = {"the same, 10⁴ points": (partial(ours, middle), "≤ 15")}
    yield from compare("Jacobian, 10³ points", turns, partial(ours, small), peers)
    peers = {"the same, 10⁵ points": (partial(ours, large), "≤ 15")}
    yield from compare("Jacobian, 10⁴ points", turns, partial(ours, middle), peers)
    differences = partial(approx_derivative, partial(model, large), method="2-point")
    on_device = jax.numpy.asarray(large)
    peers = {
        "SciPy's finite differences": (differences, "≥ 1"),
        "JAX, compiled jacfwd": (lambda p: in_jax(p, on_device).block_until_ready(), ""),
        "a Jacobian written by hand": (partial(jacobian_by_hand, large), ""),
    }
    yield from compare("Jacobian, 10⁵ points", turns, partial(ours, large), peers)


def cube_root():
    x = np.linspace(0, 1)
    y = x ** (1 / 3)

    def residuals(parameters):
        return y - ten_tanh(x, *parameters)

    def ours(seed):
        return train(x, y, 3, RNG(seed)).rmse ** 2

    def scipy(seed, jac="2-point", evaluations=None):
        start = 0.1 * RNG(seed).standard_normal(10)
        return 2 * least_squares(residuals, start, jac, max_nfev=evaluations).cost / len(x)

    def good(mses):
        return sum(mse <= 6e-7 for mse in mses)

    peers = {"least_squares, autograd.jacobian": (partial(scipy, jac=jacobian(residuals)), "≥ 20")}
    yield from compare("network for x^(1/3)", range(5), ours, peers)
    peers = {
        "least_squares, no Jacobian, 1000 evaluations": (scipy, ""),
        "least_squares, no Jacobian, no limit": (partial(scipy, evaluations=100_000), "≥ 1"),
    }
    better = "MSE ≤ 6e-7 more often", lambda ours, theirs: good(ours) > good(theirs)
    results = lambda mses: f"MSE ≤ 6e-7 for {good(mses)} of {len(mses)}", better
    yield from compare("network for x^(1/3)", range(20), ours, peers, *results)


def with_lmfit(model, inputs, targets, start):
    fitted = lmfit.Model(model)
    guess = dict(zip(fitted.param_names, start, strict=True))
    guess[fitted.independent_vars[0]] = inputs
    return np.array(list(fitted.fit(targets, **guess).best_values.values()))


def with_ase(equation, volume, energy):
    name = equation.__name__.replace("poirier", "pourier").replace("_", "")  # ASE's spelling
    state = ase.eos.EquationOfState(volume, energy, eos=name)
    state.fit()
    return state.eos_parameters


def with_pymatgen(equation, volume, energy):
    name = equation.__name__.replace("poirier", "pourier")
    return EOS(name).fit(volume, energy).eos_params


def fit_murnaghan(start):
    return fit(murnaghan, VOLUME, ENERGY, start).parameters


def with_jax(start):
    residuals = jax.jit(lambda p: murnaghan(VOLUME, *p) - ENERGY)
    jac = jax.jit(jax.jacfwd(residuals))
    return least_squares(residuals, start, jac, x_scale="jac").x


def first_call(name, _):
    """Seconds that a function of this module takes in a new interpreter, imports not counted."""
    setup = f"import sys; sys.path[:] = {sys.path}; from regression import START, {name}"
    command = f"from timeit import timeit; print(timeit('{name}(START)', {setup!r}, number=1))"
    return float(subprocess.check_output([sys.executable, "-c", command])), None


def equation_of_state():
    def sse(parameters):
        return np.sum((ENERGY - murnaghan(VOLUME, *parameters)) ** 2)

    def adam(start):
        return minimize_adam(sse, start, step_size=0.001, steps=200, tolerance=2e-5).parameters

    def digits(found):
        return -np.log10(np.max(np.abs(found[0] / OPTIMUM - 1)) + 1e-16)

    peers = {
        "lmfit": (partial(with_lmfit, murnaghan, VOLUME, ENERGY), "≥ 1"),
        "curve_fit, no Jacobian": (lambda p: curve_fit(murnaghan, VOLUME, ENERGY, p)[0], ""),
        "ase.eos": (lambda _: with_ase(murnaghan, VOLUME, ENERGY), ""),
        "pycse.nlinfit": (lambda p: nlinfit(murnaghan, VOLUME, ENERGY, p)[0], ""),
    }
    exact = "≥ 10 digits", lambda ours, _: digits(ours) >= 10
    results = lambda found: f"{digits(found):.0f} digits", exact
    yield from compare("Murnaghan fit", [START] * 31, fit_murnaghan, peers, *results)
    lower = "SSE 3 times lower", lambda ours, theirs: sse(theirs[0]) >= 3 * sse(ours[0])
    results = lambda found: f"SSE {sse(found[0]):.3g}", lower
    peers = {"the post's Adam": (adam, "≥ 300")}
    yield from compare("Murnaghan fit", [START] * 3, fit_murnaghan, peers, *results)
    peers = {"JAX, compilation included": ("with_jax", "≥ 20")}
    task = "Murnaghan fit, first call"
    yield from compare(task, range(5), "fit_murnaghan", peers, timer=first_call)


def finds(solve, rtol, compared, problem):
    """Whether `solve` finds the expected parameters, which end the problem, or those compared."""
    *arguments, expected = problem
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        try:
            found = np.asarray(solve(*arguments), dtype=float)
        except Exception:  # whatever its type, the fit has failed
            return False
    return np.allclose(found[compared], expected[compared], rtol=rtol, atol=0)


def energy_table(equation, n, rng, offset):
    """Volumes (bohr³) and energies (Ha, with errors of 1 µHa) of a random solid; the optimum."""
    truth = [0, rng.uniform(0.001, 0.015), rng.uniform(3.5, 6), rng.uniform(50, 300)]
    strain = rng.uniform(0.05, 0.15)
    volume = truth[3] * np.linspace(1 - strain, 1 + strain, n)
    energy = equation(volume, *truth) + 1e-6 * rng.standard_normal(n)
    tolerances = {"xtol": 1e-15, "ftol": 1e-15, "method": "lm", "x_scale": "jac"}
    optimum = least_squares(lambda p: equation(volume, *p) - energy, truth, **tolerances).x
    return equation, volume, energy + offset, optimum


def small_tables():
    """B0 and V0 from 4 to 6 energies."""
    equations = murnaghan, birch_murnaghan, vinet, poirier_tarantola
    solvers = with_ase, with_pymatgen, lambda *table: fit_eos(*table).parameters
    ase, pymatgen, ours = (partial(finds, solve, 1e-3, [1, 3]) for solve in solvers)
    peers = {"ase.eos": (ase, ""), "pymatgen": (pymatgen, "")}
    for offset in (0.0, 1e5):  # Ha
        choices = product(equations, (4, 5, 6), range(20))
        tables = [energy_table(equation, n, RNG(seed), offset) for equation, n, seed in choices]
        task = f"optimum from 4 to 6 energies + {offset:.0e} Ha"
        yield from compare(task, tables, ours, peers, *FOUND)


def nist():
    """NIST's nonlinear regression problems, each from both of its starts."""
    problems = []
    for name, model in MODELS.items():
        inputs, targets, table = read_problem(name)
        problems += [(model, inputs, targets, start, table[:, 2]) for start in table[:, :2].T]
    solvers = lambda *problem: fit(*problem).parameters, with_lmfit
    ours, peer = (partial(finds, solve, 1e-6, slice(None)) for solve in solvers)
    task = "NIST's problems to 6 digits, mean time"
    peers = {"lmfit": (peer, "")}
    yield from compare(task, problems, ours, peers, *FOUND, average=mean)


def dimer():
    distances = np.linspace(1.7, 3, 300)
    energies = binding_energies(distances)
    x = (distances[:, np.newaxis] - distances.mean()) / distances.std()
    y = (energies - energies.mean()) / energies.std()
    options = {"hidden_layer_sizes": (10,), "activation": "tanh", "solver": "lbfgs"}
    options |= {"alpha": 0, "max_iter": 20_000, "tol": 1e-12}

    def train_sklearn(seed):
        return MLPRegressor(random_state=seed, **options).fit(x, y)

    def peer_rmse(seed):
        return energies.std() * np.sqrt(np.mean((train_sklearn(seed).predict(x) - y) ** 2))

    def rmse(seed):
        return train(distances, energies, 10, RNG(seed)).rmse

    def describe(errors):
        return f"RMSE {1e3 * median(errors):.1g} meV, at worst {1e3 * max(errors):.1g} meV"

    better = "RMSE 1000 times lower", lambda ours, theirs: median(theirs) >= 1000 * median(ours)
    peers = {"MLPRegressor": (peer_rmse, "≥ 0.2")}
    yield from compare("network for the Cu dimer", range(11), rmse, peers, describe, better)
    many = np.linspace(1.7, 3, 10_000)
    products = np.outer(many, np.linspace(-1, 1, 10))
    scaled = (many[:, np.newaxis] - distances.mean()) / distances.std()
    network, peer = train(distances, energies, 10, RNG(0)), train_sklearn(0)
    peers = {
        "np.tanh alone, a lower bound": (lambda _: np.tanh(products), "≥ 0.5"),
        "MLPRegressor.predict": (lambda _: peer.predict(scaled), "≥ 2"),
    }
    yield from compare("10 000 network energies", [many] * 101, network, peers)


def rows():
    parts = jacobians, cube_root, equation_of_state, small_tables, nist, dimer
    return chain.from_iterable(part() for part in parts)
