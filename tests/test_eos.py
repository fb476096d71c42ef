"""What the four parameters of an equation of state mean, as derivatives of the energy."""

import ase.eos
import ase.units
import autograd.numpy as np
import mpmath
import pytest
from autograd import elementwise_grad

from helpers import eos
from helpers.eos import (
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
def test_the_energy_at_the_minimum_is_energy0(equation):
    assert equation(VOLUME0, *PARAMETERS) == pytest.approx(ENERGY0, rel=1e-15)


@each
def test_the_pressure_at_the_minimum_is_zero(equation):
    assert abs(eos.pressure(equation)(VOLUME0, *PARAMETERS)) < 1e-16


@each
def test_the_curvature_at_the_minimum_is_the_bulk_modulus(equation):
    assert eos.bulk_modulus(equation)(VOLUME0, *PARAMETERS) == pytest.approx(
        BULK_MODULUS, rel=1e-13
    )


@each
def test_the_slope_of_the_bulk_modulus_with_pressure_is_its_prime(equation):
    """dB/dP = (dB/dV) / (dP/dV) at the minimum."""
    of_bulk_modulus = elementwise_grad(eos.bulk_modulus(equation))(VOLUME0, *PARAMETERS)
    of_pressure = elementwise_grad(eos.pressure(equation))(VOLUME0, *PARAMETERS)
    assert of_bulk_modulus / of_pressure == pytest.approx(PRIME, rel=1e-12)


@each
def test_the_pressure_is_minus_the_slope_of_the_energy(equation):
    step = 1e-3
    slope = (equation(VOLUMES + step, *PARAMETERS) - equation(VOLUMES - step, *PARAMETERS)) / (
        2 * step
    )
    assert np.allclose(eos.pressure(equation)(VOLUMES, *PARAMETERS), -slope, rtol=0, atol=1e-9)


@each
def test_ase_has_the_same_energies(equation):
    assert np.allclose(
        equation(VOLUMES, *PARAMETERS), OF_ASE[equation](VOLUMES, *PARAMETERS), rtol=1e-14
    )


def test_murnaghans_bulk_modulus_is_linear_in_the_pressure():
    linear = BULK_MODULUS + PRIME * eos.pressure(murnaghan)(VOLUMES, *PARAMETERS)
    assert np.allclose(
        eos.bulk_modulus(murnaghan)(VOLUMES, *PARAMETERS), linear, rtol=0, atol=1e-14
    )


@each
def test_its_optimum_is_found_again_from_its_own_energies(equation):
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
def test_the_optimum_is_that_of_50_digit_arithmetic(equation):
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
def test_the_optima_are_the_known_ones(equation, volume0, in_gpa, prime, sse):
    """Measured with other tools, before this project was written."""
    found = fit_eos(equation, *DATA)
    _, bulk_modulus, bulk_modulus_prime, volume = found.parameters
    assert volume == pytest.approx(volume0, rel=1e-11)
    assert bulk_modulus * GPA_PER_HARTREE_BOHR3 == pytest.approx(in_gpa, abs=6e-6)
    assert bulk_modulus_prime == pytest.approx(prime, rel=1e-10)
    assert found.chi_square == pytest.approx(sse, rel=1e-7)


def test_ase_finds_the_same_minimum():
    v0, e0, b0 = ase.eos.EquationOfState(*DATA, eos="birchmurnaghan").fit()
    parameters = fit_eos(birch_murnaghan, *DATA).parameters
    assert [e0, b0, v0] == pytest.approx([parameters[0], parameters[1], parameters[3]], rel=1e-4)


def test_ase_has_the_same_gigapascal():
    assert np.isclose(
        GPA_PER_HARTREE_BOHR3, ase.units.Hartree / ase.units.Bohr**3 / ase.units.GPa, rtol=1e-7
    )
    assert np.isclose(GPA_PER_HARTREE_BOHR3, 29421.0157, rtol=0, atol=1e-4)


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
def test_data_without_an_equation_of_state_are_refused(volumes, energies, message):
    with pytest.raises(ValueError, match=message):
        fit_eos(murnaghan, volumes, energies)


def test_integers_and_lists_are_volumes():
    for derived in (eos.pressure, eos.bulk_modulus):
        exact = derived(murnaghan)(np.array([200.0, 210.0]), *PARAMETERS)
        assert derived(murnaghan)(200, *PARAMETERS) == pytest.approx(exact[0], rel=1e-14)
        assert np.allclose(derived(murnaghan)([200, 210], *PARAMETERS), exact, rtol=1e-14)


def test_both_units_of_pressure_are_those_of_ase():
    assert np.isclose(eos.GPA_PER_EV_ANGSTROM3, 1 / ase.units.GPa, rtol=1e-7)


@each
@pytest.mark.parametrize("offset", [1e5, 1e7])
def test_offset_of_the_energies_moves_energy0_alone(equation, offset):
    rng = np.random.default_rng(4)
    for count in (5, 6, 28):
        volumes = VOLUME0 * np.linspace(0.94, 1.06, count)
        energies = vinet(volumes, *PARAMETERS) - ENERGY0
        energies += 1e-3 * np.ptp(energies) * rng.standard_normal(count)
        plain, moved = (fit_eos(equation, volumes, energies + d) for d in (0.0, offset))
        resolution = np.spacing(offset) / np.ptp(energies)
        assert np.allclose(moved.parameters[1:], plain.parameters[1:], rtol=1e3 * resolution)
        assert moved["energy0"].value - offset == pytest.approx(plain["energy0"].value, abs=1e-7)


@each
def test_noise_near_the_minimum_is_fitted_or_refused_with_a_reason(equation):
    rng = np.random.default_rng(5)
    answers = 0
    for noise in np.repeat([1e-4, 1e-3, 1e-2], 10):
        volumes = VOLUME0 * np.linspace(0.97, 1.03, 7)
        energies = vinet(volumes, *PARAMETERS)
        energies = energies + noise * np.ptp(energies) * rng.standard_normal(7)
        found = fit_eos(equation, volumes, energies)
        answers += abs(found["bulk_modulus"].value / BULK_MODULUS - 1) < 0.5
    assert answers == 30


def test_energies_without_a_minimum_are_not_blamed_on_a_guess():
    volumes = np.arange(10.0, 15.0)
    energies = 1 - 0.5 * np.log(volumes) + 1e-4 * np.log(volumes) ** 2
    with pytest.raises(ValueError, match=r"^energies: they have no minimum along the volumes"):
        fit_eos(murnaghan, volumes, energies)


def test_profile_interval_of_the_volume_survives_an_offset():
    plain, moved = (fit_eos(murnaghan, DATA[0], DATA[1] + d) for d in (0.0, 1e4))
    ends = plain["volume0"].profile_interval()
    assert moved["volume0"].profile_interval() == pytest.approx(ends, rel=1e-6)
    assert ends[0] < plain["volume0"].value < ends[1]
