"""Execute notebooks from a fresh kernel and store their outputs: `make notebooks`.

The figure of the cell tagged `picture` is also written to notebooks/pictures, for the README.
"""

import sys
from base64 import b64decode
from pathlib import Path
from queue import Empty
from time import monotonic

import nbformat
from nbclient import NotebookClient

# The output of a slider. It holds an identifier that changes with each run and is useless after it.
WIDGET = "application/vnd.jupyter.widget-view+json"


def poll_channels(kernel_client):
    """Look for messages every second: pyzmq's asyncio sockets can miss one, and would wait on."""
    for channel in (kernel_client.shell_channel, kernel_client.iopub_channel):
        channel.get_msg = polling(channel.get_msg)


def polling(get_msg, interval=1.0):
    """`get_msg` of a channel, made of attempts that wait `interval` seconds at most."""

    async def get_polled(timeout=None):
        end = monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            left = end - monotonic()
            try:
                return await get_msg(timeout=max(0, min(interval, left)))
            except Empty:
                if left <= interval:
                    raise

    return get_polled


def execute(path):
    """Execute the notebook at `path` in its own folder, and store the outputs in it."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=600,  # s, per cell: a notebook that hangs should end
        raise_on_iopub_timeout=True,  # no output is lost silently
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": path.parent}},
        extra_arguments=["--log-level=ERROR"],  # a warning about every kernel on a loopback port
        on_notebook_start=lambda **_: poll_channels(client.kc),
    )
    client.execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            kept = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
            cell.outputs = kept
    notebook.metadata.pop("widgets", None)  # their state, pictures included
    # The version of Python is removed: every supported version gives the same outputs.
    notebook.metadata.language_info.pop("version", None)
    nbformat.write(notebook, path)
    for cell in notebook.cells:
        if "picture" in cell.metadata.get("tags", []):
            png = b64decode(cell.outputs[-1].data["image/png"])
            (path.parent / "pictures" / f"{path.stem}.png").write_bytes(png)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        began = monotonic()
        execute(Path(name))
        print(f"{name}: {monotonic() - began:.0f} s", flush=True)
