"""Groups of feed-forward neurons that fire together on some tokens: non-negative matrix factorisation, as in Ecco.

Alammar 2021, "Ecco: An Open Source Library for the Explainability of Transformer Language Models"
(https://aclanthology.org/2021.acl-demo.30). What is factorised is the positive part of what the blocks' second feed-forward
matrices read, after the nonlinearity, of a range of layers side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.seeds import checked_seed
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.feed_forward import feed_forward_activations, feed_forwards
from lit_probe.encoder.token_states import token_rows
from lit_probe.encoder.tokens import EncodedText
from lit_probe.errors import LitProbeError
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.progress import Progress, no_progress
from lit_probe.results import Result

# With the six blocks of a MiniLM, 2,000 tokens are a matrix of 74 MB.
MAX_TOKENS = 2_000
N_COMPONENTS = 10
_MAX_ITERATIONS = 300


@dataclass(frozen=True)
class FactorSettings(Result):
    """What reproduces a factorisation, and how it went.

    Attributes:
      n_components: the number of factors.
      seed: seed of the random part of the start.
      special: whether special tokens were taken in.
      max_tokens: limit of tokens.
      n_texts: the number of texts that were read.
      n_texts_left_out: the number of texts that were not read, beyond the limit.
      n_iterations: the number of steps it took.
      converged: whether it ended before the last step that it was allowed.
    """

    n_components: int
    seed: int
    special: bool
    max_tokens: int
    n_texts: int
    n_texts_left_out: int
    n_iterations: int
    converged: bool


@dataclass(frozen=True, eq=False)
class NeuronFactors:
    """Factors of feed-forward activations, the one that explains most first.

    Attributes:
      layers: the layers whose blocks were read.
      units: ``[n_units, 2]`` layer and index of each feed-forward neuron.
      texts: ``[n_tokens]`` position of the text that each token is of.
      tokens: ``[n_tokens]`` as the encoder reads them.
      special: ``[n_tokens]`` True for special tokens, if they were taken in.
      on_tokens: ``[n_factors, n_tokens]`` float32, 0 or more; the largest value of each factor is 1 (all 0 for an idle factor).
      on_units: ``[n_factors, n_units]`` float32, 0 or more: activation of the neuron where the factor is 1.
      shares: ``[n_factors]`` of the summed activation that the factors put together, 0 to 1.
      explained: share of the activations' sum of squares that the factors reproduce, at most 1.
      settings: what reproduces them.
    """

    layers: tuple[int, ...]
    units: NDArray[np.int64]
    texts: NDArray[np.int64]
    tokens: tuple[str, ...]
    special: NDArray[np.bool_]
    on_tokens: NDArray[np.float32]
    on_units: NDArray[np.float32]
    shares: NDArray[np.float64]
    explained: float
    settings: FactorSettings

    def top_units(self, factor: int, top: int = 10) -> NDArray[np.int64]:
        """Rows of ``units`` of the factor's strongest neurons, best first; equal ones by (layer, index)."""
        return np.argsort(-self.on_units[factor], kind="stable")[: max(0, top)]

    def to_json(self, top: int = 10) -> dict[str, Any]:
        """``layers``, ``n_units``, ``explained``, the settings; ``texts`` and ``factors``.

        Each text has ``text`` (position), ``tokens`` and ``special``. Each factor has ``share``, ``on_texts`` (one list of values
        0 to 1 for each text, in the order of its tokens) and ``neurons``: the ``top`` strongest, each with ``layer``, ``unit``,
        ``name`` (``layer:unit``) and ``weight``.
        """
        positions, starts = np.unique(self.texts, return_index=True)
        ends = [*starts[1:], len(self.texts)]
        spans = [slice(start, end) for start, end in zip(starts, ends, strict=True)]
        return {
            "layers": list(self.layers),
            "n_units": len(self.units),
            "explained": self.explained,
            **self.settings.to_json(),
            "texts": [
                {"text": int(position), "tokens": list(self.tokens[span]), "special": self.special[span].tolist()}
                for position, span in zip(positions, spans, strict=True)
            ],
            "factors": [
                {
                    "share": float(share),
                    "on_texts": [values[span].tolist() for span in spans],
                    "neurons": [
                        {
                            "layer": int(self.units[row, 0]),
                            "unit": int(self.units[row, 1]),
                            "name": f"{self.units[row, 0]}:{self.units[row, 1]}",
                            "weight": float(self.on_units[factor, row]),
                        }
                        for row in self.top_units(factor, top)
                    ],
                }
                for factor, (share, values) in enumerate(zip(self.shares, self.on_tokens, strict=True))
            ],
        }


def neuron_factors(
    encoder: Encoder,
    texts: str | Sequence[str],
    layers: tuple[int, int],
    n_components: int | None = None,
    seed: int = 0,
    *,
    special: bool = False,
    max_tokens: int = MAX_TOKENS,
    progress: Progress = no_progress,
) -> NeuronFactors:
    """Factorises the feed-forward activations of a range of layers over the tokens of some texts.

    Texts are read in their order until the next one would bring more than ``max_tokens``; this bounds the matrix
    ``[n_tokens, n_units]`` of float32. It starts from an SVD (``nndsvda``) whose random part the seed decides.

    Args:
      encoder: the frozen encoder.
      texts: one text or several.
      layers: the first and the last layer, both included; 1 is the first block.
      n_components: the number of factors, at most as many as there are tokens or neurons; None takes 10, of few tokens half as
        many.
      seed: same seed, same factors.
      special: take special tokens in. Some neurons fire on them far more than on any word, and would fill factors of their own.
      max_tokens: see above.
      progress: called with the number of steps done and of all: one for each text, and one for the factorisation; an error that
        it raises ends the computation.

    Raises:
      UnknownNameError: there are no such layers.
      EncoderError: a block has no feed-forward part that can be read.
      LitProbeError: there is no token; too few tokens or neurons for so many factors; the first text alone has too many tokens;
        no neuron is active, or an activation is NaN or infinite.
    """
    texts, (first, last) = [texts] if isinstance(texts, str) else list(texts), layers
    seed = checked_seed(seed)
    if n_components is not None and n_components < 1:
        raise LitProbeError(f"Choose one factor or more; got {n_components}.")
    blocks = feed_forwards(encoder, first, last)
    encoded, n_read, places = _taken(encoder, texts, special, max_tokens)
    n_tokens, n_units = sum(map(len, places)), sum(block.n_units for block in blocks)
    if not n_tokens:
        raise LitProbeError("The texts have no token that could be factorised.")
    if n_components is None:
        # A factor for each token would say nothing.
        n_components = min(N_COMPONENTS, -(-n_tokens // 2), n_units)
    if n_components > min(n_tokens, n_units):
        raise LitProbeError(
            f"{n_components} factors were asked for, but there are {n_tokens} tokens and {n_units} neurons. Choose at most "
            f"{min(n_tokens, n_units)}."
        )
    progress(0, n_read + 1)
    matrix = np.empty((n_tokens, n_units), dtype=np.float32)
    starts, done = np.cumsum([0, *map(len, places)]), 0
    place = f"the feed-forward blocks of layers {first} to {last}"
    for indices, rows in token_rows(
        encoder, encoded, lambda batch: feed_forward_activations(encoder, batch, blocks, last), place
    ):
        ends = np.cumsum([len(encoded[i].ids) for i in indices])
        for i, part in zip(indices, np.split(rows, ends[:-1]), strict=True):
            np.maximum(part[places[i]], 0.0, out=matrix[starts[i] : starts[i + 1]])
        done += len(indices)
        progress(done, n_read + 1)
    on_tokens, on_units, explained, n_iterations = _factorised(matrix, n_components, seed)
    progress(n_read + 1, n_read + 1)

    largest = on_tokens.max(axis=0)
    scale = np.where(largest > 0, largest, 1.0)
    on_tokens, on_units = on_tokens / scale, on_units * scale[:, None]
    mass = on_tokens.sum(axis=0, dtype=np.float64) * on_units.sum(axis=1, dtype=np.float64)
    order = np.argsort(-mass, kind="stable")
    numbers = range(first, last + 1)
    units = [np.stack([np.full(b.n_units, n), np.arange(b.n_units)], axis=1) for n, b in zip(numbers, blocks, strict=True)]
    return NeuronFactors(
        layers=tuple(numbers),
        units=np.concatenate(units),
        texts=np.repeat(np.arange(n_read), [len(one) for one in places]),
        tokens=tuple(text.tokens[i] for text, mine in zip(encoded, places, strict=True) for i in mine),
        special=np.array([text.special[i] for text, mine in zip(encoded, places, strict=True) for i in mine], dtype=bool),
        on_tokens=on_tokens.T[order],
        on_units=on_units[order],
        shares=mass[order] / mass.sum(),
        explained=explained,
        settings=FactorSettings(
            n_components=n_components,
            seed=seed,
            special=special,
            max_tokens=max_tokens,
            n_texts=n_read,
            n_texts_left_out=len(texts) - n_read,
            n_iterations=n_iterations,
            converged=n_iterations < _MAX_ITERATIONS,
        ),
    )


def _taken(
    encoder: Encoder, texts: Sequence[str], special: bool, max_tokens: int
) -> tuple[list[EncodedText], int, list[NDArray[np.int64]]]:
    """The texts that are read, how many they are, and which tokens of each are taken."""
    encoded: list[EncodedText] = []
    places: list[NDArray[np.int64]] = []
    n_tokens = 0
    for text in texts:
        (one,) = encoder.encode([text], with_tokens=True)
        mine = np.flatnonzero([special or not flag for flag in one.special])
        if n_tokens + len(mine) > max_tokens:
            break
        n_tokens += len(mine)
        encoded.append(one)
        places.append(mine)
    if texts and not encoded:
        raise LitProbeError(f"The first text alone has more than {max_tokens:,} tokens. Raise the limit or shorten it.")
    return encoded, len(encoded), places


def _factorised(
    matrix: NDArray[np.float32], n_components: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], float, int]:
    """``[n_tokens, n_components]``, ``[n_components, n_units]``, the share explained, and how many steps it took."""
    # One thread, so that the digits do not depend on the number of cores; convergence is recorded, not warned about.
    with fitting_scope:
        from sklearn.decomposition import NMF

        total = float(np.square(matrix, dtype=np.float64).sum())
        if not total:
            raise LitProbeError("No feed-forward neuron is active on any of these tokens, so there is nothing to factorise.")
        model = NMF(n_components, init="nndsvda", random_state=seed, max_iter=_MAX_ITERATIONS)
        on_tokens = model.fit_transform(matrix)
    return on_tokens, model.components_, 1.0 - float(model.reconstruction_err_) ** 2 / total, int(model.n_iter_)
