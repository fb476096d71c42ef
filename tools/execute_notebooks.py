"""Execute notebooks from a fresh kernel and store their outputs: `make notebooks`.

The figure of the cell tagged `picture` is also written to notebooks/pictures, for the README.
"""

import sys
import time
from base64 import b64decode
from pathlib import Path
from queue import Empty

import nbformat
from nbclient import NotebookClient

# The output of a slider. It holds an identifier that changes with each run and is useless after it.
WIDGET = "application/vnd.jupyter.widget-view+json"


def poll(get_msg, interval=1.0):
    """Wrap `get_msg` of a channel so that it looks for a message every `interval` seconds.

    The asyncio sockets of pyzmq can miss the arrival of a message, and would then wait for it until
    the timeout.
    """

    async def polling(timeout=None):
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            left = end - time.monotonic()
            try:
                return await get_msg(timeout=max(0, min(interval, left)))
            except Empty:
                if left <= interval:
                    raise

    return polling


def _poll_channels(kernel_client):
    for channel in (kernel_client.shell_channel, kernel_client.iopub_channel):
        channel.get_msg = poll(channel.get_msg)


def execute(path):
    """Execute the notebook at `path` in its own folder, and store the outputs in it."""
    notebook = nbformat.read(path, as_version=4)
    count = sum(cell.cell_type == "code" for cell in notebook.cells)

    def show_progress(cell, cell_index, **_):
        if sys.stdout.isatty() and cell.cell_type == "code":
            print(f"\r{path.stem}: cell {cell.execution_count or 0} of {count}", end="", flush=True)

    began = time.monotonic()
    client = NotebookClient(
        notebook,
        timeout=600,  # s, per cell: a notebook that hangs should end
        raise_on_iopub_timeout=True,  # no output is lost silently
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": path.parent}},
        on_notebook_start=lambda **_: _poll_channels(client.kc),
        on_cell_executed=show_progress,
        extra_arguments=["--log-level=ERROR"],  # a warning about every kernel on a loopback port
    )
    client.execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if WIDGET not in output.get("data", {})
            ]
    notebook.metadata.pop("widgets", None)  # their state, pictures included
    # The version of Python is removed: every supported version gives the same outputs.
    notebook.metadata.language_info.pop("version", None)
    nbformat.write(notebook, path)
    for cell in notebook.cells:
        if "picture" in cell.metadata.get("tags", []):
            png = b64decode(cell.outputs[-1].data["image/png"])
            (path.parent / "pictures" / f"{path.stem}.png").write_bytes(png)
    print(f"\r{path.stem}: {count} cells in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        execute(Path(argument))
