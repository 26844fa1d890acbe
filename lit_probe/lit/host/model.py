"""An encoder with its layer probes as a LIT model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.checks.leakage import circularity_of
from lit_probe.checks.seen_rows import seen_rows
from lit_probe.data.asked import CLASSES, TEXT, TargetKind, UnitKind
from lit_probe.data.labelled_texts import SplitName, clean_text, normalise_text
from lit_probe.data.rows import one_writing
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields, specs
from lit_probe.lit.host.dataset import ProbeDataset, probe_dataset
from lit_probe.lit.host.labels import Labels, Value, asks_the_same
from lit_probe.lit.host.messages import as_markdown
from lit_probe.lit.host.pending_checks import PendingChecks
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.host.pooled_texts import Place, PooledBatch, PooledTexts
from lit_probe.lit.host.read_only import check_few_new
from lit_probe.lit.host.reader import Reader
from lit_probe.lit.host.token_fields import TokenFields, TokenInput


class Readings(NamedTuple):
    """What the probes of all layers say of some rows.

    Attributes:
      predictions: ``[n_rows, n_layers, n_classes]`` probabilities, or ``[n_rows, n_layers, 1]`` numbers.
      truncated: ``[n_rows]`` whether the text of each is longer than the encoder reads.
      unknown: ``[n_rows]`` the share of its tokens that the vocabulary cannot spell, 0 to 1.
    """

    predictions: NDArray[np.float64]
    truncated: NDArray[np.bool_]
    unknown: NDArray[np.float32]


class ProbeModel(lit_model.Model):
    """A frozen text encoder with one probe per layer, trained on one data set.

    LIT keeps every field of every example for ever, so the fields are pooled vectors, which are views of the study's own
    array, and a few class probabilities, or numbers. What is computed per token is no field.

    Args:
      study: the probes, which may still be in the making.
      dataset: the data set that they are trained on.
      texts: the encoder's pooled texts, shared with its other models.
      layers: the layers whose probe predictions are fields of their own.
      checks: what is computed about the probes when a panel asks, shared by all models of a server.
      peers: the studies of all encoders on the same data set by their models' names in LIT: this one can be compared with them.
      reader: reads the examples where they are those of somebody else's data set; None where they have our fields.
      token_fields: whether token embeddings and gradients are fields too, see ``TokenFields``.

    Attributes:
      asked_of: LIT's names of the ``model`` and the ``dataset`` that the server started with, where the probes were made on the
        page for other labels of its rows; else None.

    Raises:
      LitProbeError: token fields are asked of vectors.
    """

    def __init__(
        self,
        study: PendingStudy,
        dataset: ProbeDataset,
        texts: PooledTexts,
        layers: Sequence[int],
        checks: PendingChecks | None = None,
        peers: MutableMapping[str, PendingStudy] | None = None,
        reader: Reader | None = None,
        token_fields: bool = False,
    ):
        self.study = study
        self.dataset = dataset
        self.encoder = study.encoder
        self.checks = checks or PendingChecks()
        self.peers = {} if peers is None else peers
        self._texts = texts
        self._layers = tuple(layers)
        self.reader = reader
        self._seen: dict[str, frozenset[str]] = {}
        self._labels: dict[str, dict[str, set[Value]]] = {}
        if token_fields and not self.encoder.has_network:
            raise LitProbeError(f"{self.encoder.name} is known by its vectors alone, so it has no token fields. Leave them out.")
        self._with_token_fields = token_fields
        self.asked_of: dict[str, str] | None = None

    @property
    def name(self) -> str:
        """The model's name in LIT."""
        return fields.model_name(self.encoder.name, self.dataset.name)

    @property
    def unit(self) -> UnitKind:
        """What a row of its data set stands for."""
        return self.study.splits.unit

    @property
    def target(self) -> TargetKind:
        """What is asked of a row."""
        return self.study.splits.target

    @property
    def labels(self) -> Labels:
        """How labels stand in LIT's fields."""
        return self.dataset.labels

    @property
    def text_fields(self) -> tuple[str, ...]:
        """The fields that hold an example's text: one, or the two of a pair."""
        return self.dataset.text_fields

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes of the probes, as LIT shows them; none of a number."""
        return self.dataset.label_names

    @property
    def layer_names(self) -> list[str] | None:
        """What the layers are called, where they are not all of an encoder's own; None where numbers say it."""
        return list(self.encoder.layer_names) if self.encoder.at_sites else None

    @property
    def sites(self) -> list[dict[str, Any]] | None:
        """What the page draws the places by, where they are not all of an encoder's own layers: name, family, depth and width."""
        if self.layer_names is None:
            return None
        named = zip(self.layer_names, self.encoder.sites, strict=True)
        return [{"name": name, "family": site.family, "depth": site.depth, "width": site.width} for name, site in named]

    @property
    def vector_fields(self) -> tuple[str, ...]:
        """``[n_layers]`` the fields of the layers' vectors, called like the places where these are no layers."""
        if self.encoder.has_network and self.encoder.at_sites:
            return tuple(map(fields.site_field, self.encoder.layer_names))
        return tuple(map(fields.layer_field, range(self.encoder.n_layers)))

    @property
    def head_label_names(self) -> tuple[str, ...] | None:
        """The classes of the checkpoint's own classification head, as LIT shows them, or None."""
        names = self.encoder.head_label_names
        return None if names is None else fields.shown_labels(names)

    @property
    def comparable_studies(self) -> list[PendingStudy]:
        """The studies of the encoder on data sets with these classes, this one included, in the order of the data sets."""
        return [study for study in self._texts.studies.values() if asks_the_same(study.splits, self.study.splits)]

    @property
    def circularity(self) -> str | None:
        """Why probing this encoder for these labels is circular, or None; see ``leakage.circularity_of``."""
        return circularity_of(self.encoder, self.study.splits)

    @property
    def supports_concurrent_predictions(self) -> bool:
        """True: the encoder has a queue of its own, and LIT's lock would let known texts wait for new ones."""
        return True

    def description(self) -> str:
        """What LIT says about the model; its first line stands in the list of models."""
        encoder, layers = self.encoder, self.encoder.n_layers
        places = "its" if not encoder.at_sites or not encoder.has_network else "the chosen"
        numbers = "Layer 0 is the embedding output, layer i the output of block i. "
        if encoder.has_network and encoder.at_sites:
            first, last = as_markdown(encoder.layer_names[0]), as_markdown(encoder.layer_names[-1])
            numbers = f"Layer 0 stands for {first}, layer {layers - 1} for {last}. "
        lines = [
            f"{as_markdown(encoder.name)} with a probe for the labels of {as_markdown(self.dataset.name)} at each of {places} "
            f"{layers} layers.",
            f"{numbers}`{fields.PROBE}` is the layer that was chosen on dev, `{fields.CHOSEN}` holds its vectors.",
        ]
        if encoder.random_seed is not None:
            lines.append(f"Its weights were never trained: they are drawn by seed {encoder.random_seed}.")
        if self.circularity:
            lines.append(f"Circular: {as_markdown(self.circularity)}")
        if encoder.head_label_names is not None:
            lines.append(
                f"`{fields.HEAD}` is the checkpoint's own prediction. Fine-tuning may have put this concept into its layers."
            )
        remarks = [encoder.template_remark] if encoder.template_remark else []
        return "\n\n".join([*lines, *map(as_markdown, [*remarks, *encoder.checkpoint.remarks])])

    def input_spec(self) -> types.Spec:
        """See ``specs.model_input_spec``, and ``TokenFields`` where there are any."""
        spec = specs.model_input_spec(self.labels.type(required=False), self.text_fields)
        return spec if self.token_fields is None else spec | self.token_fields.input_spec()

    def output_spec(self) -> types.Spec:
        """See ``specs.model_output_spec`` and ``number_output_spec``, and ``TokenFields`` where there are any."""
        decision = self.study.decision
        encoder = self.encoder
        label = self.labels.type()
        if isinstance(label, types.Scalar):
            text = self.text_fields[0] if len(self.text_fields) == 1 else None
            return specs.number_output_spec(self.vector_fields, label, self._layers, text, with_tokens=encoder.has_network)
        spec = specs.model_output_spec(
            self.vector_fields,
            self.label_names,
            self.head_label_names,
            self._layers,
            decision,
            text=self.text_fields[0] if len(self.text_fields) == 1 else None,
            with_tokens=encoder.has_network,
        )
        return spec if self.token_fields is None else spec | self.token_fields.output_spec()

    @cached_property
    def token_fields(self) -> TokenFields | None:
        """The fields of tokens, or None where they were not asked for."""
        text = self.text_fields[0] if len(self.text_fields) == 1 else None
        return TokenFields(self.study, text, fields.LABEL, self.label_names) if self._with_token_fields else None

    def is_compatible_with_dataset(self, dataset: lit_dataset.Dataset) -> bool:
        """Whether LIT may show the model on a data set: one with its fields and classes; of a number its own alone.

        Two numbers have no names that would tell whether they are the same question.
        """
        shown = probe_dataset(dataset)
        alike = self.target == CLASSES or shown is None or asks_the_same(shown.splits, self.dataset.splits)
        return alike and super().is_compatible_with_dataset(dataset)

    def get_embedding_table(self) -> tuple[list[str], NDArray[np.float32]]:
        """What LIT's HotFlip may put into a text: see ``TokenFields.embedding_table``.

        Raises:
          NotImplementedError: there are no token fields. LIT reads this as an answer.
        """
        if self.token_fields is None:
            raise NotImplementedError("Without token_fields there is no table of embeddings.")
        return self.token_fields.embedding_table

    def predict(self, inputs: Iterable[types.JsonDict], **kwargs: Any) -> list[dict[str, Any]]:
        """All fields of ``output_spec`` for each example.

        Texts of any of the encoder's data sets are answered from its study, new texts cost one forward pass together. Token
        fields cost a pass there and back for each text.

        Raises:
          LitProbeError: an example has no text, or the probes are not ready or could not be computed.
        """
        examples = list(inputs)
        texts = [self.text_of(example) for example in examples]
        study, pooled = self.study.result(), self.pooled(texts)
        encoded = self.encoder.encode(texts, with_tokens=True) if self.encoder.has_network else []
        given: list[TokenInput] = []
        if self.token_fields is not None:
            given = self.token_fields.read(examples, encoded)
            encoded, pooled = [one.encoded for one in given], self.token_fields.pooled(given, pooled)
        tokens = [{fields.TOKENS: one.tokens} for one in encoded] if self.encoder.has_network else [{}] * len(texts)
        said = self.predictions(pooled)
        shown = {field: study.best_layer if layer is None else layer for field, layer in self._probe_fields().items()}
        predictions = []
        for text, of_text, by_layer in zip(pooled.texts, tokens, said, strict=True):
            prediction: dict[str, Any] = {**of_text, fields.CHOSEN: text.values[study.best_layer]}
            prediction |= dict(zip(self.vector_fields, text.values, strict=True))
            if self.encoder.head_label_names is not None and self.target == CLASSES:
                prediction[fields.HEAD] = text.head_probabilities
            prediction |= {field: self.labels.predicted(by_layer[layer]) for field, layer in shown.items()}
            predictions.append(prediction)
        if self.token_fields is not None:
            named = [fields.label_of(self.read(example), self.label_names) for example in examples]
            classes_named = [None if label is None else self.label_names.index(label) for label in named]
            of_tokens = self.token_fields.values(given, classes_named, pooled, said[:, study.best_layer])
            predictions = [prediction | values for prediction, values in zip(predictions, of_tokens, strict=True)]
        return predictions

    def _probe_fields(self) -> dict[str, int | None]:
        """The fields that hold what a probe predicts, with their layer; None stands for the dev-chosen one."""
        own: dict[str, int | None] = {fields.PROBE: None, fields.COLOR_BY: None}
        own |= {fields.layer_probe_field(self.vector_fields[layer]): layer for layer in self._layers}
        return {field: own[field] for field in self.output_spec() if field in own}

    def read(self, example: types.JsonDict, text: str | None = None) -> Mapping[str, Any]:
        """The example with our fields: text, label, split, and its own of few values. As it is where it has ours already, but for
        pairs: see `with_text`.

        Args:
          example: as LIT sends it.
          text: the text of its row; what it says when None.

        Raises:
          LitProbeError: a field of text holds an array.
        """
        if self.reader is None:
            return fields.with_text(example, self.text_fields)
        text = self.reader.text(example) if text is None else text
        label, place = self._class_of(self.reader.class_word(example)), self._texts.row(text, self.dataset.name)
        known = place is not None and label in self._labels_of(text, place)
        split = place.split if place is not None and known else fields.NOT_IN_DATA
        return {
            **{name: example[name] for name in ("_id", "_meta", *self.reader.columns) if name in example},
            fields.TEXT: text,
            fields.LABEL: label,
            fields.SPLIT: split,
        }

    def text_of(self, example: types.JsonDict) -> str:
        """What the example says, ready for a tokenizer; see `read`."""
        return fields.text_of(self.read(example))

    def shown(self, dataset: lit_dataset.Dataset) -> lit_dataset.Dataset:
        """The data set with our fields, for one that LIT shows."""
        return dataset

    def _class_of(self, word: str) -> str:
        """The class as LIT shows it; empty where the probes know none that is called so."""
        names = self.study.splits.label_names
        [written, *_] = one_writing({"": [word, *names]})[""]
        return self.label_names[names.index(written)] if written in names else ""

    def status(self, dataset: ProbeDataset | None) -> dict[str, Any] | None:
        """``computing`` or ``failed`` while a panel on ``dataset`` has to wait; None when it can be answered at once.

        For another data set than the model's own, that one must have been encoded too.
        """
        if status := self.study.status():
            return status
        other = self._texts.studies.get(dataset.name) if dataset is not None else None
        return other.status() if other is not None and not other.future.done() else None

    def pooled(self, texts: Sequence[str]) -> PooledBatch:
        """The encoder's pooled vectors of cleaned texts, see ``PooledTexts.pooled``.

        Raises:
          LitProbeError: the probes are not ready, the encoder cannot read a text, or a read-only server is sent many new ones.
        """
        study = self.study.result()
        check_few_new(self.checks, lambda: self._texts.n_new(texts))
        return self._texts.pooled(texts, self.dataset.name, study.pooling, study.kept_as)

    def read_rows(self, texts: Sequence[str], spans: NDArray[np.int64] | None = None) -> Readings:
        """What the probes say of rows that are asked for by themselves.

        Args:
          texts: ``[n_rows]`` cleaned texts.
          spans: ``[n_rows, 2]`` where in its text each word begins and ends; None where rows are texts.
        """
        pooled = self.pooled(texts)
        truncated = np.array([text.truncated for text in pooled.texts], dtype=bool)
        return Readings(self.predictions(pooled), truncated, np.array([text.unknown for text in pooled.texts], dtype=np.float32))

    def rows_of_study(self, split: SplitName, texts: Sequence[str]) -> NDArray[np.int64] | None:
        """``[n_texts]`` which row of its own study's split each text is, or None where one is none of them.

        What the probes say of these rows is known already.
        """
        places = [self._texts.row(text, self.dataset.name) for text in texts]
        rows = [place.row for place in places if place is not None and place.study is self.study and place.split == split]
        return np.array(rows, dtype=np.int64) if len(rows) == len(places) else None

    def predictions(self, pooled: PooledBatch) -> NDArray[np.float64]:
        """``[n_examples, n_layers, n_classes]``: what each layer's probe says of each text. A number is ``[…, 1]``.

        A text gets the same digits alone as among others, so these are the command line's to the last one.
        """
        return self.study.result().layerwise.predictions(pooled)

    def holds(self, dataset: ProbeDataset | None, example: Mapping[str, Any]) -> bool:
        """Whether the example is a row of the data set, shown or not: it has such a row's text, label and split."""
        text = fields.text_of(example)
        place = None if dataset is None else self._texts.row(text, dataset.name)
        if place is None or place.split != fields.split_of(example):
            return False
        return self.labels.read(example) in self._labels_of(text, place)

    def _labels_of(self, text: str, place: Place) -> set[Value]:
        """The labels of all rows of a data set that say this: train may hold several."""
        splits = place.study.splits
        if splits.name not in self._labels:
            found = self._labels[splits.name] = dict[str, set[Value]]()
            for _, rows in splits.items():
                for said, label in zip(rows.texts, rows.labels.tolist(), strict=True):
                    found.setdefault(clean_text(said), set()).add(self.labels.shown(label))
        return self._labels[splits.name][text]

    def seen_in_training(self, dataset: ProbeDataset | None, texts: Iterable[str]) -> frozenset[str]:
        """The texts that the probes know from training, though they stand in another data set: see ``seen_rows``.

        Of texts that are no rows of it, those among ``texts`` on which the probes were trained. The model's own data set needs no
        such guard: its splits share no text.
        """
        if dataset is None or dataset.splits is self.dataset.splits:
            return frozenset()
        if dataset.name not in self._seen:
            self._seen[dataset.name] = frozenset(
                clean_text(rows.texts[row])
                for _, rows in dataset.splits.items()
                for row in seen_rows(rows, dataset.splits, self.dataset.splits).rows
            )
        training_texts = self.dataset.training_texts
        new = (text for text in texts if dataset.position(text) is None)
        return self._seen[dataset.name] | {text for text in new if normalise_text(text) in training_texts}


def is_probe_model(model: lit_model.Model) -> bool:
    """Whether the model, or the one that LIT wrapped in its cache, is one of ours."""
    return isinstance(unwrapped(model), ProbeModel)


def reads_whole_texts(model: lit_model.Model) -> bool:
    """Whether the model is one of ours whose rows are whole texts: what LIT offers for these alone asks here."""
    return is_probe_model(model) and probe_model(model).unit == TEXT


def probe_model(model: lit_model.Model) -> ProbeModel:
    """The model of ours that LIT wrapped in its cache.

    Raises:
      LitProbeError: it is a model of another kind.
    """
    found = unwrapped(model)
    if not isinstance(found, ProbeModel):
        raise LitProbeError(
            f"This works on an encoder with layer probes, not on a {type(found).__name__}. For other models, make the "
            "interpreters with lit_probe.lit.interpreters()."
        )
    return found


def unwrapped(model: lit_model.Model) -> lit_model.Model:
    """The model without LIT's cache around it."""
    return getattr(model, "wrapped", model)
