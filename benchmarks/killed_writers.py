"""Real kills of `lit-probe layers` at moments spread over the writing of its cache, and what the next run makes of what is left.

The encoder is tiny and the table short, so that much of a run is writing. Each run is killed (SIGKILL, by another process) at
another system call of its writing, every second one up to 3 ms after it, so that some die within a write. The next run goes on
with what is left, and is killed in turn, until one comes to its end: its layers.json must be that of an undisturbed run, byte
for byte. Then all begins again with an empty folder. The phases that were hit are counted.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.figures import Figure, tell
from lit_probe.cli import FLAGS
from lit_probe.cli import main as lit_probe

N_KILLS, N_ROWS = 200, 120
_LATEST_S = 0.003
_ENDED = "came to its end"
_WRITING = "unfinished-"


def main() -> None:
    """Prints the phases that were hit, wrong results, and how much of the work the next run could take over."""
    # Once for all runs, which are forked.
    import matplotlib.figure  # noqa: F401
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401
    import sklearn.linear_model
    import sklearn.model_selection  # noqa: F401
    import torch
    import transformers.models.bert.modeling_bert  # noqa: F401

    import lit_probe.encoder.loading
    import lit_probe.figures  # noqa: F401
    from tests.tiny_encoders import build

    torch.set_num_threads(1)
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="killed-writers-")
    draw, hit, ended, wrong = random.Random(0), Counter[str](), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        # In a process of its own: what has computed anything has threads, and should not be forked.
        if (builder := os.fork()) == 0:
            build(place / "tiny", "bert")
            os._exit(0)
        os.waitpid(builder, 0)
        (place / "rows.csv").write_text("text,label\n" + "".join(f"film number {i},{i % 2}\n" for i in range(N_ROWS)))
        n_events = _run(place / "undisturbed", place / "right", None, 0.0)[1]
        n_entries = len(list((place / "undisturbed").glob("*/*")))
        right = (place / "right" / "layers.json").read_bytes()
        print(f"{n_events} system calls of writing {n_entries} entries; {N_KILLS} kills")
        cache, out = place / "cache", place / "out"
        while hit.total() < N_KILLS:
            # Of the next one or two entries that are written.
            at = draw.randint(1, 2 * n_events // n_entries)
            phase, _ = _run(cache, out, at, draw.uniform(0, _LATEST_S) if hit.total() % 2 else 0.0)
            if phase != _ENDED:
                hit[phase] += 1
                continue
            ended += 1
            wrong += (out / "layers.json").read_bytes() != right
            print(f"{hit.total()} kills, {ended} runs came to their end, {wrong} wrong results", flush=True)
            shutil.rmtree(cache)
            shutil.rmtree(out)
    for phase, n in sorted(hit.items()):
        print(f"{n:5}  {phase}")
    print(f"{hit.total()} kills, {ended} runs came to their end")
    tell(Figure("(am) wrong results", wrong, "results", at_most=0))


def _run(cache: Path, out: Path, kill_at: int | None, after_s: float) -> tuple[str, int]:
    """One run of the command in a process of its own; the phase in which it was killed, and how many calls it made until then."""
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(heard)
        _work(cache, out, kill_at, after_s == 0, told)
    os.close(told)
    said = b""
    with os.fdopen(heard, "rb") as stream:
        said = stream.readline()
        if not said.startswith(_ENDED.encode()):
            time.sleep(after_s)
            os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if kill_at is None and status != 0:
        sys.exit(f"the run was not well: {status}")
    phase, n_events = said.decode().strip().rsplit(" ", 1)
    if not os.WIFSIGNALED(status):
        return _ENDED, int(n_events)
    return phase + (", within 3 ms" if after_s else ""), int(n_events)


def _work(cache: Path, out: Path, kill_at: int | None, wait: bool, told: int) -> None:
    n_events = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal n_events
        path = str(arguments[0]) if arguments else ""
        if str(cache) not in path or _WRITING not in path or event not in _PHASES:
            return
        n_events += 1
        if n_events == kill_at:
            # Without the random ends of names.
            name = re.sub(r"\.[0-9a-f]{16}$", "", Path(path).name)
            what = "" if name.startswith(_WRITING) else f" {name}"
            os.write(told, f"{_PHASES[event]}{what} {n_events}\n".encode())
            while wait:
                signal.pause()

    sys.addaudithook(hook)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    FLAGS.unparse_flags()
    flags = [f"--model={cache.parent / 'tiny'}", f"--datasets=csv={cache.parent / 'rows.csv'}"]
    code = lit_probe(["lit-probe", "layers", "--checks=none", *flags, f"--cache_dir={cache}", f"--out={out}"])
    if kill_at is None or n_events < kill_at:
        os.write(told, f"{_ENDED} {n_events}\n".encode())
    os._exit(code)


# What Python tells its audit hooks just before the call.
_PHASES = {
    "os.mkdir": "making a folder:",
    "tempfile.mkdtemp": "making a folder of the writer",
    "open": "opening",
    "os.chmod": "closing to others:",
    "os.rename": "moving into place:",
    "shutil.rmtree": "clearing up",
    "os.rmdir": "clearing up",
}

if __name__ == "__main__":
    main()
