"""Files that are written into, cut off or taken away after they were read: what is answered stays what it was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

# In a process of its own: one that reads a mapped file behind its end is killed, and would take the tests with it.
PROGRAM = """
    import os, shutil, sys
    from pathlib import Path
    from lit_probe.encoder.activations import extract_activations
    from lit_probe.encoder.encoder import load_encoder

    folder, how, dtype = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    encoder, texts = load_encoder(str(folder), dtype=dtype), ["the film was good", "the plot was dull and slow"]

    def vectors():
        made = extract_activations(encoder, texts)
        return [made.layer(layer).tobytes() for layer in range(encoder.n_layers)]

    before, weights = vectors(), next(folder.glob("*model*.safetensors"))
    size = weights.stat().st_size
    if how == "written into":
        with weights.open("r+b") as file:
            file.seek(size // 2)
            file.write(bytes(size - size // 2))
    elif how == "cut off":
        os.truncate(weights, 100)
    else:
        shutil.rmtree(folder)
    assert vectors() == before
    assert encoder.hashes
    print("the same")
"""


@pytest.mark.parametrize(
    ("how", "dtype"), [("written into", "float32"), ("cut off", "float32"), ("cut off", "bfloat16"), ("gone", "float32")]
)
def test_weights_that_were_loaded_stay_what_they_were(tiny_folder, tmp_path, how, dtype):
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder(), folder)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(folder), how, dtype]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert (done.returncode, done.stdout) == (0, "the same\n"), done.stderr
