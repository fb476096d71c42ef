"""Start a JupyterLab on copies of the notebooks, with settings of its own, and end it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from time import sleep

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # the page contains every cell
}
OPTIONS = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--LabApp.expose_app_in_browser=True"]


@contextmanager
def jupyterlab(jupyter, notebooks, home):
    """The address and token of a JupyterLab on copies of `notebooks`, with its folders in `home`.

    They are copies because JupyterLab saves what it runs. The copies have no outputs, so that every
    output on the page comes from this run.
    """
    for name, setting in SETTINGS.items():
        _write(home / "SETTINGS" / "@jupyterlab" / f"{name}.jupyterlab-settings", setting)
    for notebook in notebooks:
        content = read(notebook)
        for cell in code(content):
            cell.update(outputs=[], execution_count=None)
        _write(home / "notebooks" / notebook.name, content)
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [jupyter, "lab", *OPTIONS, f"--ServerApp.root_dir={home / 'notebooks'}"],
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield _address(server, home)
    finally:
        _end(server)


def _environment(home):
    """Environment variables without the user's Jupyter settings or a backend without figures."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "MPLBACKEND"))
    }
    folders = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    folders |= {f"JUPYTERLAB_{name}_DIR": str(home / name) for name in ("SETTINGS", "WORKSPACES")}
    return {**inherited, **folders, "IPYTHONDIR": str(home / "ipython")}


def _address(server, home):
    """Address and token, as soon as the server has found a free port and reports it."""
    for _ in range(600):  # 60 s
        for file in home.glob("RUNTIME/jpserver-*.json"):
            with suppress(ValueError):  # half written
                found = read(file)
                return found["url"], found["token"]
        if server.poll() is not None:
            break
        sleep(0.1)
    sys.exit(
        "JupyterLab does not start. The end of its log:\n" + (home / "log").read_text()[-2000:]
    )


def _end(server):
    """End the server's process group; on SIGTERM, it first ends its kernels in other groups."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(20)
        os.killpg(server.pid, signal.SIGKILL)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def code(notebook):
    """The code cells of a notebook's JSON."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
