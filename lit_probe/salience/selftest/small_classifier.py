"""A small transformer, trained in seconds on texts that are made as it learns: a classifier whose reasons are known.

Probes of a frozen encoder learn what one word decides, but not reliably what two words decide together or by their order. This
one learns all three.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import PaddedBatch
from lit_probe.probing.probe_forward import Forward

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module, ModuleDict

WIDTH = 32
N_BLOCKS = 2
N_HEADS = 4
BATCH_SIZE = 64
MAX_STEPS = 1200
LEARNING_RATE = 3e-3

# Training ends when the last so many batches, each judged before it is learnt from, were right about so many texts.
_N_RECENT, _ENOUGH = 20, 0.999

Draw = Callable[[int], tuple[Sequence[str], NDArray[np.int64]]]
"""From a number of texts to so many texts and their classes, 0 or 1."""


class SmallClassifier(Forward):
    """Token and position embeddings, two transformer blocks, the mean over all tokens, and one number for class 1 against 0.

    It reads texts by the tokenizer of ``encoder``; the encoder's weights have no part in it.

    Attributes:
      n_steps: batches it learnt from.
    """

    def __init__(self, encoder: Encoder, class_names: Sequence[str], parts: ModuleDict):
        super().__init__(encoder, "small transformer", class_names, None)
        self._parts = parts
        self.n_steps = 0

    @property
    def _embedding_module(self) -> Module:
        return self._parts["tokens"]

    def _logits(self, batch: PaddedBatch) -> Tensor:
        import torch

        score = self._score(batch).double()
        return torch.stack([-score / 2, score / 2], dim=1)

    def _score(self, batch: PaddedBatch) -> Tensor:
        import torch

        places = torch.arange(batch.ids.shape[1], device=batch.ids.device)
        states = self._parts["tokens"](batch.ids) + self._parts["places"](places)
        for block in self._parts["blocks"].children():
            states = block(states, src_key_padding_mask=~batch.attention_mask)
        attended = batch.attention_mask.unsqueeze(2)
        mean = (states * attended).sum(dim=1) / attended.sum(dim=1)
        score: Tensor = self._parts["out"](mean)[:, 0]
        return score


def train_small_classifier(
    encoder: Encoder,
    draw: Draw,
    class_names: Sequence[str],
    seed: int = 0,
    *,
    max_steps: int = MAX_STEPS,
    check: Callable[[], None] = lambda: None,
) -> SmallClassifier:
    """Trains until it is right about 99.9 % of new texts, or for ``max_steps`` batches of `BATCH_SIZE` texts.

    Args:
      encoder: whose tokenizer reads the texts.
      draw: makes the texts of each batch.
      class_names: two of them.
      seed: the seed of the first weights. The same seed and texts give the same classifier on one machine.
      max_steps: when to give up.
      check: called before each batch; an error that it raises ends the training.
    """
    return on_encoder_thread(_train, encoder, draw, class_names, seed, max_steps, check)


def _train(
    encoder: Encoder, draw: Draw, class_names: Sequence[str], seed: int, max_steps: int, check: Callable[[], None]
) -> SmallClassifier:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = _untrained(len(encoder.tokenizer), encoder.max_length)
    # The encoder makes the batches, on its own device.
    parts.to(encoder.model.device)
    classifier = SmallClassifier(encoder, class_names, parts)
    optimiser = torch.optim.Adam(parts.parameters(), lr=LEARNING_RATE)
    recent: deque[float] = deque(maxlen=_N_RECENT)
    for _ in range(max_steps):
        check()
        texts, labels = draw(BATCH_SIZE)
        batch = encoder.padded(encoder.encode(texts))
        target = torch.as_tensor(labels, device=batch.ids.device)
        score = classifier._score(batch)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(score, target.float())
        recent.append(float(((score > 0) == target.bool()).float().mean()))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        classifier.n_steps += 1
        if len(recent) == _N_RECENT and np.mean(recent) >= _ENOUGH:
            break
    parts.eval().requires_grad_(False)
    return classifier


def _untrained(n_tokens: int, n_places: int) -> ModuleDict:
    from torch import nn

    def block() -> Module:
        return nn.TransformerEncoderLayer(WIDTH, N_HEADS, 2 * WIDTH, dropout=0.0, batch_first=True, norm_first=True)

    return nn.ModuleDict(
        {
            "tokens": nn.Embedding(n_tokens, WIDTH),
            "places": nn.Embedding(n_places, WIDTH),
            "blocks": nn.ModuleList([block() for _ in range(N_BLOCKS)]),
            "out": nn.Linear(WIDTH, 1),
        }
    )
