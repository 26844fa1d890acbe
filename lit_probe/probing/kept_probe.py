"""Probes that are kept: they know which states of which encoder they read, and refuse all others."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, check_served
from lit_probe.data.labelled_texts import normalise_text
from lit_probe.data.text_pairs import is_pair, joined, without_seam
from lit_probe.encoder.cache import CACHE_DTYPES, Cache, library_versions
from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.site_search import sites_of
from lit_probe.encoder.vector_encoder import as_array
from lit_probe.errors import ProbeError, UnknownNameError
from lit_probe.probing.layer_choice import LayerChoice
from lit_probe.probing.probes import FittedProbe, ProbeOptions, probe_made_by
from lit_probe.probing.study import LayerStudy, ModelFiles
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.scores.decision import Decision
from lit_probe.scores.metrics import METRICS
from lit_probe.scores.number_rows import NUMBER_METRICS


@dataclass(frozen=True)
class ReadEncoder(Result):
    """The encoder whose states a probe reads.

    Attributes:
      name: what it was called.
      model: which checkpoint it was.
      fingerprint: the hash of all that decides a text's states; see ``Encoder.fingerprint``.
      has_network: False for vectors that came from elsewhere.
      layer_names: ``[n_layers]`` what its layers are called.
      d_model: the width of a state.
      max_length: the number of tokens that it reads of a text.
      keep: the part of longer texts that it reads.
      widths: ``[n_layers]`` the width of each place, where it is not read at its layers; None where ``d_model`` says it.
      template: what stands around every text, with ``{text}`` in its place; None for the text alone.
      chat: what the tokenizer's chat template makes of every message, with ``{text}`` in the text's place; None without one.
    """

    name: str
    model: ModelFiles
    fingerprint: str
    has_network: bool
    layer_names: tuple[str, ...]
    d_model: int
    max_length: int
    keep: str
    widths: tuple[int, ...] | None = None
    template: str | None = None
    chat: str | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = ("widths", "template", "chat")

    def width(self, layer: int) -> int:
        """The width of a state at one layer."""
        return self.d_model if self.widths is None else self.widths[layer]

    @property
    def at_sites(self) -> bool:
        """Whether it is read at other places than its layers."""
        return self.has_network and self.widths is not None

    @property
    def n_layers(self) -> int:
        """How many layers it has, the embedding output among them."""
        return len(self.layer_names)

    @classmethod
    def of(cls, encoder: Encoder) -> ReadEncoder:
        """What is to be known of this encoder."""
        return cls(
            encoder.name,
            ModelFiles.of(encoder),
            encoder.fingerprint,
            encoder.has_network,
            encoder.layer_names,
            encoder.d_model,
            encoder.max_length,
            encoder.keep,
            None if set(encoder.widths) == {encoder.d_model} and not encoder.at_sites else encoder.widths,
            encoder.template,
            encoder.chat,
        )

    def differences(self, other: ReadEncoder) -> list[str]:
        """What the other one has otherwise, in words; nothing where both make the same states of every text."""
        if self.fingerprint == other.fingerprint:
            # A file from anybody may claim a fingerprint that is not its encoder's.
            sizes = {
                "layers": (self.n_layers, other.n_layers),
                "width": (self.d_model, other.d_model),
                "widths": (self.widths, other.widths),
            }
            return [f"{name}: {there} there and {here} here" for name, (there, here) in sizes.items() if there != here]
        if not (self.has_network or other.has_network):
            return [
                "other vectors, or those of a model that was loaded anew, which nobody can tell apart; in Python "
                "predict_vectors(values) reads them"
            ]
        if not (self.has_network and other.has_network):
            return ["other vectors"]
        found = []
        hashes, others = self.model.sha256, other.model.sha256
        parts = [name for name in {**hashes, **others} if hashes.get(name) != others.get(name)]
        if bool(self.model.in_memory) != bool(other.model.in_memory):
            found.append("one was in a program's memory and the other in files, which are not compared")
        elif parts:
            found.append(f"another {' and '.join(parts)}")
        if self.model.random_weights != other.model.random_weights:
            found.append(f"{_weights(self.model.random_weights)} there and {_weights(other.model.random_weights)} here")
        dtypes = [one.model.dtype or FLOAT32 for one in (self, other)]
        found += [] if dtypes[0] == dtypes[1] else [f"dtype {dtypes[0]} there and {dtypes[1]} here"]
        if (self.at_sites or other.at_sites) and self.layer_names != other.layer_names:
            there, here = (_places(one.layer_names) if one.at_sites else "all layers" for one in (self, other))
            found.append(f"{there} there and {here} here")
        for name in ("max_length", "keep"):
            there, here = getattr(self, name), getattr(other, name)
            found += [f"{name} {there} there and {here} here"] if there != here else []
        for name in ("template", "chat"):
            there, here = (getattr(one, name) for one in (self, other))
            found += [f"{name} {_quoted(there)} there and {_quoted(here)} here"] if there != here else []
        return found or ["another fingerprint"]


@dataclass(frozen=True)
class ProbeFacts(Result):
    """What a kept probe knows of itself, beside its numbers.

    Attributes:
      encoder: what it reads.
      pooling: how a text's tokens become one vector.
      kind: the kind of probe.
      layers: the layers that have a probe, ascending.
      label_names: ``[n_classes]`` the classes, in the order of the probabilities; empty for a number.
      decision: the rule by which probabilities become a class; of a number it says nothing.
      headline: the metric by which its layers were compared.
      choice: the layer that was chosen on dev, and among which.
      dataset: the name of the data set that it was trained on.
      data: what the source says of that data set: see ``Splits.provenance``.
      n_train: the number of rows that it was trained on.
      pair: what the two texts of each row are called, where it reads pairs; None where it reads single texts.
      seed: the seed of its folds and of everything random.
      made_by: the rules by which it was fitted, in words.
      versions: the version of each library that can change a number.
      fits: ``[layers]`` how each was fitted: ``kind``, ``converged`` and ``settings``.
      cache_dtype: as what the activations were kept that it was fitted on, and are read; None for float32.
      probe_options: how the probes were fitted; None for the usual way.
    """

    encoder: ReadEncoder
    pooling: str
    kind: str
    layers: tuple[int, ...]
    label_names: tuple[str, ...]
    decision: Decision
    headline: str
    choice: LayerChoice
    dataset: str
    data: Mapping[str, Any]
    n_train: int
    pair: tuple[str, str] | None
    seed: int
    made_by: str
    versions: Mapping[str, str]
    fits: tuple[Mapping[str, Any], ...]
    cache_dtype: str | None = None
    probe_options: ProbeOptions | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = ("cache_dtype", "probe_options")


@dataclass(frozen=True)
class ProbePredictions(Result):
    """What a kept probe says of some rows.

    Attributes:
      layer: the layer that was read.
      label_names: ``[n_classes]``; empty for a number.
      classes: ``[n_rows]`` the decided class of each, an index into ``label_names``; empty for a number.
      probabilities: ``[n_rows, n_classes]``; each row sums to 1, where there are classes.
      truncated: ``[n_rows]`` whether a text was longer than the encoder reads; None of vectors.
      in_training: ``[n_rows]`` whether the probe was trained on that text; None of vectors.
      numbers: ``[n_rows]`` the number of each; None of classes.
    """

    layer: int
    label_names: tuple[str, ...]
    classes: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    truncated: NDArray[np.bool_] | None
    in_training: NDArray[np.bool_] | None
    numbers: NDArray[np.float64] | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = ("numbers",)

    @property
    def labels(self) -> list[str]:
        """``[n_rows]`` the name of each decided class; empty for a number."""
        return [self.label_names[index] for index in self.classes]


@dataclass(frozen=True, eq=False)
class KeptProbe:
    """Fitted probes of one encoder and one data set, with all that is needed to use them somewhere else.

    Attributes:
      facts: what it knows of itself.
      probes: ``[layers]`` the fitted probes, in the order of ``facts.layers``.
      train_texts: ``[n_distinct]`` 8 bytes of the sha256 of each text that it was trained on, ascending; see `text_marks`.

    Raises:
      ProbeError: they do not fit together.
      UnknownNameError: there is no such headline, or dtype of the cache.
    """

    facts: ProbeFacts
    probes: tuple[FittedProbe, ...]
    train_texts: NDArray[np.uint64]

    def __post_init__(self) -> None:
        facts, encoder = self.facts, self.facts.encoder
        n_layers, n_classes = encoder.n_layers, len(facts.label_names)
        lookup(METRICS if n_classes else NUMBER_METRICS, facts.headline, "metric")
        lookup(dict.fromkeys(CACHE_DTYPES), facts.cache_dtype or FLOAT32, "dtype of the cache")
        if facts.seed < 0:
            raise ProbeError(f"Its seed is {facts.seed}, where 0 or more is needed.")
        if not facts.layers or list(facts.layers) != sorted({layer for layer in facts.layers if 0 <= layer < n_layers}):
            raise ProbeError(f"Its layers are {list(facts.layers)}, where some of 0 to {n_layers - 1} are needed, ascending.")
        if not 0 <= facts.choice.layer < n_layers:
            raise ProbeError(f"Its chosen layer is {facts.choice.layer}, and the encoder has the layers 0 to {n_layers - 1}.")
        if len(self.probes) != len(facts.layers):
            raise ProbeError(f"It has {len(self.probes)} probes for {len(facts.layers)} layers.")
        if len(set(facts.label_names)) != n_classes or (facts.decision.shares and len(facts.decision.shares) != n_classes):
            raise ProbeError(f"Its classes are {list(facts.label_names)}, where each needs a name and a share of its own.")
        if encoder.widths is not None and len(encoder.widths) != n_layers:
            raise ProbeError(f"It names {n_layers} layers and the widths of {len(encoder.widths)}.")
        for layer, probe in zip(facts.layers, self.probes, strict=True):
            if (probe.n_classes, probe.d_model) != (n_classes, encoder.width(layer)):
                raise ProbeError(
                    f"The probe of layer {layer} has {probe.n_classes} classes and reads {probe.d_model} numbers, "
                    f"not {n_classes} and {encoder.width(layer)}."
                )

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.facts.label_names

    @property
    def layer(self) -> int:
        """The layer that is read where none is named: the one that was chosen on dev, or the first where it was not kept."""
        chosen = self.facts.choice.layer
        return chosen if chosen in self.facts.layers else self.facts.layers[0]

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        facts = self.facts
        return f"{facts.kind} probes of {facts.encoder.name} trained on {facts.dataset}"

    def fitted(self, layer: int | None = None) -> FittedProbe:
        """The probe of a layer; of the usual one when None.

        Raises:
          UnknownNameError: that layer has none here.
        """
        layer = self.layer if layer is None else layer
        if layer not in self.facts.layers:
            held = ", ".join(map(str, self.facts.layers))
            raise UnknownNameError(f"There is no probe of layer {layer} here. Choose one of: {held}.")
        return self.probes[self.facts.layers.index(layer)]

    def check_encoder(self, encoder: Encoder, pooling: str | None = None) -> None:
        """That it reads the states of this encoder, pooled in this way; in its own way when None.

        Raises:
          ProbeError: it was fitted on other ones; the message says what differs.
        """
        found = self.facts.encoder.differences(ReadEncoder.of(encoder))
        if pooling is not None and pooling != self.facts.pooling:
            found.append(f"{self.facts.pooling} pooling there and {pooling} pooling here")
        if found:
            raise ProbeError(
                f"These probes were fitted on {self.facts.encoder.name!r} and cannot read {encoder.name!r}: {'; '.join(found)}. "
                "Use the encoder and the settings that they were fitted with."
            )

    def load_encoder(
        self,
        model_id: str | None = None,
        revision: str | None = None,
        *,
        device: str = "auto",
        trust_remote_code: bool = False,
    ) -> Encoder:
        """The encoder that it reads, with the settings that it names.

        Args:
          model_id: where the encoder is by now: a hub id or a folder; as it was named then when None.
          revision: its revision on the hub; as it was named then when None.
          device: as of `load_encoder`.
          trust_remote_code: as of `load_encoder`. No file can say so.

        Raises:
          EncoderError: it cannot be found or loaded.
          ProbeError: it was in a program's memory or gave vectors alone, or it is another one.
        """
        kept = self.facts.encoder
        if kept.model.in_memory and model_id is None:
            what = "a model in a program's memory" if kept.has_network else "vectors from elsewhere"
            how = "predict(texts, encoder=…)" if kept.has_network else "predict_vectors(values)"
            raise ProbeError(f"These probes read {what}, {kept.name!r}, which nothing can load by its name. Use {how}.")
        encoder = load_encoder(
            model_id or kept.model.id,
            revision or (kept.model.revision if model_id is None else None),
            # Vectors alone have no length.
            max_length=kept.max_length or None,
            keep=kept.keep or "head",
            template=kept.template,
            chat=kept.chat is not None,
            device=device,
            dtype=kept.model.dtype or FLOAT32,
            trust_remote_code=trust_remote_code,
        )
        if kept.model.random_weights is not None:
            encoder = encoder.randomised(kept.model.random_weights)
        if kept.at_sites:
            encoder = encoder.at(sites_of(encoder, kept.layer_names))
        self.check_encoder(encoder)
        return encoder

    def predict(
        self,
        texts: Sequence[str] | Sequence[tuple[str, str]],
        encoder: Encoder | None = None,
        layer: int | None = None,
        *,
        cache: Cache | None = None,
        progress: Progress = no_progress,
    ) -> ProbePredictions:
        """What the probe of a layer says of texts. The texts of a split, in its order, get the digits of the study.

        Args:
          texts: any strings but empty ones; of a probe that was trained on pairs, two strings each.
          encoder: the encoder that it was fitted on; loaded by the name in ``facts`` when None.
          layer: the layer that is read; ``self.layer`` when None.
          cache: where activations are kept; nothing is kept when None. They are kept as those of the study were.
          progress: hears how many of the texts are encoded.

        Raises:
          ProbeError: there is no text, one is empty or no pair where pairs are read, the encoder is another one, or a text gives
            no finite numbers.
          UnknownNameError: that layer has no probe here.
          EncoderError: the encoder cannot be loaded or used.
        """
        self.fitted(layer)
        said = self._said(texts)
        if encoder is None:
            encoder = self.load_encoder()
        else:
            self.check_encoder(encoder)
        layer = self.layer if layer is None else layer
        kept_as = (cache or Cache(None)).keeping(self.facts.cache_dtype or FLOAT32)
        read = kept_as.activations(encoder, said, self.facts.pooling, progress=progress)
        found = self._predicted(read.layer(layer), layer)
        return ProbePredictions(**{**found, "truncated": read.truncated, "in_training": self.in_training(said)})

    def _said(self, texts: Sequence[Any]) -> list[str]:
        """The texts as the encoder reads them."""
        if isinstance(texts, str) or not len(texts):
            raise ProbeError("There are no texts to predict." if not len(texts) else "Texts are given as a list of strings.")
        pair = self.facts.pair
        if pair is None:
            said = [without_seam(text) if isinstance(text, str) else text for text in texts]
        else:
            said = [joined(*text) if _is_two(text) else text for text in texts]
        if not all(isinstance(text, str) and is_pair(text) == (pair is not None) for text in said):
            if pair is None:
                raise ProbeError(
                    "These probes were trained on single texts. Give a list of strings, or name one column of texts."
                )
            raise ProbeError(
                f"These probes were trained on pairs, {' and '.join(pair)}. Give a list of pairs of two strings, or name two "
                "columns of texts."
            )
        if empty := next((row for row, text in enumerate(said, start=1) if not normalise_text(text)), 0):
            raise ProbeError(f"Text {empty} of {len(said):,} is empty. Leave it out: there is nothing to read.")
        return said

    def predict_vectors(self, values: ArrayLike, layer: int | None = None) -> ProbePredictions:
        """What the probe of a layer says of vectors of that layer. Whether they are the encoder's, nobody can tell.

        Args:
          values: ``[n_rows, d_model]`` numbers.
          layer: the layer that they are of; ``self.layer`` when None.

        Raises:
          ProbeError: they have another shape, or are not finite.
          UnknownNameError: that layer has no probe here.
        """
        self.fitted(layer)
        layer = self.layer if layer is None else layer
        array, width = as_array(values), self.facts.encoder.width(layer)
        if array.ndim != 2 or array.shape[1] != width or not len(array):
            raise ProbeError(f"The vectors have the shape {list(array.shape)}, where [rows, {width}] is needed.")
        return ProbePredictions(**self._predicted(array, layer))

    def probabilities(self, values: NDArray[Any], layer: int) -> NDArray[np.float64]:
        """``[n_rows, n_classes]`` what the probe of a layer makes of vectors ``[n_rows, d_model]`` of it.

        Raises:
          ProbeError: a row has no finite probabilities, or the probes give a number.
        """
        if not self.label_names:
            raise ProbeError("These probes give a number and no probabilities. Ask them for predictions.")
        return self._outputs(values, layer)

    def _outputs(self, values: NDArray[Any], layer: int) -> NDArray[np.float64]:
        """``[n_rows, n_classes]`` probabilities, or ``[n_rows, 1]`` numbers."""
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            found = self.fitted(layer).predictions(values)
        if bad := int((~np.isfinite(found).all(axis=1)).sum()):
            what = "probabilities" if self.label_names else "number"
            raise ProbeError(f"The probe of layer {layer} gives no finite {what} for {bad:,} of {len(found):,} rows.")
        return found

    def in_training(self, texts: Iterable[str]) -> NDArray[np.bool_]:
        """``[n_texts]`` whether it was trained on each text, in whatever case or white space."""
        return np.isin(text_marks(texts), self.train_texts)

    def _predicted(self, values: NDArray[Any], layer: int) -> dict[str, Any]:
        found = self._outputs(values, layer)
        of_classes = bool(self.label_names)
        return {
            "layer": layer,
            "label_names": self.label_names,
            "classes": self.facts.decision.classes(found) if of_classes else np.empty(0, np.int64),
            "probabilities": found if of_classes else np.empty((len(found), 0)),
            "truncated": None,
            "in_training": None,
            "numbers": None if of_classes else found[:, 0],
        }


def kept_probe(study: LayerStudy, layer: int | None = None) -> KeptProbe:
    """The probes of a study, to be kept.

    Args:
      study: the study.
      layer: the one layer that is kept; all of them when None.

    Raises:
      UnknownNameError: there is no such layer.
      UnservedError: the rows of the study are words, or its probes read tokens.
    """
    check_served("A file of probes", study.splits.unit, study.splits.target, (TEXT,), (CLASSES, NUMBER))
    study.check_pooled("A file of probes")
    if layer is not None:
        study.check_layer(layer)
    layers = tuple(range(study.layerwise.n_layers)) if layer is None else (layer,)
    probes = tuple(study.layerwise.probes[index] for index in layers)
    train = study.splits.train
    facts = ProbeFacts(
        encoder=ReadEncoder.of(study.encoder),
        pooling=study.pooling,
        kind=study.layerwise.kind,
        layers=layers,
        label_names=study.splits.label_names,
        decision=study.decision,
        headline=study.headline,
        choice=study.choice,
        dataset=study.splits.name,
        data=study.splits.provenance,
        n_train=len(train),
        pair=study.splits.pair,
        seed=study.seed,
        made_by=probe_made_by(study.layerwise.kind, study.splits.target),
        versions=library_versions(),
        fits=tuple(probe.to_header() for probe in probes),
        cache_dtype=None if study.kept_as == FLOAT32 else study.kept_as,
        probe_options=study.layerwise.options.or_none,
    )
    return KeptProbe(facts, probes, np.unique(text_marks(train.texts)))


def text_marks(texts: Iterable[str]) -> NDArray[np.uint64]:
    """``[n_texts]`` the first 8 bytes of the sha256 of each text as it is compared: see `normalise_text`.

    Who has a text can tell by its mark whether it is among some others.
    """
    digests = b"".join(hashlib.sha256(normalise_text(text).encode()).digest()[:8] for text in texts)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def _is_two(text: Any) -> bool:
    return isinstance(text, tuple) and len(text) == 2 and all(isinstance(part, str) for part in text)


def _quoted(template: str | None) -> str:
    return "none" if template is None else repr(template)


def _places(names: Sequence[str]) -> str:
    """What some places are called, in a few words."""
    return names[0] if len(names) == 1 else f"{len(names)} places ({names[0]} to {names[-1]})"


def _weights(seed: int | None) -> str:
    return "trained weights" if seed is None else f"weights drawn by seed {seed}"
