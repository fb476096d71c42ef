"""What holds for every test run, notebooks included."""

import os
import tempfile
from pathlib import Path

STARTUP = "import warnings\n\nwarnings.simplefilter('error')\n"


def pytest_configure(config):
    """Give the notebooks' kernels a profile of their own, in which a warning is an error.

    PYTHONWARNINGS can't do it: it would reach the kernel's own modules before the kernel has started.
    """
    profile = tempfile.TemporaryDirectory(prefix="ipython-")
    config.add_cleanup(profile.cleanup)
    startup = Path(profile.name, "profile_default", "startup", "warnings_are_errors.py")
    startup.parent.mkdir(parents=True)
    startup.write_text(STARTUP)
    os.environ["IPYTHONDIR"] = profile.name
    os.environ.pop("MPLBACKEND", None)  # set to Agg, as it often is in CI, it would take the figures away
