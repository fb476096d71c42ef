"""Every test run loads the notebook plugin, tests/notebook_plugin."""

pytest_plugins = ["notebook_plugin"]
