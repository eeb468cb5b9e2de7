"""A replacement for the get-pip.py that ansible-test would download: it installs with the pip of Python's ensurepip."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
UNKNOWN_TO_PIP = ("--no-setuptools", "--no-wheel")


def main() -> None:
    """Make pip available, then pass the requirements on to it."""
    subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != HERE]
    arguments = [argument for argument in sys.argv[1:] if argument not in UNKNOWN_TO_PIP]
    wanted = any(not argument.startswith("-") for argument in arguments)
    sys.argv = ["pip", "install", *arguments] if wanted else ["pip", "--version"]
    runpy.run_module("pip", run_name="__main__")


main()
