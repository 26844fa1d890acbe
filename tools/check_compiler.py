"""Says what is missing to install lit_probe, before pip fails half-way: the Python version, a C++ compiler, Python's headers."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

problems = []
if not (3, 11) <= sys.version_info[:2] <= (3, 12):
    problems.append(
        f"Python {sys.version_info[0]}.{sys.version_info[1]} was found; lit_probe needs 3.11 or 3.12. "
        "Name another one: make PYTHON=python3.12 serve"
    )
if not any(shutil.which(name) for name in (os.environ.get("CXX") or "c++", "g++", "clang++")):
    problems.append("No C++ compiler was found.")
if not Path(sysconfig.get_paths()["include"], "Python.h").exists():
    problems.append("Python's header files (Python.h) were not found.")
if problems:
    print("\n".join(problems), file=sys.stderr)
    print(
        "lit-nlp depends on annoy, which is compiled on your machine. To get a compiler and the headers:\n"
        "  Debian, Ubuntu:  sudo apt-get install g++ python3-dev\n"
        "  Fedora:          sudo dnf install gcc-c++ python3-devel\n"
        "  macOS:           xcode-select --install",
        file=sys.stderr,
    )
    sys.exit(1)
