"""The sums of squares of Moré, Garbow and Hillstrom.

J. J. Moré, B. S. Garbow and K. E. Hillstrom, Testing unconstrained optimization software, ACM
Transactions on Mathematical Software 7, 17-41 (1981), https://doi.org/10.1145/355934.355936.

All 35 problems of the paper are here, in its order. Where the number of parameters is free, the
name ends with it. Data-fitting problems have the paper's variable t as input. The others are
residuals that should vanish: their inputs number the residuals from 0, and their targets are zero.
"""

from itertools import pairwise

import autograd.numpy as np

from reference_problems.problem import Problem


def _numbers(text):
    return [float(number) for number in text.split()]


def _equations(residuals):
    """The model whose output i is the i-th of `residuals(*parameters)`."""

    def model(index, *parameters):
        return sum((index == i) * value for i, value in enumerate(residuals(*parameters)))

    model.__name__ = residuals.__name__
    return model


def _vanishing(name, residuals, start, minima=(), **more):
    """The problem of making all of `residuals(*parameters)` zero."""
    start = np.asarray(start, dtype=float)
    n_residuals = len(residuals(*start))
    inputs = np.arange(float(n_residuals))
    return Problem(
        name, _equations(residuals), inputs, np.zeros(n_residuals), start, minima, **more
    )


def _fitting(name, model, inputs, targets, start, minima, **more):
    """The problem of fitting `model` to data."""
    arrays = (np.asarray(values, dtype=float) for values in (inputs, targets, start))
    return Problem(name, model, *arrays, minima, **more)


# 1 to 14, without the data-fitting problems


def rosenbrock(x1, x2):
    return [10 * (x2 - x1**2), 1 - x1]


def freudenstein_roth(x1, x2):
    return [
        -13 + x1 + ((5 - x2) * x2 - 2) * x2,
        -29 + x1 + ((x2 + 1) * x2 - 14) * x2,
    ]


def powell_badly_scaled(x1, x2):
    return [1e4 * x1 * x2 - 1, np.exp(-x1) + np.exp(-x2) - 1.0001]


def brown_badly_scaled(x1, x2):
    return [x1 - 1e6, x2 - 2e-6, x1 * x2 - 2]


def beale(x1, x2):
    return [y - x1 * (1 - x2**i) for i, y in enumerate((1.5, 2.25, 2.625), start=1)]


def helical_valley(x1, x2, x3):
    turn = np.arctan(x2 / x1) / (2 * np.pi) + 0.5 * (x1 < 0)
    return [10 * (x3 - 10 * turn), 10 * (np.sqrt(x1**2 + x2**2) - 1), x3]


def powell_singular(x1, x2, x3, x4):
    return [
        x1 + 10 * x2,
        5**0.5 * (x3 - x4),
        (x2 - 2 * x3) ** 2,
        10**0.5 * (x1 - x4) ** 2,
    ]


def wood(x1, x2, x3, x4):
    return [
        10 * (x2 - x1**2),
        1 - x1,
        90**0.5 * (x4 - x3**2),
        1 - x3,
        10**0.5 * (x2 + x4 - 2),
        10**-0.5 * (x2 - x4),
    ]


# Data-fitting problems


def jennrich_sampson(i, x1, x2):
    return np.exp(i * x1) + np.exp(i * x2)


def bard(u, x1, x2, x3):
    v = 16 - u
    return x1 + u / (v * x2 + np.minimum(u, v) * x3)


BARD = _numbers("""
    0.14 0.18 0.22 0.25 0.29 0.32 0.35 0.39 0.37 0.58 0.73 0.96 1.34 2.10 4.39
""")


def gaussian(t, x1, x2, x3):
    return x1 * np.exp(-x2 * (t - x3) ** 2 / 2)


GAUSSIAN = _numbers("""
    0.0009 0.0044 0.0175 0.0540 0.1295 0.2420 0.3521 0.3989
""")


def meyer(t, x1, x2, x3):
    return x1 * np.exp(x2 / (t + x3))


MEYER = _numbers("""
    34780 28610 23650 19630 16370 13720 11540 9744 8261 7030 6005 5147 4427 3820 3307 2872
""")


def gulf_research(t, x1, x2, x3):
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return np.exp(-(np.abs(y - x2) ** x3) / x1)


def box_three_dimensional(t, x1, x2, x3):
    return np.exp(-t * x1) - np.exp(-t * x2) - x3 * (np.exp(-t) - np.exp(-10 * t))


def kowalik_osborne(u, x1, x2, x3, x4):
    return x1 * (u**2 + u * x2) / (u**2 + u * x3 + x4)


U_KOWALIK_OSBORNE = _numbers("4 2 1 0.5 0.25 0.167 0.125 0.1 0.0833 0.0714 0.0625")
KOWALIK_OSBORNE = _numbers("""
    0.1957 0.1947 0.1735 0.1600 0.0844 0.0627 0.0456 0.0342 0.0323 0.0235 0.0246
""")


def brown_dennis(t, x1, x2, x3, x4):
    return (x1 + t * x2 - np.exp(t)) ** 2 + (x3 + x4 * np.sin(t) - np.cos(t)) ** 2


def osborne_1(t, x1, x2, x3, x4, x5):
    return x1 + x2 * np.exp(-t * x4) + x3 * np.exp(-t * x5)


OSBORNE_1 = _numbers("""
    0.844 0.908 0.932 0.936 0.925 0.908 0.881 0.850 0.818 0.784 0.751 0.718 0.685 0.658 0.628
    0.603 0.580 0.558 0.538 0.522 0.506 0.490 0.478 0.467 0.457 0.448 0.438 0.431 0.424 0.420
    0.414 0.411 0.406
""")


def biggs_exp6(t, x1, x2, x3, x4, x5, x6):
    return x3 * np.exp(-t * x1) - x4 * np.exp(-t * x2) + x6 * np.exp(-t * x5)


def osborne_2(t, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11):
    return (
        x1 * np.exp(-t * x5)
        + x2 * np.exp(-((t - x9) ** 2) * x6)
        + x3 * np.exp(-((t - x10) ** 2) * x7)
        + x4 * np.exp(-((t - x11) ** 2) * x8)
    )


OSBORNE_2 = _numbers("""
    1.366 1.191 1.112 1.013 0.991 0.885 0.831 0.847 0.786 0.725 0.746 0.679 0.608 0.655 0.616
    0.606 0.602 0.626 0.651 0.724 0.649 0.649 0.694 0.644 0.624 0.661 0.612 0.558 0.533 0.495
    0.500 0.423 0.395 0.375 0.372 0.391 0.396 0.405 0.428 0.429 0.523 0.562 0.607 0.653 0.672
    0.708 0.633 0.668 0.645 0.632 0.591 0.559 0.597 0.625 0.739 0.710 0.729 0.720 0.636 0.581
    0.428 0.292 0.162 0.098 0.054
""")


# With a free number of parameters


def watson(index, *x):
    t = (index + 1) / 29
    series = sum(coefficient * t**j for j, coefficient in enumerate(x))
    slope = sum(j * x[j] * t ** (j - 1) for j in range(1, len(x)))
    along = (index < 29) * (slope - series**2 - 1)
    return along + (index == 29) * x[0] + (index == 30) * (x[1] - x[0] ** 2 - 1)


def extended_rosenbrock(*x):
    return [r for pair in zip(x[::2], x[1::2], strict=True) for r in rosenbrock(*pair)]


def extended_powell_singular(*x):
    groups = zip(x[::4], x[1::4], x[2::4], x[3::4], strict=True)
    return [r for group in groups for r in powell_singular(*group)]


def penalty_1(*x):
    return [*(1e-5**0.5 * (xj - 1) for xj in x), sum(xj**2 for xj in x) - 0.25]


def penalty_2(*x):
    n = len(x)
    weight = 1e-5**0.5
    exponentials = [np.exp(xj / 10) for xj in x]
    neighbours = [
        weight * (a + b - np.exp((i + 1) / 10) - np.exp(i / 10))
        for i, (a, b) in enumerate(pairwise(exponentials), start=1)
    ]
    others = [weight * (e - np.exp(-0.1)) for e in exponentials[1:]]
    return [x[0] - 0.2, *neighbours, *others, sum((n - j) * x[j] ** 2 for j in range(n)) - 1]


def variably_dimensioned(*x):
    weighted = sum(j * (xj - 1) for j, xj in enumerate(x, start=1))
    return [*(xj - 1 for xj in x), weighted, weighted**2]


def trigonometric(*x):
    cosines = sum(np.cos(xj) for xj in x)
    return [len(x) - cosines + i * (1 - np.cos(xi)) - np.sin(xi) for i, xi in enumerate(x, start=1)]


def brown_almost_linear(*x):
    product = 1
    for xj in x:
        product = product * xj
    return [*(xi + sum(x) - (len(x) + 1) for xi in x[:-1]), product - 1]


def _mesh(x):
    """Mesh width, and at each inner mesh point t the cube (x + t + 1)³."""
    width = 1 / (len(x) + 1)
    times = [j * width for j in range(1, len(x) + 1)]
    return width, times, [(xj + t + 1) ** 3 for xj, t in zip(x, times, strict=True)]


def discrete_boundary_value(*x):
    width, _, cubes = _mesh(x)
    padded = [0, *x, 0]
    return [
        2 * padded[i] - padded[i - 1] - padded[i + 1] + width**2 * cubes[i - 1] / 2
        for i in range(1, len(x) + 1)
    ]


def discrete_integral_equation(*x):
    width, times, cubes = _mesh(x)
    residuals = []
    for i, t in enumerate(times):
        left = sum(times[j] * cubes[j] for j in range(i + 1))
        right = sum((1 - times[j]) * cubes[j] for j in range(i + 1, len(x)))
        residuals.append(x[i] + width * ((1 - t) * left + t * right) / 2)
    return residuals


def broyden_tridiagonal(*x):
    padded = [0, *x, 0]
    return [
        (3 - 2 * padded[i]) * padded[i] - padded[i - 1] - 2 * padded[i + 1] + 1
        for i in range(1, len(x) + 1)
    ]


def broyden_banded(*x):
    def neighbours(i):
        return [x[j] for j in range(max(0, i - 5), min(len(x), i + 2)) if j != i]

    return [
        xi * (2 + 5 * xi**2) + 1 - sum(xj * (1 + xj) for xj in neighbours(i))
        for i, xi in enumerate(x)
    ]


def linear_full_rank(*x):
    common = -2 / 10 * sum(x) - 1
    return [*(xi + common for xi in x), *[common] * (10 - len(x))]


def linear_rank_1(*x):
    weighted = sum(j * xj for j, xj in enumerate(x, start=1))
    return [i * weighted - 1 for i in range(1, 11)]


def linear_rank_1_with_zeros(*x):
    weighted = sum((j + 1) * x[j] for j in range(1, len(x) - 1))
    return [-1 + 0 * weighted, *(i * weighted - 1 for i in range(1, 9)), -1 + 0 * weighted]


def chebyquad(*x):
    """Means of the shifted Chebyshev polynomials at x, less their integrals over [0, 1]."""
    shifted = 2 * np.array(x) - 1
    before = 1 + 0 * shifted
    polynomial = shifted
    residuals = []
    for i in range(1, len(x) + 1):
        integral = 0 if i % 2 else -1 / (i**2 - 1)
        residuals.append(np.mean(polynomial, axis=0) - integral)
        following = 2 * shifted * polynomial - before
        before = polynomial
        polynomial = following
    return residuals


def _mesh_start(n):
    return [j / (n + 1) * (j / (n + 1) - 1) for j in range(1, n + 1)]


def _chebyquad_start(n):
    return [j / (n + 1) for j in range(1, n + 1)]


T_GAUSSIAN = [(8 - i) / 2 for i in range(1, 16)]
T_MEYER = [45 + 5 * i for i in range(1, 17)]
T_GULF = [i / 100 for i in range(1, 100)]
T_BOX = [i / 10 for i in range(1, 11)]
T_BROWN_DENNIS = [i / 5 for i in range(1, 21)]
T_OSBORNE_1 = [10 * i for i in range(33)]
T_BIGGS = [i / 10 for i in range(1, 14)]
T_OSBORNE_2 = [i / 10 for i in range(65)]
BIGGS = [np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t) for t in T_BIGGS]

PROBLEMS = [
    _vanishing("Rosenbrock", rosenbrock, [-1.2, 1], (0.0,)),
    _vanishing(
        "Freudenstein and Roth",
        freudenstein_roth,
        [0.5, -2],
        (0.0, 48.98425),
        dependent=(48.98425,),
    ),
    _vanishing("Powell badly scaled", powell_badly_scaled, [0, 1], (0.0,)),
    _vanishing("Brown badly scaled", brown_badly_scaled, [1, 1], (0.0,)),
    _vanishing("Beale", beale, [1, 1], (0.0,), at_infinity=(0.4520089,)),
    _fitting(
        "Jennrich and Sampson",
        jennrich_sampson,
        range(1, 11),
        [2 + 2 * i for i in range(1, 11)],
        [0.3, 0.4],
        (124.36218,),
        dependent=(124.36218,),
        note="Both parameters are equal at the minimum, so that the Jacobian has rank 1.",
    ),
    _vanishing("Helical valley", helical_valley, [-1, 0, 0], (0.0,)),
    _fitting("Bard", bard, range(1, 16), BARD, [1, 1, 1], (8.214877e-3,), at_infinity=(17.42869,)),
    _fitting(
        "Gaussian",
        gaussian,
        T_GAUSSIAN,
        [*GAUSSIAN, *GAUSSIAN[-2::-1]],
        [0.4, 1, 0],
        (1.127933e-8,),
    ),
    _fitting("Meyer", meyer, T_MEYER, MEYER, [0.02, 4000, 250], (87.94586,)),
    _fitting("Gulf research", gulf_research, T_GULF, T_GULF, [5, 2.5, 0.15], (0.0,)),
    _fitting(
        "Box three-dimensional",
        box_three_dimensional,
        T_BOX,
        [0] * 10,
        [0, 10, 20],
        (0.0,),
        degenerate=(0.0,),
        at_infinity=(0.07558874,),
        note="The sum of squares is also 0 on the line where x1 = x2 and x3 = 0.",
    ),
    _vanishing(
        "Powell singular",
        powell_singular,
        [3, -1, 0, 1],
        degenerate=(0.0,),
        note="The Jacobian has rank 2 at the minimum.",
    ),
    _vanishing("Wood", wood, [-3, -1, -3, -1], (0.0,)),
    _fitting(
        "Kowalik and Osborne",
        kowalik_osborne,
        U_KOWALIK_OSBORNE,
        KOWALIK_OSBORNE,
        [0.25, 0.39, 0.415, 0.39],
        (3.075056e-4,),
        at_infinity=(1.027343e-3,),
    ),
    _fitting(
        "Brown and Dennis", brown_dennis, T_BROWN_DENNIS, [0] * 20, [25, 5, -5, -1], (85822.20,)
    ),
    _fitting(
        "Osborne 1", osborne_1, T_OSBORNE_1, OSBORNE_1, [0.5, 1.5, -1, 0.01, 0.02], (5.464895e-5,)
    ),
    _fitting("Biggs EXP6", biggs_exp6, T_BIGGS, BIGGS, [1, 2, 1, 1, 1, 1], (0.0, 5.655650e-3)),
    _fitting(
        "Osborne 2",
        osborne_2,
        T_OSBORNE_2,
        OSBORNE_2,
        [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5],
        (4.013774e-2,),
    ),
    _fitting("Watson 6", watson, range(31), [0] * 31, [0] * 6, (2.287670e-3,)),
    _fitting("Watson 9", watson, range(31), [0] * 31, [0] * 9, (1.399760e-6,)),
    _fitting("Watson 12", watson, range(31), [0] * 31, [0] * 12, (4.722381e-10,)),
    _vanishing("Extended Rosenbrock 10", extended_rosenbrock, [-1.2, 1] * 5, (0.0,)),
    _vanishing(
        "Extended Powell singular 8",
        extended_powell_singular,
        [3, -1, 0, 1] * 2,
        degenerate=(0.0,),
        note="The Jacobian has rank 4 at the minimum.",
    ),
    _vanishing("Penalty I 4", penalty_1, range(1, 5), (2.249978e-5,)),
    _vanishing("Penalty I 10", penalty_1, range(1, 11), (7.087651e-5,)),
    _vanishing("Penalty II 4", penalty_2, [0.5] * 4, (9.376293e-6,)),
    _vanishing("Penalty II 10", penalty_2, [0.5] * 10, (2.936605e-4,)),
    _vanishing(
        "Variably dimensioned 10", variably_dimensioned, [1 - j / 10 for j in range(1, 11)], (0.0,)
    ),
    _vanishing(
        "Trigonometric 10",
        trigonometric,
        [1 / 10] * 10,
        (0.0, 2.795056e-5),
        dependent=(2.795056e-5,),
    ),
    _vanishing(
        "Brown almost-linear 10", brown_almost_linear, [0.5] * 10, (0.0,), degenerate=(1.0,)
    ),
    _vanishing("Discrete boundary value 10", discrete_boundary_value, _mesh_start(10), (0.0,)),
    _vanishing(
        "Discrete integral equation 10", discrete_integral_equation, _mesh_start(10), (0.0,)
    ),
    _vanishing("Broyden tridiagonal 10", broyden_tridiagonal, [-1] * 10, (0.0,)),
    _vanishing("Broyden banded 10", broyden_banded, [-1] * 10, (0.0,)),
    _vanishing("Linear, full rank 5", linear_full_rank, [1] * 5, (5.0,)),
    _vanishing("Linear, rank 1, 5", linear_rank_1, [1] * 5, degenerate=(10 * 9 / (2 * 21),)),
    _vanishing(
        "Linear, rank 1 with zeros 5",
        linear_rank_1_with_zeros,
        [1] * 5,
        degenerate=((100 + 30 - 6) / (2 * 17),),
    ),
    *(_vanishing(f"Chebyquad {n}", chebyquad, _chebyquad_start(n), (0.0,)) for n in (5, 6, 7, 9)),
    _vanishing(
        "Chebyquad 8", chebyquad, _chebyquad_start(8), (3.516874e-3,), dependent=(3.516874e-3,)
    ),
    _vanishing(
        "Chebyquad 10", chebyquad, _chebyquad_start(10), (6.503955e-3,), dependent=(6.503955e-3,)
    ),
]
