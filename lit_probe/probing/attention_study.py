"""A study whose probes read tokens: learned attention in place of a pooling, at every layer of an encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import TEXT, check_served
from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.data.seeds import checked_seed
from lit_probe.encoder.activations import Activations, Block
from lit_probe.encoder.cache import Cache, text_hash
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.memory import GB, in_gb
from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import words_of
from lit_probe.errors import LitProbeError, ProbeError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.probes import ATTENTION, TOKEN_PROBES, FittedProbe, ProbeOptions
from lit_probe.probing.probes.attention import AttentionProbe, TokenStates
from lit_probe.probing.probes.storage import read_arrays, write_arrays
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import StudyProgress, of_part, of_step
from lit_probe.results import Result

_FORMAT = "lit_probe attention probes 1"
# How much the vectors of train's tokens may take where nobody says so.
MEMORY_GB = 4.0
# How many texts of dev are shown, and on paper how many words of each.
_SHOWN, _MOST_WORDS = 5, 6
_SPLITS: tuple[SplitName, ...] = ("train", "dev", "test")


@dataclass(frozen=True)
class AttentionWeights(Result):
    """How much the probe of a layer reads of each word of a text.

    Attributes:
      layer: the layer.
      words: ``[n_words]`` the words that the encoder read, in their order.
      weights: ``[n_words]`` the share of each, 0 to 1: the sum over its tokens. They add up to 1.
      even: the share of a word of one token if all tokens were read alike, as mean pooling does.
    """

    layer: int
    words: tuple[str, ...]
    weights: tuple[float, ...]
    even: float


class AttentionStudy(LayerStudy):
    """A `LayerStudy` whose text vectors are means weighted by what each layer's probe has learnt to read.

    These vectors know train's labels. So only what takes the probes as they are can be asked of it: nothing is fitted to them.

    Attributes:
      attention: ``[n_layers]`` the probes.
    """

    reads_tokens = True

    def __init__(
        self,
        encoder: Encoder,
        splits: Splits,
        activations: Mapping[SplitName, Activations],
        attention: Sequence[AttentionProbe],
        seed: int,
        rules: StudyRules | None,
        options: ProbeOptions,
    ):
        heads = tuple(probe.head for probe in attention)
        super().__init__(
            encoder, splits, activations, LayerwiseProbe(heads, splits.label_names, ATTENTION, seed, options), seed, rules
        )
        self.attention = tuple(attention)

    def attention_weights(self, text: str, layer: int | None = None) -> AttentionWeights:
        """How much a layer's probe reads of each word of a text.

        Args:
          text: any text with a word in it.
          layer: the layer; the one that was chosen on dev when None.

        Raises:
          UnknownNameError: there is no such layer.
          ProbeError: the encoder reads no token of the text.
        """
        at = self.best_layer if layer is None else layer
        self.check_layer(at)
        [encoded] = self.encoder.encode([text], with_tokens=True)
        if all(encoded.special):
            raise ProbeError("The encoder reads no token of this text. Give one with a word in it.")
        states = _states(self.encoder, [encoded], [at])[at]
        words = words_of(text, encoded)
        shares = np.zeros(len(words.texts))
        holders = [word for word, special in zip(words.of_token, encoded.special, strict=True) if not special]
        for word, share in zip(holders, self.attention[at].weights(states), strict=True):
            if word is not None:
                shares[word] += share
        return AttentionWeights(at, words.texts, tuple((shares / shares.sum()).tolist()), 1 / len(holders))

    def shown_weights(self) -> list[AttentionWeights]:
        """What the chosen layer's probe reads of the first texts of dev."""
        return [self.attention_weights(text) for text in self.splits.dev.texts[:_SHOWN]]

    def to_json(self) -> dict[str, Any]:
        """As that of a `LayerStudy`; besides, what is read of some texts of dev."""
        return {**super().to_json(), "attention": [one.to_json() for one in self.shown_weights()]}

    def table(self) -> str:
        """As that of a `LayerStudy`; below it, what is read of some texts of dev."""
        lines = [f"What layer {self.best_layer} reads of the first texts of dev:"]
        for one in self.shown_weights():
            most = sorted(range(len(one.words)), key=lambda place: -one.weights[place])[:_MOST_WORDS]
            lines.append("  " + ", ".join(f"{one.words[place]} {one.weights[place]:.0%}" for place in most))
        return "\n".join([super().table(), *lines])

    def remarks(self) -> list[str]:
        """What a reader of the numbers should know; also that vectors of tokens were read, and what that takes."""
        n_tokens = self.layerwise.probes[0].settings["n_tokens"]
        size = in_gb(4.0 * n_tokens * max(self.encoder.widths))
        return [f"Attention read {n_tokens:,} tokens of train, which take {size} for a layer.", *super().remarks()]


def probe_attention(
    encoder: Encoder,
    splits: Splits,
    *,
    probe_options: ProbeOptions | None = None,
    seed: int = 0,
    rules: StudyRules | None = None,
    cache: Cache | None = None,
    memory_gb: float | None = None,
    progress: StudyProgress | None = None,
) -> AttentionStudy:
    """Fits one attention probe per layer on train, chooses one of the layers on dev.

    The vectors of all content tokens of train are held for as many layers at a time as fit into ``memory_gb``; the texts are read
    once for each such part of the layers.

    Args:
      encoder: the frozen encoder, with a network.
      splits: the labelled texts: texts with classes.
      probe_options: how it is fitted: ``regularisation`` (a penalty, larger is stronger), ``class_weight``, ``max_epochs``,
        ``learning_rate``, ``batch_size``.
      seed: the seed of the order of the batches, and of the bootstrap.
      rules: how it is scored, and how the layer is chosen; the usual way when None.
      cache: where results are kept; without one everything is computed.
      memory_gb: how much the vectors may take in GB (10^9 bytes); 4 when None.
      progress: hears how far it is.

    Raises:
      UnservedError: rows are words, or ask for a number; or it does not take an option.
      ProbeError: one layer takes more than ``memory_gb``, the encoder reads no token of a text, or a class has too few texts.
      LitProbeError: the encoder has no network.
    """
    seed = checked_seed(seed)
    options, kind, cache = probe_options or ProbeOptions(), TOKEN_PROBES[ATTENTION], cache or Cache(None)
    check_served(f"The probe {ATTENTION!r}", splits.unit, splits.target, (TEXT,), kind.targets)
    options.check_taken(ATTENTION, kind.options)
    if not encoder.has_network:
        raise LitProbeError(f"The probe {ATTENTION!r} reads tokens, and {encoder.name} gives vectors of whole texts.")
    train = splits.train
    facts = {
        "encoder": encoder.fingerprint,
        "texts": {name: text_hash(rows.texts) for name, rows in splits.items()},
        "labels": hashlib.sha256(train.labels.tobytes()).hexdigest(),
        "label_names": list(splits.label_names),
        "options": options.to_json(),
        "made_by": kind.made_by,
        "seed": seed,
    }

    def make() -> _Made:
        return _fit(encoder, splits, options, seed, MEMORY_GB if memory_gb is None else memory_gb, progress)

    made = cache.get_or_make("attention", facts, make, _save, _load)
    queries = hashlib.sha256(b"".join(probe.query.tobytes() for probe in made.probes)).hexdigest()
    activations = {
        name: Activations((block,), ATTENTION, f"{encoder.fingerprint} {queries}")
        for name, block in zip(_SPLITS, made.blocks, strict=True)
    }
    return AttentionStudy(encoder, splits, activations, made.probes, seed, rules, options)


@dataclass(frozen=True, eq=False)
class _Made:
    """The probes of all layers, and what they make of the texts of train, dev and test."""

    probes: tuple[AttentionProbe, ...]
    blocks: tuple[Block, ...]


def _fit(
    encoder: Encoder, splits: Splits, options: ProbeOptions, seed: int, memory_gb: float, progress: StudyProgress | None
) -> _Made:
    parts = dict(splits.items())
    encoded = {name: encoder.encode(parts[name].texts) for name in _SPLITS}
    for name, texts in encoded.items():
        if empty := sum(all(text.special) for text in texts):
            raise ProbeError(
                f"{encoder.name} reads no token of {empty:,} {name} texts. Leave them out, or raise the option max_length."
            )
    n_tokens = sum(text.special.count(False) for text in encoded["train"])
    # Once as they are, and once standardised.
    of_layer = 2 * 4 * n_tokens * max(encoder.widths)
    if of_layer > memory_gb * GB:
        raise ProbeError(
            f"The {n_tokens:,} tokens of train take {in_gb(of_layer)} for one layer, and {memory_gb:g} GB are allowed. "
            "Give a larger memory_budget, or fewer or shorter texts by the options max_examples and max_length."
        )
    at_once = max(1, int(memory_gb * GB / of_layer) - 1)
    layers = list(range(encoder.n_layers))
    groups = [layers[start : start + at_once] for start in range(0, len(layers), at_once)]
    keywords = TOKEN_PROBES[ATTENTION].keywords(options)
    labels, n_classes = splits.train.labels, len(splits.label_names)
    probes: list[AttentionProbe] = []
    values: dict[SplitName, list[NDArray[np.float32]]] = {name: [] for name in _SPLITS}
    fitting = of_step(progress, f"Fitting {ATTENTION} probes on {splits.name}", "layers")
    for number, group in enumerate(groups):
        for name in _SPLITS:
            reading = of_step(progress, f"Reading the tokens of {splits.name} {name}", "texts")
            n_texts = len(encoded[name])
            step = of_part(reading, number * n_texts, (number + 1) * n_texts, len(groups) * n_texts)
            states = _states(encoder, encoded[name], group, step)
            for layer in group:
                if name == "train":
                    fitting(layer, len(layers))
                    probes.append(TOKEN_PROBES[ATTENTION].fit(states[layer], labels, n_classes, seed, **keywords))
                values[name].append(probes[layer].pooled(states[layer]))
    fitting(len(layers), len(layers))
    blocks = []
    for name in _SPLITS:
        truncated = np.array([text.truncated for text in encoded[name]], dtype=bool)
        unknown = np.array(encoder.unknown(encoded[name]), dtype=np.float32)
        head = np.zeros((len(truncated), 0), dtype=np.float32)
        blocks.append(Block(tuple(values[name]), truncated, unknown, head))
    return _Made(tuple(probes), tuple(blocks))


def _states(
    encoder: Encoder, encoded: Sequence[EncodedText], layers: Sequence[int], progress: Any = lambda done, total: None
) -> dict[int, TokenStates]:
    """The vectors of the content tokens of some texts at some layers, from one pass over the texts."""
    lengths = np.array([text.special.count(False) for text in encoded], dtype=np.int64)
    starts = np.r_[0, np.cumsum(lengths)]
    values = {layer: np.empty((int(starts[-1]), encoder.widths[layer]), dtype=np.float32) for layer in layers}

    def run(indices: list[int]) -> None:
        found = encoder.forward([encoded[i] for i in indices])
        read = found.attention_mask & ~found.special_tokens_mask
        places = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in indices])
        for layer in layers:
            values[layer][places] = found.layers[layer][read].float().cpu().numpy()

    n_done = 0
    for indices in encoder.batches(encoded) if encoded else ():
        run(indices)
        n_done += len(indices)
        progress(n_done, len(encoded))
    for layer, of_layer in values.items():
        if not np.isfinite(of_layer).all():
            raise ProbeError(
                f"{encoder.name} gives NaN or infinity for tokens at layer {layer}, so nothing can be fitted to them."
            )
    return {layer: TokenStates(of_layer, starts) for layer, of_layer in values.items()}


def _save(made: _Made, folder: Path) -> None:
    arrays: dict[str, NDArray[Any]] = {}
    for layer, probe in enumerate(made.probes):
        arrays |= {f"probe_{layer}.{name}": one for name, one in probe.head.to_arrays().items()}
        arrays[f"query_{layer}"] = probe.query
    for split, block in zip(_SPLITS, made.blocks, strict=True):
        arrays |= {f"{split}_{layer}": one for layer, one in enumerate(block.values)}
        arrays |= {f"{split}_truncated": block.truncated, f"{split}_unknown": block.unknown}
    write_arrays(folder / ATTENTION, arrays, {"format": _FORMAT, "heads": [probe.head.to_header() for probe in made.probes]})


def _load(folder: Path) -> _Made:
    arrays, header = read_arrays(folder / ATTENTION, _FORMAT)
    probes = []
    for layer, facts in enumerate(header["heads"]):
        own = {name.partition(".")[2]: one for name, one in arrays.items() if name.startswith(f"probe_{layer}.")}
        probes.append(AttentionProbe(arrays[f"query_{layer}"], FittedProbe.from_parts(own, facts)))
    blocks = []
    for split in _SPLITS:
        values = [arrays[f"{split}_{layer}"] for layer in range(len(probes))]
        truncated, unknown = (arrays[f"{split}_{name}"] for name in ("truncated", "unknown"))
        blocks.append(replace(Block.of_vectors(values), truncated=truncated, unknown=unknown))
    return _Made(tuple(probes), tuple(blocks))
