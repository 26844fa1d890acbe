"""What do salience maps cost against bare passes of the same rows, and against captum's and LIT's LIME?

Gradient methods of one text: at most 1.5x its forward and backward. Integrated gradients with 32 steps: at most 1.2x one batched
forward and backward of 32 rows. LIME with 256 samples: at most 1.2x one batched forward of the same rows, at least 3.5x faster
than captum's Lime at its default of one perturbation at a time, 2.5x faster than LIT's LIME over a model at LIT's default batch
size, and never slower than either at its best batch size. A probe at layer 2 pays for two of six blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.common import default_encoder, in_turn, sentences
from benchmarks.figures import tell
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText
from lit_probe.probing.probe_forward import Forward, Target, forward_of_probe
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain

ROUNDS = 15
SAMPLES = 256
# captum's own batching (perturbations_per_eval) and LIT's model batch sizes that are tried for the best one.
BATCHES = (8, 16, 32, 64, 256)
# What LIT's BatchedModel takes unless a model says otherwise.
LIT_DEFAULT_BATCH = 1


def main() -> None:
    """Prints the ratios for a text of 25 tokens."""
    encoder = default_encoder()
    random = np.random.default_rng(0)
    weight = random.normal(size=(1, encoder.d_model))
    probe = FittedProbe(
        "logistic",
        np.arange(2),
        np.zeros(encoder.d_model),
        np.ones(encoder.d_model),
        ((np.concatenate([-weight, weight]), np.zeros(2)),),
        True,
    )
    forwards = {layer: forward_of_probe(encoder, "mean", layer, probe) for layer in (2, encoder.n_layers - 1)}
    forward = forwards[encoder.n_layers - 1]
    text = next(one for one in sentences("dev") if len(encoder.encode([one])[0].ids) == 25 and len(one.split()) > 14)
    [encoded] = encoder.encode([text], with_tokens=True)

    single = in_turn(
        ROUNDS,
        bare=lambda: _forward_and_backward(forward, encoded, 1),
        **{name: _map(forward, text, name) for name, method in SALIENCE_METHODS.items() if method.cheap},
    )
    for name in single:
        if name != "bare":
            tell(single.ratio(f"(j) {name} / a forward and backward of the text", name, "bare", at_most=1.5))

    options = SalienceOptions(steps=32)
    paths = in_turn(
        ROUNDS,
        bare=lambda: _forward_and_backward(forward, encoded, 32),
        ours=lambda: explain(forward, text, "integrated_gradients", options=options),
    )
    tell(paths.ratio("(k) integrated_gradients, 32 steps / one batched pass of 32 rows", "ours", "bare", at_most=1.2))

    layers = in_turn(ROUNDS, **{f"layer_{layer}": _map(one, text, "integrated_gradients") for layer, one in forwards.items()})
    low, high = layers
    tell(layers.ratio(f"integrated_gradients of a probe at layer 2 / at layer {encoder.n_layers - 1}", low, high))

    _lime(forward, text, encoded)


def _lime(forward: Forward, text: str, encoded: EncodedText) -> None:
    rows: list[list[EncodedText]] = []

    class Watched:
        """Keeps the rows that our LIME asks about, for the bare pass over the same ones."""

        def __getattr__(self, name: str) -> Any:
            return getattr(forward, name)

        def logits_of(self, texts: Sequence[EncodedText], check: Callable[[], None] | None = None) -> Any:
            rows.append(list(texts))
            return forward.logits_of(texts, check)

    options = SalienceOptions(samples=SAMPLES)
    explain(Watched(), text, "lime", options=options)  # type: ignore[arg-type]
    same = max(rows, key=len)
    captum = {f"captum_{size}": _captum_lime(forward, encoded, size) for size in (1, *BATCHES)}
    lit = {f"lit_{size}": _lit_lime(forward, text, size) for size in (LIT_DEFAULT_BATCH, *BATCHES)}
    times = in_turn(
        5, ours=lambda: explain(forward, text, "lime", options=options), bare=lambda: _one_batch(forward, same), **captum, **lit
    )
    tell(
        times.ratio(f"(l) LIME, {SAMPLES} samples / one batched forward of the same rows", "ours", "bare", at_most=1.2),
        times.ratio("captum's Lime, one perturbation at a time / ours", "captum_1", "ours", at_least=3.5),
        times.ratio(f"LIT's LIME, batch size {LIT_DEFAULT_BATCH} / ours", f"lit_{LIT_DEFAULT_BATCH}", "ours", at_least=2.5),
    )
    for peer in ("captum", "lit"):
        best = min((name for name in times if name.startswith(peer)), key=lambda name: times[name])
        tell(times.ratio(f"{peer}'s LIME at its best batch size / ours", best, "ours", at_least=1))


def _map(forward: Forward, text: str, method: str) -> Callable[[], Any]:
    return lambda: explain(forward, text, method)


def _forward_and_backward(forward: Forward, encoded: EncodedText, n_rows: int) -> None:
    def run() -> None:
        import torch

        embeddings = forward.embeddings(encoded).unsqueeze(0).repeat(n_rows, 1, 1).requires_grad_()
        torch.autograd.grad(forward.scalar(encoded, Target(1))(embeddings).sum(), embeddings)

    on_encoder_thread(run)


def _one_batch(forward: Forward, rows: Sequence[EncodedText]) -> None:
    def run() -> None:
        import torch

        batch = forward.encoder.padded(rows)
        with torch.inference_mode():
            forward.encoder.model(input_ids=batch.ids, attention_mask=batch.attention_mask.long())

    on_encoder_thread(run)


def _captum_lime(forward: Forward, encoded: EncodedText, per_eval: int) -> Callable[[], Any]:
    """Captum's Lime as people use it on text: token ids, a mask token, its default surrogate and kernel."""

    def run() -> Any:
        import torch
        from captum.attr import Lime

        model, batch = forward.encoder.model, forward.encoder.padded([encoded])

        def probabilities(ids: Any) -> Any:
            with torch.inference_mode():
                hidden = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
            return hidden.mean(dim=1)[:, 0]

        mask = torch.full_like(batch.ids, forward.encoder.tokenizer.mask_token_id)
        return Lime(probabilities).attribute(batch.ids, baselines=mask, n_samples=SAMPLES, perturbations_per_eval=per_eval)

    return lambda: on_encoder_thread(run)


def _lit_lime(forward: Forward, text: str, batch_size: int) -> Callable[[], Any]:
    """LIT's LIME over a model that pads each batch to its longest text, as LIT's own example models do."""
    from lit_nlp.components.citrus import lime

    def predict(texts: Sequence[str]) -> Any:
        def run() -> Any:
            import torch

            found = []
            for start in range(0, len(texts), batch_size):
                part = forward.encoder.padded(forward.encoder.encode(texts[start : start + batch_size]))
                with torch.inference_mode():
                    hidden = forward.encoder.model(
                        input_ids=part.ids, attention_mask=part.attention_mask.long()
                    ).last_hidden_state
                found.append(hidden[:, 0, :2].softmax(-1).numpy())
            return np.concatenate(found)

        return on_encoder_thread(run)

    return lambda: lime.explain(text, predict, class_to_explain=1, num_samples=SAMPLES, tokenizer=str.split, mask_token="[MASK]")
