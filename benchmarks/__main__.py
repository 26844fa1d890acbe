"""Runs every benchmark: ``make bench``, or ``python -m benchmarks NAME …`` for some."""

import sys
from importlib import import_module

NAMES = (
    "extraction",
    "sites",
    "words",
    "solver",
    "whole_process",
    "memory",
    "edited_text",
    "server_load",
    "battery",
    "repeats",
    "salience",
    "neurons",
    "counterfactuals",
    "near_copies",
    "pictures",
    "connections",
    "mutations",
    "killed_writers",
    "mixed_requests",
    "soak",
)

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        print(f"\n== {name}: {import_module(f'benchmarks.{name}').__doc__.splitlines()[0]}", flush=True)
        import_module(f"benchmarks.{name}").main()
