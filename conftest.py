"""What holds for every test run, notebooks included."""

import os
import tempfile
from pathlib import Path

STARTUP = """
import warnings

get_ipython().events.register("pre_run_cell", lambda _: warnings.simplefilter("error"))
"""


def pytest_configure(config):
    """Give the notebooks' kernels a profile of their own, in which a warning is an error.

    From its first cell on, that is: PYTHONWARNINGS, or a filter set while the kernel starts, would turn a
    deprecation in the kernel's own modules into its death.
    """
    profile = tempfile.TemporaryDirectory(prefix="ipython-")
    config.add_cleanup(profile.cleanup)
    startup = Path(profile.name, "profile_default", "startup", "warnings_are_errors.py")
    startup.parent.mkdir(parents=True)
    startup.write_text(STARTUP)
    os.environ["IPYTHONDIR"] = profile.name
    os.environ.pop("MPLBACKEND", None)  # set to Agg, as it often is in CI, it would take the figures away
