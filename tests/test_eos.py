"""Equations of state: what their parameters mean, and that fits of them find the minimum."""

import ase.eos
import ase.units
import autograd.numpy as np
import mpmath
import pytest
from autograd import elementwise_grad
from scipy.optimize import leastsq
from scipy.stats import t as student

from helpers import eos
from helpers.eos import (
    GPA_PER_EV_ANGSTROM3,
    GPA_PER_HARTREE_BOHR3,
    birch_murnaghan,
    fit_eos,
    murnaghan,
    poirier_tarantola,
    vinet,
)
from helpers.tables import read_columns

PARAMETERS = (-400.03, 0.0037, 4.05, 212.8)
ENERGY0, BULK_MODULUS, PRIME, VOLUME0 = PARAMETERS
VOLUMES = np.linspace(140.0, 330.0, 39)
EQUATIONS = [murnaghan, birch_murnaghan, vinet, poirier_tarantola]
each = pytest.mark.parametrize("equation", EQUATIONS, ids=lambda equation: equation.__name__)
OF_ASE = {
    murnaghan: ase.eos.murnaghan,
    birch_murnaghan: ase.eos.birchmurnaghan,
    vinet: ase.eos.vinet,
    poirier_tarantola: ase.eos.pouriertarantola,
}
DATA = read_columns("energy_volume.csv", "volume", "energy")


@each
def test_energy_at_volume0_is_energy0(equation):
    assert equation(VOLUME0, *PARAMETERS) == pytest.approx(ENERGY0, rel=1e-15)


@each
def test_pressure_at_volume0_is_zero(equation):
    assert abs(eos.pressure(equation)(VOLUME0, *PARAMETERS)) < 1e-16


@each
def test_bulk_modulus_at_volume0_is_the_parameter(equation):
    assert eos.bulk_modulus(equation)(VOLUME0, *PARAMETERS) == pytest.approx(
        BULK_MODULUS, rel=1e-13
    )


@each
def test_bulk_modulus_prime_is_its_slope_with_pressure(equation):
    """dB/dP = (dB/dV) / (dP/dV) at the minimum."""
    of_bulk_modulus = elementwise_grad(eos.bulk_modulus(equation))(VOLUME0, *PARAMETERS)
    of_pressure = elementwise_grad(eos.pressure(equation))(VOLUME0, *PARAMETERS)
    assert of_bulk_modulus / of_pressure == pytest.approx(PRIME, rel=1e-12)


@each
def test_pressure_is_minus_the_slope_of_the_energy(equation):
    step = 1e-3
    slope = (equation(VOLUMES + step, *PARAMETERS) - equation(VOLUMES - step, *PARAMETERS)) / (
        2 * step
    )
    assert np.allclose(eos.pressure(equation)(VOLUMES, *PARAMETERS), -slope, rtol=0, atol=1e-9)


@each
def test_energies_agree_with_ase(equation):
    assert np.allclose(
        equation(VOLUMES, *PARAMETERS), OF_ASE[equation](VOLUMES, *PARAMETERS), rtol=1e-14
    )


def test_murnaghans_bulk_modulus_is_linear_in_the_pressure():
    linear = BULK_MODULUS + PRIME * eos.pressure(murnaghan)(VOLUMES, *PARAMETERS)
    assert np.allclose(
        eos.bulk_modulus(murnaghan)(VOLUMES, *PARAMETERS), linear, rtol=0, atol=1e-14
    )


@each
def test_fit_eos_recovers_the_parameters_of_exact_energies(equation):
    found = fit_eos(equation, VOLUMES, equation(VOLUMES, *PARAMETERS))
    assert np.allclose(found.parameters, PARAMETERS, rtol=1e-9)


def correction(equation, parameters):
    """The Gauss–Newton step from `parameters` on the post's data, in 50-digit arithmetic."""
    with mpmath.workdps(50):
        exact = [mpmath.mpf(float(p)) for p in parameters]
        volumes, energies = ([mpmath.mpf(float(number)) for number in column] for column in DATA)
        rows = [
            [
                mpmath.diff(
                    lambda *p, v=v: equation_in_mpmath(equation, v, *p),
                    exact,
                    [int(i == j) for j in range(4)],
                )
                for i in range(4)
            ]
            for v in volumes
        ]
        residuals = [
            e - equation_in_mpmath(equation, v, *exact)
            for v, e in zip(volumes, energies, strict=True)
        ]
        jacobian, residuals = mpmath.matrix(rows), mpmath.matrix(residuals)
        return np.array(
            [float(s) for s in mpmath.lu_solve(jacobian.T * jacobian, jacobian.T * residuals)]
        )


def equation_in_mpmath(equation, volume, energy0, b0, prime, volume0):
    """The equations once more, from the literature, for numbers of any precision."""
    x = (volume0 / volume) ** (mpmath.mpf(1) / 3)
    if equation is murnaghan:
        compression = (volume0 / volume) ** prime
        return (
            energy0
            + b0 * volume / prime * (compression / (prime - 1) + 1)
            - volume0 * b0 / (prime - 1)
        )
    if equation is birch_murnaghan:
        strain = (x**2 - 1) / 2
        return energy0 + volume0 * b0 * strain**2 * (
            mpmath.mpf(9) / 2 + mpmath.mpf(9) / 2 * (prime - 4) * strain
        )
    if equation is vinet:
        y = 1 / x
        decay = mpmath.exp(mpmath.mpf(3) / 2 * (prime - 1) * (1 - y))
        return energy0 + 2 * b0 * volume0 / (prime - 1) ** 2 * (
            2 - (5 + 3 * prime * (y - 1) - 3 * y) * decay
        )
    strain = mpmath.log(volume0 / volume)
    return energy0 + b0 * volume0 * (strain**2 / 2 + (prime - 2) * strain**3 / 6)


@each
def test_fit_eos_finds_the_minimum_of_50_digit_arithmetic(equation):
    found = fit_eos(equation, *DATA)
    assert np.all(np.abs(correction(equation, found.parameters)) < 1e-10 * np.abs(found.parameters))


@pytest.mark.parametrize(
    ("equation", "volume0", "in_gpa", "prime", "sse"),
    [
        (murnaghan, 212.778422629, 109.91367, 4.0487365144, 5.119885742e-6),
        (birch_murnaghan, 212.030579501, 116.44624, 4.1652133703, 1.166121564e-6),
        (vinet, 211.705573058, 119.68474, 4.2066377125, 2.568841184e-7),
        (poirier_tarantola, 211.449793864, 123.54987, 4.1514861290, 1.686473939e-8),
    ],
)
def test_fit_eos_finds_the_minima_of_other_programs(equation, volume0, in_gpa, prime, sse):
    """Measured with other tools, before this project was written."""
    found = fit_eos(equation, *DATA)
    _, bulk_modulus, bulk_modulus_prime, volume = found.parameters
    assert volume == pytest.approx(volume0, rel=1e-11)
    assert bulk_modulus * GPA_PER_HARTREE_BOHR3 == pytest.approx(in_gpa, abs=6e-6)
    assert bulk_modulus_prime == pytest.approx(prime, rel=1e-10)
    assert found.chi_square == pytest.approx(sse, rel=1e-7)


def test_fit_eos_agrees_with_ases_fit():
    v0, e0, b0 = ase.eos.EquationOfState(*DATA, eos="birchmurnaghan").fit()
    parameters = fit_eos(birch_murnaghan, *DATA).parameters
    assert [e0, b0, v0] == pytest.approx([parameters[0], parameters[1], parameters[3]], rel=1e-4)


def test_gigapascals_agree_with_ases_units():
    hartree_per_bohr3 = ase.units.Hartree / ase.units.Bohr**3 / ase.units.GPa
    assert np.isclose(GPA_PER_HARTREE_BOHR3, hartree_per_bohr3, rtol=1e-7)
    assert np.isclose(GPA_PER_HARTREE_BOHR3, 29421.0157, rtol=0, atol=1e-4)
    assert np.isclose(GPA_PER_EV_ANGSTROM3, 1 / ase.units.GPa, rtol=1e-7)
    assert np.isclose(GPA_PER_EV_ANGSTROM3, 160.2176634, rtol=1e-14)  # exact since 2019


@each
def test_fit_eos_gives_the_same_bulk_modulus_in_either_unit(equation):
    atomic = fit_eos(equation, *DATA)
    other = fit_eos(equation, DATA[0] * ase.units.Bohr**3, DATA[1] * ase.units.Hartree)
    scale = [ase.units.Hartree, ase.units.Hartree / ase.units.Bohr**3, 1.0, ase.units.Bohr**3]
    assert np.allclose(other.parameters, atomic.parameters * scale, rtol=1e-9)
    in_gpa = [
        atomic["bulk_modulus"].value * GPA_PER_HARTREE_BOHR3,
        other["bulk_modulus"].value * GPA_PER_EV_ANGSTROM3,
    ]
    assert in_gpa[0] == pytest.approx(in_gpa[1], rel=1e-7)


@each
def test_pressure_and_bulk_modulus_take_integers_and_lists(equation):
    for quantity in (eos.pressure(equation), eos.bulk_modulus(equation)):
        exact = quantity(np.array([200.0, 210.0]), *PARAMETERS)
        assert quantity(200, *PARAMETERS) == pytest.approx(exact[0], rel=1e-14)
        assert quantity(np.int64(200), *PARAMETERS) == pytest.approx(exact[0], rel=1e-14)
        assert np.allclose(quantity([200, 210], *PARAMETERS), exact, rtol=1e-14)
        assert np.allclose(quantity(np.array([200, 210]), *PARAMETERS), exact, rtol=1e-14)
        assert quantity(200, -400, 1, 4, 212) == quantity(200.0, -400.0, 1.0, 4.0, 212.0)


@pytest.mark.parametrize(
    ("volumes", "energies", "message"),
    [
        ([1, 2, 3], [1, 0, 1], "3 volumes and 3 energies; give one energy for each of 4 or more"),
        ([1, 2, 3, 4], [1, 0, 1], "4 volumes and 3 energies"),
        ([-1, 2, 3, 4], [1, 0, 0.1, 1], "give positive volumes, not all the same"),
        ([2, 2, 2, 2], [1, 0, 0.1, 1], "give positive volumes, not all the same"),
        ([1, 2, 3, 4], [-1, 0, -0.1, -1], "they have no minimum along the volumes"),
        ([1, 2, 3, 4], [-400, -400, -400, -400], "they have no minimum along the volumes"),
        ([1, 2, 3, np.nan], [1, 0, 0, 1], "volumes: contains nan"),
        ([1, 2, 3, 4], [1, 0, np.nan, 1], "energies: contains nan"),
        ([0, 1, 2, 3], [1, 0, 0.1, 1], "give positive volumes, not all the same"),
    ],
)
def test_fit_eos_refuses_data_without_an_equation_of_state(volumes, energies, message):
    with pytest.raises(ValueError, match=message):
        fit_eos(murnaghan, volumes, energies)


# Constants added to the energies

ROUNDED = np.round(DATA[1] * 2**20) / 2**20  # so that the sums below are exact


@each
@pytest.mark.parametrize("offset", [1e5, -1e5, 1e7, -1e7])
def test_an_offset_of_the_energies_changes_only_energy0(equation, offset):
    plain = fit_eos(equation, DATA[0], ROUNDED)
    moved = fit_eos(equation, DATA[0], ROUNDED + offset)
    assert np.allclose(moved.parameters[1:], plain.parameters[1:], rtol=1e-12, atol=0)
    shift = moved.parameters[0] - plain.parameters[0]
    assert shift == pytest.approx(offset, rel=2 * np.finfo(float).eps, abs=0)
    assert np.allclose(moved.standard_errors, plain.standard_errors, rtol=1e-12, atol=0)
    assert np.allclose(moved.residuals, plain.residuals, rtol=0, atol=1e-15)
    assert moved.chi_square == pytest.approx(plain.chi_square, rel=1e-12, abs=0)


@each
@pytest.mark.parametrize("offset", [1e5, 1e7])
@pytest.mark.parametrize("n", [5, 6, 28])
def test_an_offset_costs_no_more_than_the_digits_it_hides(equation, offset, n):
    volumes = VOLUME0 * np.linspace(0.94, 1.06, n)
    energies = vinet(volumes, *PARAMETERS) - ENERGY0
    energies += 1e-3 * np.ptp(energies) * np.random.default_rng(n).standard_normal(n)
    plain = fit_eos(equation, volumes, energies)
    moved = fit_eos(equation, volumes, energies + offset)
    resolution = np.spacing(offset) / np.ptp(energies)
    assert np.allclose(moved.parameters[1:], plain.parameters[1:], rtol=1e3 * resolution)
    assert moved["energy0"].value - offset == pytest.approx(plain["energy0"].value, abs=1e-7)


@each
@pytest.mark.parametrize("offset", [0.0, 1e4, 1e5, 1e7])
def test_profile_interval_of_volume0_ignores_an_offset(equation, offset):
    plain = fit_eos(equation, DATA[0], ROUNDED - ROUNDED.min())["volume0"].profile_interval()
    moved = fit_eos(equation, DATA[0], ROUNDED + offset)["volume0"].profile_interval()
    assert plain[0] < fit_eos(equation, DATA[0], ROUNDED)["volume0"].value < plain[1]
    assert np.allclose(moved, plain, rtol=1e-6, atol=0)


@each
def test_profile_interval_ends_where_chi_square_has_risen(equation):
    """By as much as Student's t allows, all other parameters being fitted by MINPACK."""
    volumes, energies = DATA[0], DATA[1] - DATA[1].min()
    found = fit_eos(equation, volumes, energies)
    allowed = student.ppf(0.975, found.dof) ** 2 / found.dof
    for volume0 in found["volume0"].profile_interval():

        def residuals(factors, volume0=volume0):
            return equation(volumes, *(factors * found.parameters[:3]), volume0) - energies

        _, _, info, *_ = leastsq(residuals, np.ones(3), xtol=1e-14, ftol=1e-14, full_output=True)
        rise = np.sum(info["fvec"] ** 2) / found.chi_square - 1
        assert rise == pytest.approx(allowed, rel=1e-4)


# Few points, noise, one side of the minimum


@each
@pytest.mark.parametrize("n", [4, 5, 6])
@pytest.mark.parametrize("seed", range(6))
def test_fit_eos_recovers_the_parameters_from_few_points(equation, n, seed):
    volumes = np.random.default_rng(seed).uniform(0.85, 1.2, n) * VOLUME0
    parameters = (-0.03, *PARAMETERS[1:])  # -400 would cost three of the digits
    found = fit_eos(equation, volumes, equation(volumes, *parameters))
    assert np.allclose(found.parameters, parameters, rtol=1e-9)


@each
@pytest.mark.parametrize(("low", "high"), [(0.75, 0.97), (0.8, 0.99), (1.01, 1.2), (1.03, 1.3)])
def test_fit_eos_extrapolates_exactly_to_a_minimum_beyond(equation, low, high):
    volumes = np.linspace(low, high, 9) * VOLUME0
    found = fit_eos(equation, volumes, equation(volumes, *PARAMETERS))
    assert np.allclose(found.parameters, PARAMETERS, rtol=1e-9)


def noisy(equation, low, high, noise, seed):
    """Seven energies with errors of `noise`, relative to the range of the energies."""
    volumes = np.linspace(low, high, 7) * VOLUME0
    energies = equation(volumes, *PARAMETERS)
    errors = noise * np.ptp(energies) * np.random.default_rng(seed).standard_normal(7)
    return volumes, energies + errors


def least_sum_of_squares(equation, volumes, energies):
    """What MINPACK finds from the parameters without noise."""
    with np.errstate(all="ignore"):
        _, _, info, *_ = leastsq(
            lambda p: equation(volumes, *p) - energies,
            PARAMETERS,
            xtol=1e-14,
            ftol=1e-14,
            full_output=True,
        )
    return np.sum(info["fvec"] ** 2)


def check_reason(message):
    """A refusal has a reason, and doesn't blame a guess that nobody gave."""
    assert message.startswith("energies: they have no minimum along the volumes for")
    assert len(message[message.index("(") : message.rindex(")")]) > 10
    assert "guess" not in message


@each
@pytest.mark.parametrize("truth", EQUATIONS, ids=lambda equation: equation.__name__)
@pytest.mark.parametrize("noise", [1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize("half", [0.02, 0.03, 0.06])
def test_fit_eos_finds_the_minimum_of_noisy_energies(equation, truth, noise, half):
    for seed in range(10):
        volumes, energies = noisy(truth, 1 - half, 1 + half, noise, seed)
        found = fit_eos(equation, volumes, energies)
        least = least_sum_of_squares(equation, volumes, energies)
        assert found.chi_square <= least * (1 + 1e-9)
        assert abs(found["bulk_modulus"].value / BULK_MODULUS - 1) < 0.5


@each
@pytest.mark.parametrize(("low", "high"), [(0.75, 0.97), (1.03, 1.3)], ids=["left", "right"])
def test_fit_eos_finds_the_minimum_of_one_sided_energies(equation, low, high):
    """The true V0 is within five of the standard errors, which are wide."""
    answered = 0
    for seed in range(5):
        volumes, energies = noisy(equation, low, high, 1e-3, seed)
        try:
            found = fit_eos(equation, volumes, energies)
        except ValueError as refusal:
            check_reason(str(refusal))
            continue
        assert found.chi_square <= least_sum_of_squares(equation, volumes, energies) * (1 + 1e-9)
        volume0 = found["volume0"]
        assert abs(volume0.value - VOLUME0) < 5 * volume0.standard_error
        answered += 1
    assert answered >= 4


@each
@pytest.mark.parametrize("seed", range(3))
def test_a_strange_one_sided_fit_is_answered_or_explained(equation, seed):
    volumes, energies = noisy(equation, 0.75, 0.97, 1e-2, seed)
    try:
        found = fit_eos(equation, volumes, energies)
    except ValueError as refusal:
        check_reason(str(refusal))
    else:
        assert found.chi_square <= least_sum_of_squares(equation, volumes, energies) * (1 + 1e-9)


@each
def test_energies_that_only_fall_are_refused_without_a_guess(equation):
    """The minimum would be where ln V = 2500."""
    volumes = np.linspace(10, 14, 5)
    logs = np.log(volumes)
    with pytest.raises(ValueError, match="no minimum along the volumes") as refusal:
        fit_eos(equation, volumes, 1 - 0.5 * logs + 1e-4 * logs**2)
    check_reason(str(refusal.value))


@each
@pytest.mark.parametrize("energy", [-400.0, 0.0, 1e7])
def test_flat_energies_are_refused_as_all_the_same(equation, energy):
    with pytest.raises(ValueError, match="they are all the same") as refusal:
        fit_eos(equation, VOLUMES, np.full(len(VOLUMES), energy))
    check_reason(str(refusal.value))
