"""What the benchmarks share: the real sentences, a peer's bare forward pass, times in turn."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Times
from lit_probe.encoder.checkpoint import DEFAULT_MODEL
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText


def data_folder() -> Path:
    """The folder with sst2/ and imdb/, named by LIT_PROBE_TEST_DATA."""
    folder = os.environ.get("LIT_PROBE_TEST_DATA")
    if not folder:
        sys.exit("The benchmarks read real sentences. Set LIT_PROBE_TEST_DATA to a folder that holds sst2/sentences_train.tsv.")
    return Path(folder)


def sentences(*names: str) -> list[str]:
    """The sentences of ``sst2/sentences_NAME.tsv``, file after file."""
    lines = [line for name in names for line in (data_folder() / f"sst2/sentences_{name}.tsv").read_text("utf-8").split("\n")[1:]]
    return [line.split("\t")[0].strip() for line in lines if line]


def default_encoder() -> Encoder:
    """The default model on the CPU, its weights loaded."""
    encoder = load_encoder(DEFAULT_MODEL, device="cpu")
    _ = encoder.model
    return encoder


def bare_forward(encoder: Encoder, batches: Sequence[Sequence[EncodedText]]) -> None:
    """What people write by hand: pad each batch, run the model, keep nothing."""
    import torch

    model = encoder.model

    def run() -> None:
        with torch.inference_mode():
            for batch in batches:
                longest = max(len(text.ids) for text in batch)
                ids = torch.tensor([text.ids + [0] * (longest - len(text.ids)) for text in batch])
                mask = torch.tensor([[1] * len(text.ids) + [0] * (longest - len(text.ids)) for text in batch])
                model(input_ids=ids, attention_mask=mask)

    on_encoder_thread(run)


def seconds(function: Callable[..., Any], *arguments: Any) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def in_turn(rounds: int, **variants: Callable[[], Any]) -> Times:
    """Seconds of each variant, measured in turn so that a machine that slows down slows all of them."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for function in variants.values():
        function()
    for _ in range(rounds):
        for name, function in variants.items():
            times[name].append(seconds(function))
    return Times(times)
