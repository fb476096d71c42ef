"""Execute notebooks from a fresh kernel and store their outputs: how a change is accepted. Run by make notebooks.

The figure of the cell tagged `picture` is also written to notebooks/pictures, for the README.
"""

import sys
import time
from base64 import b64decode
from pathlib import Path

import nbformat
from nbclient import NotebookClient

WIDGET = (
    "application/vnd.jupyter.widget-view+json"  # a slider's name changes with each run, and means nothing without it
)


def execute(path):
    """Execute the notebook at `path` in its folder, and write it back as it is to be read."""
    notebook = nbformat.read(path, as_version=4)
    count = sum(cell.cell_type == "code" for cell in notebook.cells)

    def show_how_far(cell, cell_index, **_):
        if sys.stdout.isatty() and cell.cell_type == "code":
            print(f"\r{path.stem}: cell {cell.execution_count or 0} of {count}", end="", flush=True)

    began = time.monotonic()
    client = NotebookClient(
        notebook,
        timeout=600,  # s, per cell: a notebook that hangs should end
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": path.parent}},
        on_cell_executed=show_how_far,
        extra_arguments=["--log-level=ERROR"],  # a warning about every kernel on a loopback port
    )
    client.execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    notebook.metadata.pop("widgets", None)  # their state, pictures included
    notebook.metadata.language_info.pop("version", None)  # of Python: any that is supported gives the same outputs
    nbformat.write(notebook, path)
    for cell in notebook.cells:
        if "picture" in cell.metadata.get("tags", []):
            (path.parent / "pictures" / f"{path.stem}.png").write_bytes(b64decode(cell.outputs[-1].data["image/png"]))
    print(f"\r{path.stem}: {count} cells in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        execute(Path(argument))
