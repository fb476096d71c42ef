"""Systems of rate equations, stiff and smooth, with published concentrations.

Most of them are collected in two test sets, whose reference solutions are quoted here with all
their digits:

* BARI: F. Mazzia and C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4,
  University of Bari (2008), https://archimede.uniba.it/~testset; its reference solutions are those
  of the subroutines `solut`.
* GENEVA: E. Hairer and G. Wanner, Solving Ordinary Differential Equations II (Springer, 1996),
  section IV.10, with the reference solutions of https://www.unige.ch/~hairer/testset/testset.html.

Concentrations and times have the units of these sources. The chains are linear and ours.
"""

from collections.abc import Callable
from typing import NamedTuple

import autograd.numpy as np
from autograd import jacobian
from scipy.linalg import expm


class RateProblem(NamedTuple):
    """Rate equations with the constants, times and tolerances at which they are solved."""

    name: str
    rate: Callable  # rate(time, concentrations, *parameters), with autograd.numpy
    initial: np.ndarray  # (n_species,)
    parameters: np.ndarray  # (n_parameters,)
    times: np.ndarray  # (n_times,), the published ones among them
    atol: np.ndarray  # (n_species,)
    published_times: np.ndarray  # (n_published,)
    published: np.ndarray  # concentrations, (n_published, n_species)
    expressions: Callable  # the rate as a list of scalar expressions, for CasADi's symbols too
    rtol: float = 1e-9
    agreement: float = 1e-6  # relative, beside atol: of `published` with a solution at rtol


def _table(text):
    """The numbers in `text`, one row per line."""
    return np.array([[float(number) for number in line.split()] for line in text.split("\n")])


def _problem(name, rate, initial, parameters, times, atol, published, expressions=None, **more):
    """The problem whose `published` table has a row of time and concentrations per line."""
    initial = np.array(initial, dtype=float)
    table = _table(published.strip()) if published else np.empty((0, 1 + len(initial)))
    return RateProblem(
        name,
        rate,
        initial,
        np.array(parameters, dtype=float),
        np.array(times, dtype=float),
        np.broadcast_to(np.array(atol, dtype=float), initial.shape),
        table[:, 0],
        table[:, 1:],
        expressions or rate,
        **more,
    )


def brusselator(time, concentrations, a, b):
    x, y = concentrations
    return [a + x**2 * y - (b + 1) * x, b * x - x**2 * y]


def robertson(time, concentrations, k1, k2, k3):
    a, b, c = concentrations
    return [-k1 * a + k3 * b * c, k1 * a - k3 * b * c - k2 * b**2, k2 * b**2]


def oregonator(time, concentrations, s, q, w):
    x, y, z = concentrations
    return [s * (y + x * (1 - q * x - y)), (z - (1 + x) * y) / s, w * (x - z)]


def hires(time, concentrations, k1, k2, k3, source, k5, k6, k7, k8, k9, k10, k11, k12):
    """High irradiance response of plants: eight forms of phytochrome and its receptor.

    The sums of constants with which a species disappears are parameters of their own, as in the
    program of the test set.
    """
    y1, y2, y3, y4, y5, y6, y7, y8 = concentrations
    binding = k10 * y6 * y8 - k12 * y7
    return [
        -k1 * y1 + k2 * y2 + k3 * y3 + source,
        k1 * y1 - k5 * y2,
        -k6 * y3 + k2 * y4 + k7 * y5,
        k3 * y2 + k1 * y3 - k8 * y4,
        -k9 * y5 + k2 * (y6 + y7),
        -k10 * y6 * y8 + k11 * y4 + k1 * y5 - k2 * y6 + k11 * y7,
        binding,
        -binding,
    ]


def e5(time, concentrations, a, b, c, m):
    """Chemical pyrolysis, problem E5 of Enright, Hull and Lindberg, BIT 15, 10 (1975).

    y2 = y3 + y4 at any time, and the rate keeps it so to the last digit: y3 is a small difference.
    """
    y1, y2, y3, y4 = concentrations
    first = a * y1
    second = b * y1 * y3
    change2 = first - m * c * y2 * y3
    change4 = second - c * y4
    return [-first - second, change2, change2 - change4, change4]


def van_der_pol(time, state, mu):
    x, velocity = state
    return [velocity, mu * (1 - x**2) * velocity - x]


def scaled_van_der_pol(time, state, epsilon):
    x, velocity = state
    return [velocity, ((1 - x**2) * velocity - x) / epsilon]


def pollution(time, concentrations, *constants):
    """Air pollution of the Dutch institute RIVM: 25 reactions of 20 species, J. G. Verwer (1994).

    Each reaction has its own constant; the species are numbered as in the test set.
    """
    y1, y2, y3, y4, y5, y6, y7, _, y9, y10, y11, _, y13, y14, _, y16, y17, _, y19, y20 = (
        concentrations[i] for i in range(20)
    )
    products = [y1, y2 * y4, y5 * y2, y7, y7, y7 * y6, y9, y9 * y6, y11 * y2, y11 * y1, y13]
    products += [y10 * y2, y14, y1 * y6, y3, y4, y4, y16, y16, y17 * y6, y19, y19, y1 * y4]
    products += [y19 * y1, y20]
    flux = [0, *(constant * product for constant, product in zip(constants, products, strict=True))]
    formed = flux[2] + flux[3] + flux[9] + flux[11] + flux[12] + flux[22] + flux[25]
    return [
        formed - flux[1] - flux[10] - flux[14] - flux[23] - flux[24],
        flux[1] + flux[21] - flux[2] - flux[3] - flux[9] - flux[12],
        flux[1] + flux[17] + flux[19] + flux[22] - flux[15],
        flux[15] - flux[2] - flux[16] - flux[17] - flux[23],
        2 * flux[4] + flux[6] + flux[7] + flux[13] + flux[20] - flux[3],
        flux[3] + 2 * flux[18] - flux[6] - flux[8] - flux[14] - flux[20],
        flux[13] - flux[4] - flux[5] - flux[6],
        flux[4] + flux[5] + flux[6] + flux[7],
        -flux[7] - flux[8],
        flux[7] + flux[9] - flux[12],
        flux[8] + flux[11] - flux[9] - flux[10],
        flux[9],
        flux[10] - flux[11],
        flux[12] - flux[13],
        flux[14],
        flux[16] - flux[18] - flux[19],
        -flux[20],
        flux[20],
        flux[23] + flux[25] - flux[21] - flux[22] - flux[24],
        flux[24] - flux[25],
    ]


def _groups(n_steps, n_constants):
    """Which constant each of the consecutive steps has: equal groups, as far as possible."""
    return np.arange(n_steps) * n_constants // n_steps


def chain(n_species, n_constants):
    """A1 → A2 → … in first-order steps, of which consecutive groups share a constant.

    Returns the rate with vector operations, and as a list of scalar expressions.
    """
    groups = _groups(n_species - 1, n_constants)
    has_constant = np.eye(n_constants)[groups]

    def rate(time, concentrations, *constants):
        flux = np.dot(has_constant, np.array(constants)) * concentrations[:-1]
        return np.concatenate([-flux[:1], flux[:-1] - flux[1:], flux[-1:]])

    def expressions(time, concentrations, *constants):
        flux = [constants[group] * concentrations[i] for i, group in enumerate(groups)]
        gain = [0.0, *flux]
        loss = [*flux, 0.0]
        return [gained - lost for gained, lost in zip(gain, loss, strict=True)]

    return rate, expressions


def reversible_chain(n_species, n_constants):
    """A1 ⇌ A2 ⇌ …; the first half of the constants is of the forward steps, in groups as above.

    Returns the rate with vector operations, and as a list of scalar expressions.
    """
    half = n_constants // 2
    groups = _groups(n_species - 1, half)
    has_constant = np.eye(half)[groups]

    def rate(time, concentrations, *constants):
        forward = np.dot(has_constant, np.array(constants[:half]))
        backward = np.dot(has_constant, np.array(constants[half:]))
        flux = forward * concentrations[:-1] - backward * concentrations[1:]
        return np.concatenate([-flux[:1], flux[:-1] - flux[1:], flux[-1:]])

    def expressions(time, concentrations, *constants):
        flux = [
            constants[group] * concentrations[i] - constants[half + group] * concentrations[i + 1]
            for i, group in enumerate(groups)
        ]
        gain = [0.0, *flux]
        loss = [*flux, 0.0]
        return [gained - lost for gained, lost in zip(gain, loss, strict=True)]

    return rate, expressions


CHAIN_CONSTANTS = (2.0, 0.5, 5.0, 1.0, 3.0, 0.8, 4.0, 1.5, 0.6, 2.5)
STIFF_CONSTANTS = (1e1, 1e6, 1e2, 1e5, 1e3, 1.0, 5e5, 2e1, 2e4, 3e2)  # forward, then backward
DECADES = 10.0 ** np.arange(14)


def _chain_problem(n_species, n_constants, end):
    rate, expressions = chain(n_species, n_constants)
    initial = np.eye(n_species)[0]
    constants = CHAIN_CONSTANTS[:n_constants]
    times = np.linspace(0, end, 41)
    name = f"chain, {n_species} species"
    return _problem(name, rate, initial, constants, times, 1e-13, "", expressions)


def _stiff_chain_problem(n_species, end):
    rate, expressions = reversible_chain(n_species, len(STIFF_CONSTANTS))
    initial = np.eye(n_species)[0]
    times = [0, *np.geomspace(1e-7 * end, end, 36)]
    name = f"stiff chain, {n_species} species"
    return _problem(name, rate, initial, STIFF_CONSTANTS, times, 1e-13, "", expressions)


# E. Hairer, S. P. Nørsett and G. Wanner, Solving Ordinary Differential Equations I, section II.4
BRUSSELATOR = _problem(
    "Brusselator",
    brusselator,
    (1.5, 3.0),
    (1.0, 3.0),
    np.linspace(0, 20, 41),
    1e-13,
    "20 0.4986370712683478291402659846476 4.596780349452011024598321237263",
)

# GENEVA, problem ROBER; BARI ends with the same time
ROBERTSON = _problem(
    "Robertson",
    robertson,
    (1.0, 0.0, 0.0),
    (0.04, 3e7, 1e4),
    [0, *DECADES[:12]],
    (1e-17, 1e-22, 1e-13),
    """
1e0 0.9664597373330035E+00 0.3074626578578675E-04 0.3350951640121071E-01
1e1 0.8413699238414729E+00 0.1623390937990473E-04 0.1586138422491472E+00
1e2 0.6172348823960878E+00 0.6153591274639123E-05 0.3827589640126376E+00
1e3 0.3368745306607069E+00 0.2013702318261393E-05 0.6631234556369748E+00
1e4 0.1073004285378040E+00 0.4800166972571660E-06 0.8926990914454987E+00
1e5 0.1786592114209946E-01 0.7274751468436319E-07 0.9821340061103859E+00
1e6 0.2031483924973415E-02 0.8142277783356159E-08 0.9979685079327488E+00
1e7 0.2076093439016395E-03 0.8306077485067610E-09 0.9997923898254906E+00
1e8 0.2082417512179460E-04 0.8329841429908955E-10 0.9999791757415798E+00
1e9 0.2083229471647004E-05 0.8332935037760723E-11 0.9999979167621954E+00
1e10 0.2083328471883087E-06 0.8333315602809495E-12 0.9999997916663195E+00
1e11 0.2083340149701255e-07 0.8333360770334713e-13 0.9999999791665050E+00
""",
)

# GENEVA, problem OREGO; the last row is BARI's
OREGONATOR = _problem(
    "Oregonator",
    oregonator,
    (1.0, 2.0, 3.0),
    (77.27, 8.375e-6, 0.161),
    np.linspace(0, 360, 37),
    (1e-12, 1e-14, 1e-12),
    """
30 0.1000661467180497E+01 0.1512778937348249E+04 0.1035854312767229E+05
60 0.1000874625199626E+01 0.1144336972384497E+04 0.8372149966624639E+02
90 0.1001890368438751E+01 0.5299926232295553E+03 0.1662279579042420E+01
120 0.1004118022612645E+01 0.2438326079910346E+03 0.1008822224048647E+01
150 0.1008995416634061E+01 0.1121664388662539E+03 0.1007783229065319E+01
180 0.1019763472537298E+01 0.5159761322947535E+02 0.1016985778956374E+01
210 0.1043985088527474E+01 0.2373442027531524E+02 0.1037691843544522E+01
240 0.1100849071667922E+01 0.1091533805469020E+02 0.1085831969810860E+01
270 0.1249102130020572E+01 0.5013945178605446E+01 0.1208326626237875E+01
300 0.1779724751937019E+01 0.2281852385542403E+01 0.1613754023671725E+01
330 0.1000889326903503E+01 0.1125438585746596E+04 0.1641049483777168E+05
360 0.1000814870318523e+01 0.1228178521549917e+04 0.1320554942846706e+03
""",
)

# BARI, problem HIRES
HIRES = _problem(
    "HIRES",
    hires,
    (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057),
    (1.71, 0.43, 8.32, 0.0007, 8.75, 10.03, 0.035, 1.12, 1.745, 280.0, 0.69, 1.81),
    [0, *np.geomspace(0.1, 300, 30), 321.8122],
    1e-15,
    "321.8122 0.7371312573325668e-3 0.1442485726316185e-3 0.5888729740967575e-4 "
    "0.1175651343283149e-2 0.2386356198831331e-2 0.6238968252742796e-2 0.2849998395185769e-2 "
    "0.2850001604814231e-2",
)

E5_INITIAL = (1.76e-3, 0.0, 0.0, 0.0)
E5_PARAMETERS = (7.89e-10, 1.1e7, 1.13e3, 1e6)
E5_PUBLISHED = """
1e1 1.7599259497677897058E-003 1.3846281519376516449E-011 7.6370038530073911180E-013 1.3082581134075777338E-011
1e3 1.6180769999072942552E-003 1.3822370304983735443E-010 8.2515735006838336088E-012 1.2997212954915352082E-010
1e5 7.4813208224292220114E-006 2.3734781561205975019E-012 2.2123586689581663654E-012 1.6111948716243113653E-013
1e7 4.7150333630401632232E-010 1.8188895860807021729E-014 1.8188812376786725407E-014 8.3484020296321693074E-020
1e9 3.1317148329356996037E-014 1.4840957952870064294E-016 1.4840957948345691466E-016 4.5243728279782625194E-026
1e11 3.8139035189787091771E-049 1.0192582567660293322E-020 1.0192582567660293322E-020 3.7844935507486221171E-065
1e13 0.0000000000000000000E-000 8.8612334976263783420E-023 8.8612334976263783421E-023 0.0000000000000000000E-000
"""  # noqa: E501

# GENEVA, problem E5, and its beginning alone
E5 = _problem(
    "E5 to 1e5 s",
    e5,
    E5_INITIAL,
    E5_PARAMETERS,
    [0, *DECADES[:6]],
    (1e-18, 1e-23, 1e-24, 1e-24),
    "\n".join(E5_PUBLISHED.strip().split("\n")[:3]),
)
E5_LONG = _problem(
    "E5 to 1e13 s",
    e5,
    E5_INITIAL,
    E5_PARAMETERS,
    [0, *DECADES],
    (1e-24, 1e-31, 1e-31, 1e-34),
    E5_PUBLISHED,
    agreement=3e-3,  # the rounding errors of y2 and y3, at first 1e-10, remain when both are 1e-22
)

# BARI, problem VDPOL
VAN_DER_POL = _problem(
    "van der Pol, μ = 1000",
    van_der_pol,
    (2.0, 0.0),
    (1000.0,),
    np.linspace(0, 2000, 41),
    1e-13,
    "2000 0.1706167732170469e1 -0.8928097010248125e-3",
)

# GENEVA, problem VDPOL, which continues to time 11
SCALED_VAN_DER_POL = _problem(
    "van der Pol, ε = 1e-6",
    scaled_van_der_pol,
    (2.0, 0.0),
    (1e-6,),
    np.linspace(0, 2, 41),
    (1e-13, 1e-10),  # the velocity reaches 1e3
    """
1 -0.1863646254808130E+01 0.7535430865435460E+00
2 0.1706167732170456E+01 -0.8928097010248257E+00
""",
)

# BARI, problem POLLU
POLLUTION = _problem(
    "POLLU",
    pollution,
    (0, 0.2, 0, 0.04, 0, 0, 0.1, 0.3, 0.01, 0, 0, 0, 0, 0, 0, 0, 0.007, 0, 0, 0),
    (
        *(0.35, 26.6, 12300, 8.6e-4, 8.2e-4, 15000, 1.3e-4, 24000, 16500, 9000, 0.022, 12000),
        *(1.88, 16300, 4.8e6, 3.5e-4, 0.0175, 1e8, 4.44e11, 1240, 2.1, 5.78, 0.0474, 1780, 3.12),
    ),
    [0, *np.geomspace(0.01, 50, 30), 60],
    [1e-26 if i == 16 else 1e-17 if i in (3, 5, 6, 10, 11, 19) else 1e-14 for i in range(1, 21)],
    "60 0.5646255480022769e-01 0.1342484130422339e+00 0.4139734331099427e-08 "
    "0.5523140207484359e-02 0.2018977262302196e-06 0.1464541863493966e-06 0.7784249118997964e-01 "
    "0.3245075353396018e+00 0.7494013383880406e-02 0.1622293157301561e-07 0.1135863833257075e-07 "
    "0.2230505975721359e-02 0.2087162882798630e-03 0.1396921016840158e-04 0.8964884856898295e-02 "
    "0.4352846369330103e-17 0.6899219696263405e-02 0.1007803037365946e-03 0.1772146513969984e-05 "
    "0.5682943292316392e-04",
)

PROBLEMS = {
    problem.name: problem
    for problem in (
        BRUSSELATOR,
        ROBERTSON,
        OREGONATOR,
        HIRES,
        E5,
        E5_LONG,
        VAN_DER_POL,
        SCALED_VAN_DER_POL,
        POLLUTION,
        _chain_problem(10, 5, 8.0),
        _chain_problem(30, 10, 20.0),
        _chain_problem(100, 10, 60.0),
        _stiff_chain_problem(30, 0.7),
        _stiff_chain_problem(100, 2.2),
    )
}


def exact_sensitivities(problem):
    """Sensitivities (n_times, n_species, n_parameters) of a chain, by the matrix exponential.

    The rate is A c with A = Σ p_j A_j. The exponential of t [[A, A_j], [0, A]] has the derivative
    of exp(t A) with respect to p_j as its upper right block.
    """
    n_species = len(problem.initial)
    parts = [
        jacobian(lambda state, unit=unit: problem.rate(0.0, state, *unit))(problem.initial)
        for unit in np.eye(len(problem.parameters))
    ]
    matrix = np.einsum("j,jkl->kl", problem.parameters, np.array(parts))
    columns = []
    for part in parts:
        block = np.block([[matrix, part], [np.zeros_like(matrix), matrix]])
        blocks = [expm(time * block)[:n_species, n_species:] for time in problem.times]
        columns.append(np.array(blocks) @ problem.initial)
    return np.stack(columns, axis=-1)
