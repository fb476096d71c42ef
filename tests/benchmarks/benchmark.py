"""Time the helpers and other packages on the same data, in one run: `make benchmark`.

The works that are compared take turns, so that a slow minute of the machine slows all of them. A
ratio is one of medians over these turns.
"""

import datetime
import platform
import subprocess
import sys
import warnings
from itertools import count
from statistics import median
from time import perf_counter

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

jax.config.update("jax_enable_x64", True)
RNG = np.random.default_rng
TURN = 5e-3  # s, about the duration of one turn


def medians(repeats, *works):
    """Median seconds of each of `works`, which take turns; a short one is repeated in its turn."""
    in_a_row = [max(1, int(TURN / seconds(work, 1))) for work in works]
    taken = [[] for _ in works]
    for _ in range(repeats):
        for times, work, number in zip(taken, works, in_a_row, strict=True):
            times.append(seconds(work, number))
    return [median(times) for times in taken]


def seconds(work, number):
    """Mean seconds of `number` calls of `work`."""
    began = perf_counter()
    for _ in range(number):
        work()
    return (perf_counter() - began) / number


def row(work, ours, against, theirs, wanted="stated", met=True):
    """Print one line of the table.

    `ours` and `theirs` are in seconds, `wanted` is the required ratio, `met` whether it is reached.
    """
    times = f"{1e3 * ours:.3g} ms | {against} | {1e3 * theirs:.3g} ms | {theirs / ours:.3g}"
    print(f"| {work} | {times} | {wanted} | {met} |", flush=True)


def ten_tanh(x, b1, w10, w00, b00, w11, w01, b01, w12, w02, b02, tanh=tanh):
    return b1 + w10 * tanh(w00 * x + b00) + w11 * tanh(w01 * x + b01) + w12 * tanh(w02 * x + b02)


def by_hand(x, b1, w10, w00, b00, w11, w01, b01, w12, w02, b02):
    """The Jacobian of the ten-parameter model, written by hand."""
    result = np.empty((len(x), 10))
    result[:, 0] = 1
    for first, (height, steepness, offset) in zip(
        (1, 4, 7), ((w10, w00, b00), (w11, w01, b01), (w12, w02, b02)), strict=True
    ):
        step = np.tanh(steepness * x + offset)
        derivative = height * (1 - step**2)
        result[:, first] = step
        result[:, first + 1] = derivative * x
        result[:, first + 2] = derivative
    return result


def jacobians():
    parameters = RNG(0).standard_normal(10)
    ours = model_jacobian(ten_tanh)
    in_jax = jax.jit(jax.jacfwd(lambda p, x: ten_tanh(x, *p, tanh=jax.numpy.tanh)))
    for n, wanted in ((50, 20), (2_000, 300)):
        x = np.linspace(0, 1, n)
        by_autograd = jacobian(lambda p, x=x: ten_tanh(x, *p))
        assert np.allclose(ours(x, *parameters), by_autograd(parameters), rtol=1e-12, atol=1e-14)
        mine, theirs = medians(
            11, lambda x=x: ours(x, *parameters), lambda f=by_autograd: f(parameters)
        )
        row(
            f"Jacobian, {n} points",
            mine,
            "autograd.jacobian",
            theirs,
            f"≥ {wanted}",
            theirs >= wanted * mine,
        )
    xs = [np.linspace(0, 1, n) for n in (1_000, 10_000, 100_000)]
    small, middle, large = medians(31, *(lambda x=x: ours(x, *parameters) for x in xs))
    row("Jacobian, 10⁴ points", middle, "100 000 points", large, "≤ 10 × 1.5", large <= 15 * middle)
    row("Jacobian, 10³ points", small, "10 000 points", middle, "≤ 10 × 1.5", middle <= 15 * small)
    x = xs[-1]
    on_device = jax.numpy.asarray(x)
    mine, differences, hand, compiled = medians(
        21,
        lambda: ours(x, *parameters),
        lambda: approx_derivative(lambda p: ten_tanh(x, *p), parameters, method="2-point"),
        lambda: by_hand(x, *parameters),
        lambda: in_jax(parameters, on_device).block_until_ready(),
    )
    row(
        "Jacobian, 10⁵ points",
        mine,
        "SciPy's finite differences",
        differences,
        "≥ 1",
        differences >= mine,
    )
    row("Jacobian, 10⁵ points", mine, "JAX, compiled jacfwd", compiled)
    row("Jacobian, 10⁵ points", mine, "written by hand", hand)


def cube_root():
    x = np.linspace(0, 1)
    y = x ** (1 / 3)

    def residuals(parameters):
        return y - ten_tanh(x, *parameters)

    def timed(work, seed):
        began = perf_counter()
        mse = work(seed)
        return perf_counter() - began, mse

    def ours(seed):
        return train(x, y, 3, RNG(seed)).rmse ** 2

    def plain(seed, jac="2-point", evaluations=None):
        start = 0.1 * RNG(seed).standard_normal(10)
        return 2 * least_squares(residuals, start, jac, max_nfev=evaluations).cost / len(x)

    to_its_end = 100_000  # evaluations; SciPy's own limit of 1000 stops it earlier
    mine = []
    without = []
    whole = []
    posts = []
    for seed in range(20):
        mine.append(timed(ours, seed))
        without.append(timed(plain, seed))
        whole.append(timed(lambda seed: plain(seed, evaluations=to_its_end), seed))
        if seed < 5:
            posts.append(timed(lambda seed: plain(seed, jacobian(residuals)), seed))
    seconds = [median(taken for taken, _ in runs) for runs in (mine, posts, without, whole)]
    good = [sum(mse <= 6e-7 for _, mse in runs) for runs in (mine, without, whole)]
    row(
        "train, x^(1/3)",
        seconds[0],
        "least_squares, autograd.jacobian (5 seeds)",
        seconds[1],
        "≥ 20",
        seconds[1] >= 20 * seconds[0],
    )
    row(
        "train, x^(1/3)",
        seconds[0],
        "least_squares, no Jacobian, 1000 evaluations",
        seconds[2],
    )
    better = seconds[3] >= seconds[0] and good[0] > good[2]
    row(
        "train, x^(1/3)",
        seconds[0],
        "least_squares, no Jacobian, to its own end",
        seconds[3],
        "≥ 1, and MSE ≤ 6e-7 more often",
        better,
    )
    print(
        f"MSE ≤ 6e-7 for {good[0]} of 20 seeds; least_squares {good[1]} of 20, "
        f"to its own end {good[2]} of 20"
    )


def equation_of_state():
    volume, energy = read_columns("energy_volume.csv", "volume", "energy")
    start = np.array([-400, 0.5, 2, 210])
    exact = np.array(
        [-400.0294660730306, 0.003735889834296311, 4.048736514430762, 212.7784226294645]
    )  # 50 digits

    def sse(parameters):
        return np.sum((energy - murnaghan(volume, *parameters)) ** 2)

    def with_lmfit():
        model = lmfit.Model(murnaghan, independent_vars=["volume"])
        guess = dict(
            zip(("energy0", "bulk_modulus", "bulk_modulus_prime", "volume0"), start, strict=True)
        )
        return np.array(list(model.fit(energy, volume=volume, **guess).best_values.values()))

    def with_ase():
        state = ase.eos.EquationOfState(volume, energy, eos="murnaghan")
        state.fit()
        return state.eos_parameters

    def digits(parameters):
        return -np.log10(np.max(np.abs(parameters / exact - 1)) + 1e-16)

    works = {
        "fit": lambda: fit(murnaghan, volume, energy, start).parameters,
        "lmfit": with_lmfit,
        "curve_fit, no Jacobian": lambda: curve_fit(murnaghan, volume, energy, start)[0],
        "ase.eos": with_ase,
        "pycse.nlinfit": lambda: nlinfit(murnaghan, volume, energy, start)[0],
    }
    mine, *theirs = medians(31, *works.values())
    correct = {name: digits(work()) for name, work in works.items()}
    for (name, reached), seconds in zip(list(correct.items())[1:], theirs, strict=True):
        wanted, met = (
            ("≥ 1, ≥ 10 digits", seconds >= mine and correct["fit"] >= 10)
            if name == "lmfit"
            else ("stated", True)
        )
        row(
            f"Murnaghan fit, {correct['fit']:.0f} digits",
            mine,
            f"{name}, {reached:.0f} digits",
            seconds,
            wanted,
            met,
        )
    (posts,) = medians(
        3, lambda: minimize_adam(sse, start, step_size=0.001, steps=200, tolerance=2e-5)
    )
    run = minimize_adam(sse, start, step_size=0.001, steps=200, tolerance=2e-5)
    lower = run.objective / fit(murnaghan, volume, energy, start).chi_square
    row(
        f"Murnaghan fit, SSE {lower:.2f} times lower",
        mine,
        "the post's Adam",
        posts,
        "≥ 300",
        posts >= 300 * mine and lower >= 3,
    )


def eos_tables():
    """How often the parameters at the minimum are found from a table of few points."""
    equations = {  # name in ASE, and in pymatgen
        murnaghan: ("murnaghan", "murnaghan"),
        birch_murnaghan: ("birchmurnaghan", "birch_murnaghan"),
        vinet: ("vinet", "vinet"),
        poirier_tarantola: ("pouriertarantola", "pourier_tarantola"),
    }

    def with_fit(equation, volume, energy):
        return fit_eos(equation, volume, energy).parameters

    def with_ase(equation, volume, energy):
        state = ase.eos.EquationOfState(volume, energy, eos=equations[equation][0])
        state.fit()
        return state.eos_parameters

    def with_pymatgen(equation, volume, energy):
        return EOS(equations[equation][1]).fit(volume, energy).eos_params

    works = {"fit_eos": with_fit, "ase.eos": with_ase, "pymatgen": with_pymatgen}
    for offset in (0.0, 1e5):  # Ha
        tables = [
            (equation, *energy_table(equation, n, RNG(seed), offset))
            for equation in equations
            for n in (4, 5, 6)
            for seed in range(20)
        ]
        found = {name: [] for name in works}
        taken = {name: [] for name in works}
        for equation, volume, energy, minimum in tables:
            for name, work in works.items():
                began = perf_counter()
                found[name].append(reached(work, equation, volume, energy, minimum))
                taken[name].append(perf_counter() - began)
        counts = {name: f"{name}, {sum(found[name])} of {len(tables)} minima" for name in works}
        for name in ("ase.eos", "pymatgen"):
            row(
                f"4 to 6 energies + {offset:.0e} Ha, {counts['fit_eos']}",
                median(taken["fit_eos"]),
                counts[name],
                median(taken[name]),
                "all minima",
                all(found["fit_eos"]),
            )


def energy_table(equation, n, rng, offset):
    """Volumes and energies (n,) of a random solid, and the parameters at the minimum.

    Units are bohr³ and Ha. The energies have random errors of 1 µHa. The minimum is searched from
    the true parameters, without the offset and in units in which all numbers are of order one.
    """
    bulk_modulus = rng.uniform(0.001, 0.015)
    bulk_modulus_prime = rng.uniform(3.5, 6)
    volume0 = rng.uniform(50, 300)
    range_ = rng.uniform(0.05, 0.15)
    ratio = np.linspace(1 - range_, 1 + range_, n)
    unit = bulk_modulus * volume0 * range_**2
    energy = equation(ratio * volume0, 0.0, bulk_modulus, bulk_modulus_prime, volume0)
    energy = energy + 1e-6 * rng.standard_normal(n)

    def residuals(scaled):
        model = equation(ratio, scaled[0] * range_**2, scaled[1], scaled[2], scaled[3])
        return (model - energy / (bulk_modulus * volume0)) / range_**2

    tolerances = dict.fromkeys(("xtol", "ftol", "gtol"), 1e-15)
    start = np.array([0.0, 1.0, bulk_modulus_prime, 1.0])
    scaled = least_squares(residuals, start, "3-point", max_nfev=10_000, **tolerances).x
    minimum = scaled * np.array([unit, bulk_modulus, 1.0, volume0])
    minimum[0] += offset
    return ratio * volume0, energy + offset, minimum


def reached(work, equation, volume, energy, minimum):
    """Whether `work` finds the bulk modulus and the volume at the minimum, to a thousandth."""
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        try:
            parameters = np.asarray(work(equation, volume, energy), dtype=float)
        except Exception:  # of any kind: the fit has failed
            return False
    return bool(np.allclose(parameters[[1, 3]], minimum[[1, 3]], rtol=1e-3, atol=0))


def nist():
    """NIST's nonlinear regression problems, each from both of its starts."""

    def with_fit(model, inputs, targets, start):
        return fit(model, inputs, targets, start).parameters

    def with_lmfit(model, inputs, targets, start):
        names = [f"b{i}" for i in range(1, len(start) + 1)]
        guess = dict(zip(names, start, strict=True))
        found = lmfit.Model(model, independent_vars=["x"]).fit(targets, x=inputs, **guess)
        return np.array([found.best_values[name] for name in names])

    works = {"fit": with_fit, "lmfit": with_lmfit}
    total = dict.fromkeys(works, 0.0)
    solved = dict.fromkeys(works, 0)
    for name, model in MODELS.items():
        inputs, targets, table = read_problem(name)
        certified = table[:, 2]
        for start in table[:, :2].T:
            for package, work in works.items():
                began = perf_counter()
                with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
                    try:
                        found = work(model, inputs, targets, start)
                    except Exception:  # of any kind: the fit has failed
                        found = np.full(len(certified), np.nan)
                total[package] += perf_counter() - began
                solved[package] += bool(np.allclose(found, certified, rtol=1e-6, atol=0))
    row(
        f"NIST's problems, {solved['fit']} of 54 to 6 digits",
        total["fit"],
        f"lmfit, {solved['lmfit']} of 54",
        total["lmfit"],
        "all 54",
        solved["fit"] == 54,
    )


FIRST_OF_OURS = """
from time import perf_counter
import autograd.numpy as np
from helpers.tables import read_columns
from helpers.eos import murnaghan
from helpers.least_squares import fit
v, e = read_columns("energy_volume.csv", "volume", "energy")
began = perf_counter(); fit(murnaghan, v, e, [-400, 0.5, 2, 210]); print(perf_counter() - began)
"""
FIRST_OF_JAX = """
from time import perf_counter
import jax; jax.config.update("jax_enable_x64", True)
import numpy as np
from scipy.optimize import least_squares
from helpers.tables import read_columns
from helpers.eos import murnaghan
v, e = read_columns("energy_volume.csv", "volume", "energy")
began = perf_counter()
residuals = jax.jit(lambda p: murnaghan(v, *p) - e)
jacobian = jax.jit(jax.jacfwd(residuals))
start = [-400, 0.5, 2, 210.0]
least_squares(
    lambda p: np.asarray(residuals(p)), start, lambda p: np.asarray(jacobian(p)), x_scale="jac"
)
print(perf_counter() - began)
"""


def first_call():
    """In a fresh interpreter, imports not counted."""

    def once(code):
        return float(
            subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=True
            ).stdout
        )

    times = [(once(FIRST_OF_OURS), once(FIRST_OF_JAX)) for _ in range(5)]
    mine, theirs = (median(column) for column in zip(*times, strict=True))
    row(
        "Murnaghan fit, first call",
        mine,
        "JAX, compilation included",
        theirs,
        "≥ 20",
        theirs >= 20 * mine,
    )


def dimer():
    distances = np.linspace(1.7, 3, 300)
    energies = binding_energies(distances)
    x, y = ((a - a.mean()) / a.std() for a in (distances, energies))

    def with_sklearn(seed):
        peer = MLPRegressor(
            hidden_layer_sizes=(10,),
            activation="tanh",
            solver="lbfgs",
            alpha=0,
            max_iter=20000,
            tol=1e-12,
            random_state=seed,
        )
        return peer.fit(x[:, np.newaxis], y)

    networks = []
    peers = []
    seeds = count(), count()
    mine, theirs = medians(
        10,
        lambda: networks.append(train(distances, energies, 10, RNG(next(seeds[0])))),
        lambda: peers.append(with_sklearn(next(seeds[1]))),
    )
    of_ours = median(1e3 * network.rmse for network in networks)
    of_peers = median(
        1e3 * energies.std() * np.sqrt(np.mean((peer.predict(x[:, np.newaxis]) - y) ** 2))
        for peer in peers
    )
    worst = max(1e3 * network.rmse for network in networks)
    met = theirs >= mine / 5 and of_peers >= 1000 * of_ours
    row(
        f"Cu dimer, RMSE {of_ours:.1g} (worst {worst:.1g}) meV",
        mine,
        f"MLPRegressor, RMSE {of_peers:.2g} meV",
        theirs,
        "≥ 1/5",
        met,
    )
    many = np.linspace(1.7, 3, 10_000)
    sums = np.outer(many, np.linspace(-1, 1, 10))
    scaled = ((many - distances.mean()) / distances.std())[:, np.newaxis]
    mine, floor, peer = medians(
        101, lambda: networks[0](many), lambda: np.tanh(sums), lambda: peers[0].predict(scaled)
    )
    row("10 000 network energies", mine, "np.tanh alone", floor, "≥ 1/2", mine <= 2 * floor)
    row("10 000 network energies", mine, "MLPRegressor.predict", peer, "≥ 2", peer >= 2 * mine)


if __name__ == "__main__":
    machine = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    print(f"{machine}, {datetime.date.today()}\n")
    print("| work | time | compared with | its time | ratio | required | met |")
    print("|:--|--:|:--|--:|--:|:--|:--|")
    for part in (jacobians, cube_root, equation_of_state, eos_tables, nist, first_call, dimer):
        part()
