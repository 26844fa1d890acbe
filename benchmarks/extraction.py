"""Does pooling all layers cost more than the bare forward pass, and what does batching by length save?

(a) all-layer pooled extraction, tokenising included, against the bare forward on the same batches: at most 1.05x.
(b) against the forward over batches of 32 padded in input order, tokenising included: at least 1.7x faster.
(f) the arithmetic rate of the encoder, padding not counted as work, as a share of the matrix-multiplication rate of this machine.
"""

from __future__ import annotations

from benchmarks.common import bare_forward, default_encoder, in_turn, sentences
from benchmarks.figures import Figure, tell
from lit_probe.encoder.activations import BLOCK_SIZE, extract_activations
from lit_probe.encoder.thread import on_encoder_thread

ROUNDS = 9
N_TEXTS = BLOCK_SIZE


def main() -> None:
    """Prints the three figures."""
    import torch

    encoder = default_encoder()
    texts = sentences("train")[:N_TEXTS]
    parts = [texts[start : start + BLOCK_SIZE] for start in range(0, len(texts), BLOCK_SIZE)]
    encoded = [encoder.encode(part) for part in parts]
    same_batches = [[part[i] for i in indices] for part in encoded for indices in encoder.batches(part)]

    def padded_in_input_order() -> None:
        everything = encoder.encode(texts)
        bare_forward(encoder, [everything[start : start + 32] for start in range(0, len(everything), 32)])

    config = encoder.model.config
    d_model, d_inner = config.hidden_size, config.intermediate_size
    left, right = torch.randn(2048, d_model), torch.randn(d_model, d_inner)
    repeats = 50

    def multiply() -> None:
        on_encoder_thread(lambda: [left @ right for _ in range(repeats)])

    times = in_turn(
        ROUNDS,
        ours=lambda: extract_activations(encoder, texts),
        bare=lambda: bare_forward(encoder, same_batches),
        padded=padded_in_input_order,
        multiply=multiply,
    )
    work = 0
    for part in encoded:
        for text in part:
            n = len(text.ids)
            per_block = 2 * n * (4 * d_model**2 + 2 * d_model * d_inner) + 4 * n**2 * d_model
            work += config.num_hidden_layers * per_block
    rate = work / times["ours"]
    bound = repeats * 2 * left.numel() * d_inner / times["multiply"]
    tell(
        times.ratio(f"(a) all-layer extraction / bare forward, {N_TEXTS:,} sentences", "ours", "bare", at_most=1.05),
        times.ratio("(b) padded in input order / ours", "padded", "ours", at_least=1.7),
        Figure("(f) arithmetic rate / matrix-multiplication rate", rate / bound, at_least=0.73),
        Figure("matrix-multiplication rate", bound / 1e9, "GFLOP/s"),
    )
