"""Probes for a LIT model that is not ours: of the vectors that its ``Embeddings`` fields give, on any data set with a label."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from absl import logging
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.encoder.cache import text_hash
from lit_probe.encoder.vector_encoder import NO_POOLING, VectorEncoder, as_array
from lit_probe.errors import CancelledError, EncoderError, LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.messages import failure
from lit_probe.lit.host.model import ProbeModel, unwrapped
from lit_probe.lit.host.pending_checks import NotReadyError, PendingChecks
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.host.pooled_texts import PooledTexts
from lit_probe.lit.host.reader import FieldNames, Reader
from lit_probe.probing.probes import ProbeOptions
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.progress import Progress, StudyProgress, no_progress

# Rows that the model is asked for at once: it may be slow, and people want to see how far it is.
_ROWS = 64
# Edits that are remembered, so that a text finds the example that it came from.
_EDITS = 10_000
# After this time a failure is tried again, in seconds: what a model could not do once it may do later.
_PATIENCE_S = 10.0


class LitModelEncoder(VectorEncoder):
    """The vectors of a LIT model. A text stands for the example that it was read from.

    Args:
      name: the model's name in LIT.
      model: the model, in LIT's cache or not.
      embeddings: ``[n_layers]`` names of its fields of vectors.
      examples: the examples of the data set by their text.

    Raises:
      EncoderError: the first example shows that these fields cannot be layers of one network.
    """

    def __init__(self, name: str, model: lit_model.Model, embeddings: Sequence[str], examples: Mapping[str, types.JsonDict]):
        self._asked = model
        self._examples = dict(examples)
        self._edits: OrderedDict[str, types.JsonDict] = OrderedDict()
        self._lock = threading.Lock()
        # A model may change under its name, so its vectors are told from any others and not looked for in a cache on disk.
        told = f"Its vectors are those of the LIT model {name}, which lit_probe has not pooled itself."
        super().__init__(name, embeddings, [0] * len(embeddings), uuid.uuid4().hex, [told])
        self.name = name
        first = next(iter(self._examples.values()), None)
        if first is not None:
            self.d_model = self._width(self._predict([first])[0])
            self._sites = tuple(replace(site, width=self.d_model) for site in self._sites)

    def remember(self, examples: Mapping[str, types.JsonDict]) -> None:
        """Takes note of examples that are no rows of the data set, such as edits, by their text."""
        with self._lock:
            for text, example in examples.items():
                self._edits[text] = example
                self._edits.move_to_end(text)
            while len(self._edits) > max(_EDITS, len(examples)):
                self._edits.popitem(last=False)

    def vectors(self, texts: Sequence[str], progress: Progress = no_progress) -> list[NDArray[np.float32]]:
        """``[n_layers]`` arrays ``[n_texts, d_model]`` as the model gives them.

        Raises:
          EncoderError: the model raises, or gives other than finite vectors of one width.
        """
        values = np.empty((self.n_layers, len(texts), self.d_model), dtype=np.float32)
        progress(0, len(texts))
        for start in range(0, len(texts), _ROWS):
            part = texts[start : start + _ROWS]
            for row, prediction in enumerate(self._predict([self._example(text) for text in part]), start=start):
                self._check(prediction)
                values[:, row] = [as_array(prediction[name]) for name in self.layer_names]
            progress(start + len(part), len(texts))
        bad = ~np.isfinite(values).all(axis=2)
        if bad.any():
            name = self.layer_names[int(np.flatnonzero(bad.any(axis=1))[0])]
            n_bad = int(bad.any(axis=0).sum())
            raise EncoderError(
                f"The model {self.name} gives NaN or infinite numbers for {n_bad:,} of {len(texts):,} examples, first in its "
                f"field {name!r}. Probes need finite numbers."
            )
        return list(values)

    def _example(self, text: str) -> types.JsonDict:
        with self._lock:
            example = self._examples.get(text) or self._edits.get(text)
        if example is None:
            raise EncoderError(f"The model {self.name} was never shown this text as an example: {text[:80]!r}.")
        return example

    def _predict(self, examples: Sequence[types.JsonDict]) -> list[Mapping[str, Any]]:
        try:
            predictions = list(self._asked.predict(examples))
        except Exception as error:  # somebody else's code: whatever it raises is told, and the page goes on
            logging.exception("The model %s could not predict %d examples", self.name, len(examples))
            raise EncoderError(f"The model {self.name} could not predict: {type(error).__name__}: {error}") from error
        if len(predictions) != len(examples):
            raise EncoderError(f"The model {self.name} gave {len(predictions)} predictions for {len(examples)} examples.")
        return predictions

    def _width(self, prediction: Mapping[str, Any]) -> int:
        """The width that all fields of a prediction share."""
        widths: dict[int, list[str]] = {}
        for name in self.layer_names:
            if name not in prediction:
                raise EncoderError(f"The model {self.name} promises the field {name!r}, but its predictions have none.")
            shape = np.shape(as_array(prediction[name]))
            if len(shape) != 1 or not shape[0]:
                raise EncoderError(
                    f"The field {name!r} of the model {self.name} gives an array of shape {list(shape)} for an example, and not "
                    "one vector."
                )
            widths.setdefault(shape[0], []).append(name)
        if len(widths) > 1:
            told = "; ".join(f"{', '.join(names)}: {width}" for width, names in widths.items())
            raise EncoderError(
                f"The fields of the model {self.name} differ in width, so they are no layers of one network ({told}). Name those "
                "that belong together: embeddings=[…]."
            )
        return next(iter(widths))

    def _check(self, prediction: Mapping[str, Any]) -> None:
        if (width := self._width(prediction)) != self.d_model:
            raise EncoderError(
                f"The vectors of the model {self.name} are {width} wide for one example and {self.d_model} for another, and "
                "probes need one width."
            )


class ForeignModels:
    """The probes of all LIT models of a server that are not ours, made when a panel first asks for them.

    Args:
      wanted: which fields to take, where types do not tell.
      probe: the kind of probe.
      seed: the seed of splits, cross-validation and probes.
      rules: how studies are scored; the usual way when None.
      probe_options: how probes are fitted, where not the usual way.

    Attributes:
      checks: what is computed about the probes when a panel asks.
    """

    def __init__(
        self,
        wanted: FieldNames,
        probe: str = "logistic",
        seed: int = 0,
        rules: StudyRules | None = None,
        probe_options: ProbeOptions | None = None,
    ):
        self.checks = PendingChecks()
        self.wanted, self.probe, self.seed, self.rules, self.probe_options = wanted, probe, seed, rules, probe_options
        self._names: dict[int, str] = {}
        self._pairs: dict[tuple[int, int], _Pair] = {}
        self._peers: dict[int, dict[str, PendingStudy]] = {}
        self._lock = threading.Lock()
        self.stopped = False

    def call(self, names: Mapping[str, lit_model.Model] | Mapping[str, lit_dataset.Dataset]) -> None:
        """Takes note of what models and data sets are called in LIT."""
        self._names |= {id(one): name for name, one in names.items()}

    def name_of(self, one: lit_model.Model | lit_dataset.Dataset) -> str:
        """What a model or a data set is called: in LIT, else by its class."""
        return self._names.get(id(one), type(unwrapped(one) if isinstance(one, lit_model.Model) else one).__name__)

    def peers_on(self, dataset: lit_dataset.Dataset) -> dict[str, PendingStudy]:
        """The studies of all models on a data set by their names in LIT, as far as panels have asked for them."""
        return self._peers.setdefault(id(dataset), {})

    def read(
        self, model: lit_model.Model, dataset: lit_dataset.Dataset, inputs: Sequence[types.JsonDict]
    ) -> tuple[ProbeModel, list[types.JsonDict]]:
        """The probes of a model on a data set, and the examples as our interpreters read them.

        Raises:
          NotReadyError: the rows are still being read.
          LitProbeError: there can be no probes.
        """
        with self._lock:
            pair = self._pairs.get((id(model), id(dataset)))
            if pair is None or pair.is_stale:
                pair = self._pairs[id(model), id(dataset)] = _Pair(self, model, dataset)
                threading.Thread(target=pair.make, name="lit_probe_foreign", daemon=True).start()
        return pair.read(inputs)

    def stop(self) -> None:
        """Ends what is still being computed."""
        self.stopped = True
        self.checks.cancel_all()


class _Pair:
    """The probes of one model on one data set, in the making or made. It holds both, so that neither's id is given to another."""

    def __init__(self, models: ForeignModels, model: lit_model.Model, dataset: lit_dataset.Dataset):
        self._models, self._model, self._dataset = models, model, dataset
        self._made: Future[_Made] = Future()
        self._failed_at: float | None = None

    @property
    def is_stale(self) -> bool:
        """Whether it failed a while ago, so that it may be tried again."""
        return self._failed_at is not None and time.monotonic() - self._failed_at > _PATIENCE_S

    def read(self, inputs: Sequence[types.JsonDict]) -> tuple[ProbeModel, list[types.JsonDict]]:
        """The probes, which may still be in the making, and the examples with our fields.

        Raises:
          NotReadyError: the rows are still being read.
          LitProbeError: there can be none.
        """
        what = f"the examples of {self._models.name_of(self._dataset)} for {self._models.name_of(self._model)}"
        if not self._made.done():
            raise NotReadyError({"status": "computing", "message": f"Reading {what}", "fraction": 0.0})
        if error := self._made.exception():
            if isinstance(error, LitProbeError):
                raise error
            raise LitProbeError(failure(f"Reading {what} failed", error)) from error
        made = self._made.result()
        return made.probes, made.read(inputs)

    def make(self) -> None:
        """Reads the rows, then computes the study; never raises."""
        try:
            made = self._rows()
        except BaseException as error:
            if not isinstance(error, LitProbeError):
                logging.exception("%s cannot be probed", self._models.name_of(self._model))
            self._failed_at = time.monotonic()
            self._made.set_exception(error)
            return
        self._made.set_result(made)
        study, models = made.probes.study, self._models

        def compute(progress: StudyProgress) -> LayerStudy:
            def report(step: str, done: int, total: int, unit: str) -> None:
                if models.stopped:
                    raise CancelledError("the server was stopped.")
                progress(step, done, total, unit)

            return probe_layers(
                study.encoder,
                study.splits,
                pooling=NO_POOLING,
                probe=models.probe,
                probe_options=models.probe_options,
                seed=models.seed,
                rules=models.rules,
                progress=report,
            )

        study.compute(compute)
        if not study.ready:
            self._failed_at = time.monotonic()

    def _rows(self) -> _Made:
        models, wanted = self._models, self._models.wanted
        name, inputs = models.name_of(self._model), self._model.input_spec()
        embeddings = layer_fields(name, self._model.output_spec(), wanted.embeddings)
        reader = Reader.of(models.name_of(self._dataset), self._dataset.spec(), wanted, inputs)
        examples = list(self._dataset.examples)
        keys = _keys([reader.text(example) for example in examples])
        splits = reader.splits(examples, models.seed, keys)
        # One that says nothing is no row, and may be nothing that the model can read.
        by_key = {key: example for key, example in zip(keys, examples, strict=True) if key}
        encoder = LitModelEncoder(name, self._model, embeddings, by_key)
        options = models.probe_options
        balanced = options is not None and options.class_weight is not None
        study = PendingStudy(encoder, splits, models.rules, balanced=balanced)
        n_rows = sum(len(rows) for _, rows in splits.items())
        shown = ProbeDataset(splits, show_train=n_rows, max_shown=10 * n_rows)
        peers = models.peers_on(self._dataset)
        peers[name] = study
        probes = ProbeModel(study, shown, PooledTexts(encoder, [study]), (), models.checks, peers, reader)
        return _Made(probes, encoder, by_key, {example.get("_id"): key for key, example in by_key.items()})


@dataclass(frozen=True, eq=False)
class _Made:
    """Probes with what finds an example's row again.

    Attributes:
      probes: the probes.
      encoder: their encoder.
      by_key: the examples of the data set by the text of their row.
      key_of: the text of the row of each example, by its id.
    """

    probes: ProbeModel
    encoder: LitModelEncoder
    by_key: Mapping[str, types.JsonDict]
    key_of: Mapping[Any, str]

    def read(self, inputs: Sequence[types.JsonDict]) -> list[types.JsonDict]:
        """The examples with our fields."""
        reader = self.probes.reader
        assert reader is not None
        read, new = [], {}
        for example in inputs:
            key = None if fields.is_edited(example) else self.key_of.get(example.get("_id"))
            if key is None or not reader.same_input(example, self.by_key[key]):
                key = reader.text(example)
                if key in self.by_key and not reader.same_input(example, self.by_key[key]):
                    # It says what a row says, but the model reads something else in it.
                    key = f"{key} (edit {text_hash([repr(example.get(name)) for name in reader.read])[:8]})"
                if key not in self.by_key:
                    new[key] = example
            read.append(self.probes.read(example, key))
        self.encoder.remember(new)
        return read


def _keys(texts: Sequence[str]) -> list[str]:
    """A text for each row, unlike all others: a text that has been there before is numbered.

    >>> _keys(["a", "b", "a", "a (2)", ""])
    ['a', 'b', 'a (2)', 'a (2) (2)', '']
    """
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    keys = []
    for text in texts:
        key = text
        while text and key in taken:
            # From the last number on, since a text may be there thousands of times.
            numbers[text] = numbers.get(text, 1) + 1
            key = f"{text} ({numbers[text]})"
        taken.add(key)
        keys.append(key)
    return keys


def layer_fields(model: str, spec: types.Spec, wanted: Sequence[str] | None) -> list[str]:
    """The fields of vectors in the order of layers: as wanted, else by the number in their names, else as the spec has them.

    Args:
      model: what the model is called.
      spec: what it predicts.
      wanted: names of fields; all of type ``Embeddings`` when None.

    Raises:
      LitProbeError: there is no such field.

    >>> layer_fields("m", {f"layer_{i}": types.Embeddings() for i in (10, 2, 1)}, None)
    ['layer_1', 'layer_2', 'layer_10']
    """
    names = [name for name, kind in spec.items() if isinstance(kind, types.Embeddings)]
    if wanted is not None:
        if not wanted or (unknown := [name for name in wanted if name not in names]):
            told = f"no field of vectors {unknown[0]!r}" if wanted else "no layers where none is named"
            raise LitProbeError(f"The model {model} has {told}. Its fields of type Embeddings are: {', '.join(names) or 'none'}.")
        return list(wanted)
    if not names:
        raise LitProbeError(
            f"The model {model} has no vectors to probe: none of the fields that it predicts is of type Embeddings "
            f"({', '.join(spec) or 'it has none'})."
        )
    parts = [re.split(r"(\d+)", name) for name in names]
    words = {tuple(part[::2]) for part in parts}
    differing = (
        [place for place in range(1, len(parts[0]), 2) if len({part[place] for part in parts}) > 1] if len(words) == 1 else []
    )
    if len(differing) == 1:
        return sorted(names, key=lambda name: int(re.split(r"(\d+)", name)[differing[0]]))
    return names
