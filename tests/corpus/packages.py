# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus' own packages: for the public index, for the private one, and for nobody's but a wheelhouse."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

UV = str(Path(sys.executable).with_name("uv"))
REVUE = Path(__file__).with_name("packages") / "revue"
FLIT = """\
[build-system]
requires = ["flit_core>=3.12,<4"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}"
version = "1.0"
description = "A package of the test bed"
"""
SETUPTOOLS = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "{name}"
version = "1.0"

[tool.setuptools]
py-modules = []
ext-modules = [{{name = "{module}", sources = ["drums.c"]}}]
"""
DRUMS = """\
#include <Python.h>

static PyObject *beat(PyObject *self, PyObject *args) { return PyLong_FromLong(4); }
static PyMethodDef methods[] = {{"beat", beat, METH_NOARGS, ""}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "garage_drums", "", -1, methods};
PyMODINIT_FUNC PyInit_garage_drums(void) { return PyModule_Create(&module); }
"""


@dataclass(frozen=True)
class Package:
    """One package, as it is published.

    Args:
        name: of the distribution.
        place: the directory that it goes to: public, private or nowhere.
        kind: wheel or sdist.
    """

    name: str
    place: str
    kind: str = "wheel"


PACKAGES = (
    Package("garage-riff", "public", "sdist"),
    Package("garage-drums", "public", "sdist"),
    Package("garage-revue", "public"),
    Package("garage-future", "public"),
    Package("garage-solo", "private"),
    Package("garage-encore", "nowhere"),
)


def build(target: Path, cache: Path) -> None:
    """Build those that are not there yet, into directories of the target.

    Args:
        target: the directory of the directories.
        cache: a directory with the build backends.
    """
    for package in PACKAGES:
        folder = target / package.place
        folder.mkdir(parents=True, exist_ok=True)
        if not list(folder.glob(package.name.replace("-", "_") + "-*")):
            _build(package, folder, cache)


def _build(package: Package, folder: Path, cache: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        _write(package, source)
        backends = ["--no-index", "--find-links", str(cache)]
        argv = [UV, "build", "--quiet", f"--{package.kind}", "--python", "/usr/bin/python3", *backends]
        # the same source makes the same file, so that its hash stays
        env = {**os.environ, "UV_NO_CONFIG": "1", "SOURCE_DATE_EPOCH": "1750000000"}
        subprocess.run([*argv, "--out-dir", str(folder), str(source)], env=env, check=True)
    (folder / ".gitignore").unlink(missing_ok=True)  # uv's own
    for file in folder.iterdir():
        file.chmod(0o755 if file.is_dir() else 0o644)


def _write(package: Package, source: Path) -> None:
    module = package.name.replace("-", "_")
    if package.name == "garage-revue":
        shutil.copytree(REVUE, source, ignore=shutil.ignore_patterns("__pycache__"))
        return
    source.mkdir()
    if package.name == "garage-drums":
        (source / "pyproject.toml").write_text(SETUPTOOLS.format(name=package.name, module=module))
        (source / "drums.c").write_text(DRUMS)
        return
    later = 'requires-python = ">=3.99"\n' if package.name == "garage-future" else ""
    (source / "pyproject.toml").write_text(FLIT.format(name=package.name) + later)
    (source / f"{module}.py").write_text(f'"""{package.name}, a package of the test bed."""\n')
