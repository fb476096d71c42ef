"""Start JupyterLab and the system's Chromium, both without the user's own settings."""

import os
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
signal.signal(signal.SIGTERM, signal.default_int_handler)  # end the server as after Ctrl-C


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, tmp_path_factory):
    """Launch the system's Chromium with an empty home folder."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser was found ({', '.join(BROWSERS)}): apt-get install chromium")
    environment = {**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))}
    return {**browser_type_launch_args, "executable_path": program, "env": environment}


@pytest.fixture(scope="session")
def base_url(tmp_path_factory):
    """URL of a JupyterLab server on copies of the notebooks, because it saves what it runs."""
    home = tmp_path_factory.mktemp("jupyter")
    shutil.copytree(HERE.parents[1] / "notebooks", home / "notebooks")
    names = [name for name in os.environ if not name.startswith(("JUPYTER", "MPLBACKEND"))]
    environment = {name: os.environ[name] for name in names}
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    environment |= dict.fromkeys(folders, str(home))
    environment["JUPYTER_CONFIG_PATH"] = str(HERE)  # labconfig: no news; every cell is on the page
    program = os.environ.get("JUPYTER_LAB", ".venv/bin/jupyter-lab")
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1"]
    server = subprocess.Popen(
        [program, *options, f"--ServerApp.root_dir={home / 'notebooks'}"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    log = ""
    try:
        for line in server.stderr:
            log += line
            if url := re.search(r"http://127\S+token=\w+", line):
                break
        else:
            pytest.fail(f"JupyterLab does not start:\n{log}", pytrace=False)
        threading.Thread(target=server.stderr.read, daemon=True).start()  # or the pipe fills up
        yield url[0]
    finally:
        server.terminate()  # it ends its kernels first
        try:
            server.wait(timeout=20)
        finally:
            server.kill()
