"""What does it cost to read attention, feed-forward parts and heads in the same pass as the layers?

(u) layers, attention and feed-forward parts, pooled, tokenising included, against the bare forward on the same batches: at most
1.1x. Also all five families, the heads among them.
"""

from __future__ import annotations

from benchmarks.common import bare_forward, default_encoder, in_turn, sentences
from benchmarks.figures import tell
from lit_probe.encoder.activations import BLOCK_SIZE
from lit_probe.encoder.site_activations import extract_sites
from lit_probe.encoder.site_search import sites_of
from lit_probe.encoder.sites import FAMILIES

ROUNDS = 5


def main() -> None:
    """Prints the two figures."""
    encoder = default_encoder()
    texts = sentences("train")[:BLOCK_SIZE]
    encoded = encoder.encode(texts)
    batches = [[encoded[i] for i in indices] for indices in encoder.batches(encoded)]
    three, five = (sites_of(encoder, names) for names in (["layers", "attention", "mlp"], list(FAMILIES)))
    times = in_turn(
        ROUNDS,
        bare=lambda: bare_forward(encoder, batches),
        three=lambda: extract_sites(encoder, texts, three, "mean"),
        five=lambda: extract_sites(encoder, texts, five, "mean"),
    )
    tell(
        times.ratio(f"(u) three families / bare forward, {len(texts):,} sentences", "three", "bare", at_most=1.1),
        times.ratio(f"all five families ({len(five)} sites) / bare forward", "five", "bare"),
    )
