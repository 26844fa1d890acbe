"""The flow in one place: an encoder and a data set in, fitted layer probes and their numbers out.

The command line, the LIT server and the notebook all ask here, so they show the same numbers to the last digit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.data.asked import CLASSES, NUMBER, WORD
from lit_probe.data.labelled_texts import LabelledTexts, SplitName, Splits
from lit_probe.data.seeds import checked_seed
from lit_probe.encoder.activations import Activations, check_pooling, default_pooling
from lit_probe.encoder.cache import Cache, array_hash, library_versions, text_hash
from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.joining import in_sentences
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.errors import DatasetError, ProbeError, UnservedError
from lit_probe.probing.layer_choice import LayerChoice, choose_layer
from lit_probe.probing.layerwise import (
    ActivationView,
    LayeredActivations,
    LayerMetrics,
    LayerwiseProbe,
    MetricsRow,
    Spread,
    check_probe,
)
from lit_probe.probing.pace import Clock, Pace
from lit_probe.probing.probes import DEFAULT_PROBES, ProbeOptions, probe_made_by
from lit_probe.probing.probes.fitting_scope import fitting_scope
from lit_probe.probing.rules import StudyRules
from lit_probe.progress import Progress, StudyProgress, no_progress, of_step
from lit_probe.registry import check_layer
from lit_probe.results import Result
from lit_probe.scores.by_target import ALL_METRICS, Rows, loss_of, rows_of_target, trivial_title
from lit_probe.scores.decision import Decision
from lit_probe.scores.metrics import Score
from lit_probe.scores.spans import Spans, are_of_spans, span_scores, span_scores_by_type

_MOST_NAMED = 10


@dataclass(frozen=True)
class ModelFiles(Result):
    """Which checkpoint it was.

    Attributes:
      id: the checkpoint's name or folder.
      revision: the revision that was asked for, or None.
      sha256: the hashes of ``weights``, ``config`` and ``tokenizer``.
      random_weights: the seed by which other weights were drawn in place of the checkpoint's; None where they were not.
      in_memory: True for a model that was in a program's memory; None for files.
      dtype: the numbers in which its weights were read, where these were other than float32; else None.
    """

    id: str
    revision: str | None
    sha256: Mapping[str, str]
    random_weights: int | None = None
    in_memory: bool | None = None
    dtype: str | None = None

    omitted_if_none: ClassVar[tuple[str, ...]] = ("random_weights", "in_memory", "dtype")

    @classmethod
    def of(cls, encoder: Encoder) -> ModelFiles:
        """Those of an encoder."""
        source = encoder.checkpoint
        dtype = None if encoder.dtype == FLOAT32 else encoder.dtype
        return cls(source.model_id, source.revision, encoder.hashes, encoder.random_seed, source.in_memory or None, dtype)


@dataclass(frozen=True)
class StudySettings(Result):
    """What reproduces the numbers of a study, besides its data.

    Attributes:
      model: the checkpoint.
      pooling: the name of the pooling.
      max_length: the number of tokens that the encoder reads of a text.
      keep: the part of longer texts that it reads.
      probe: the kind of probe.
      seed: the seed of everything random.
      rules: how it is scored, and how its layer is chosen.
      versions: the version of each library that can change a number.
      sites: the names of the places that are probed; None for all layers of an encoder, or given vectors.
      cache_dtype: as what the activations are kept and read, where it is not float32.
      template: what stands around every text, with ``{text}`` in its place; None for the text alone.
      chat: what the tokenizer's chat template makes of every message, with ``{text}`` in the text's place; None without one.
      probe_options: how the probes are fitted; None for the usual way.
    """

    model: ModelFiles
    pooling: str
    max_length: int
    keep: str
    probe: str
    seed: int
    rules: StudyRules
    versions: Mapping[str, str]
    sites: tuple[str, ...] | None
    cache_dtype: str | None
    template: str | None = field(default=None, kw_only=True)
    chat: str | None = field(default=None, kw_only=True)
    probe_options: ProbeOptions | None = field(default=None, kw_only=True)

    omitted_if_none: ClassVar[tuple[str, ...]] = ("sites", "cache_dtype", "template", "chat", "probe_options")


class LayerStudy:
    """Probes for one concept at every layer of one encoder, and how well they do.

    Attributes:
      encoder: the frozen encoder.
      splits: the labelled texts.
      activations: pooled activations by split.
      layerwise: one fitted probe per layer.
      seed: the seed of cross-validation, probes and bootstrap.
      rules: how it is scored, and how its layer is chosen, as it was asked for.
      headline: the metric by which layers are compared.
      decision: the rule by which probabilities become a class; of a number nothing is decided, and it says nothing.
      choice: the layer that was chosen on dev, and among which.
      budget: how much memory fits may take; what is free at their time when None.
      pace: how long it has taken to make it, as far as it was not in the cache.
    """

    # Whether its vectors are what its probes have made of tokens, so that nothing else may be fitted to them.
    reads_tokens: ClassVar[bool] = False

    def __init__(
        self,
        encoder: Encoder,
        splits: Splits,
        activations: Mapping[SplitName, Activations],
        layerwise: LayerwiseProbe,
        seed: int,
        rules: StudyRules | None = None,
        *,
        budget: MemoryBudget | None = None,
        pace: Pace | None = None,
    ):
        self.encoder = encoder
        self.splits = splits
        self.activations = activations
        self.layerwise = layerwise
        self.seed = seed
        self.budget = budget
        self.pace = pace or Pace()
        self._texts: dict[str, LabelledTexts] = dict(splits.items())
        self._predictions: dict[str, NDArray[np.float64]] = {}
        self.rules = rules or StudyRules()
        by_train = (splits.train.labels, len(splits.label_names))
        self.headline = self.rules.headline_for(*by_train)
        # Probes whose classes count alike have made up for the shares already.
        self.decision = self.rules.decision_for(*by_train, balanced=layerwise.options.class_weight is not None)
        rows = self.dev_rows(self.predictions("dev"))
        self.choice = self.choose_layer(rows)

    def refit(
        self,
        activations: LayeredActivations,
        labels: ArrayLike,
        *,
        groups: ArrayLike | None,
        seed: int | None = None,
        like: LayerwiseProbe | None = None,
        progress: Progress = no_progress,
    ) -> LayerwiseProbe:
        """Probes of the study's kind, fitted in its way to other rows, labels or vectors.

        Args:
          activations: of the rows, ``[n_examples, n_layers, d_model]``.
          labels: ``[n_examples]`` of its classes, or numbers.
          groups: ``[n_examples]`` what must not be split between folds, or None.
          seed: the seed of everything random; the study's own when None.
          like: as of `LayerwiseProbe.fit`.
          progress: hears how many of the layers are done.

        Raises:
          ProbeError: as `LayerwiseProbe.fit`.
        """
        return LayerwiseProbe.fit(
            activations,
            labels,
            self.splits.label_names,
            groups=groups,
            probe=self.layerwise.kind,
            options=self.layerwise.options,
            seed=self.seed if seed is None else seed,
            like=like,
            budget=self.budget,
            progress=progress,
        )

    def check_pooled(self, what: str) -> None:
        """That something may be fitted to its vectors.

        Args:
          what: its name, as a sentence begins with it.

        Raises:
          UnservedError: they were pooled for the labels, by probes that read tokens.
        """
        if self.reads_tokens:
            raise UnservedError(
                f"{what} reads pooled vectors, and probes of kind {self.layerwise.kind!r} read tokens. Ask it of another kind."
            )

    def choose_layer(self, rows: Rows) -> LayerChoice:
        """The layer that the study's rules choose on these rows, which have its target."""
        loss, classes = loss_of(self.splits.label_names), self.splits.target == CLASSES
        return choose_layer(
            ALL_METRICS[self.headline].score(rows),
            loss.score(rows),
            self.rules.layer_choice,
            None if rows.units is None else rows.n_units,
            None if classes else loss.title.lower(),
        )

    @property
    def best_layer(self) -> int:
        """The layer that was chosen on dev."""
        return self.choice.layer

    @property
    def unweighted_decision(self) -> Decision:
        """The rule for predictions of other fits on train, in which every row counts alike whatever the study's probes do."""
        return self.rules.decision_for(self.splits.train.labels, len(self.splits.label_names))

    @property
    def pooling(self) -> str:
        """Name of the pooling."""
        return self.activations["train"].pooling

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that decides what can be computed from the study: encoder, texts, labels, groups, columns, probes, seed."""
        facts = {
            "encoder": [self.encoder.name, self.activations["train"].fingerprint, self.pooling],
            "splits": [self.splits.name, {name: _content(rows) for name, rows in self.splits.items()}],
            # Their arrays, so that probes of other origin than `probe_layers` are told apart as well.
            "probes": [
                [probe.kind, {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in probe.to_arrays().items()}]
                for probe in self.layerwise.probes
            ],
            "seed": self.seed,
            "rules": self.rules.to_json(),
            **_options_of(self.layerwise.options),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    @property
    def layer_names(self) -> list[str]:
        """What the layers are called."""
        return list(self.encoder.layer_names)

    @property
    def kept_as(self) -> str:
        """As what its activations are kept and read: ``float32`` or ``bfloat16``."""
        return self.activations["train"].dtype

    @property
    def told_names(self) -> tuple[str, ...] | None:
        """What the layers are called, where their numbers alone do not say which they are; else None."""
        return self.encoder.layer_names if self.encoder.at_sites else None

    def _told(self, layer: int) -> str:
        return str(layer) if self.told_names is None else f"{layer} ({self.told_names[layer]})"

    def predictions(self, split: SplitName) -> NDArray[np.float64]:
        """What each layer's probe predicts for the split's rows.

        ``[n_examples, n_layers, n_classes]`` probabilities; ``[n_examples, n_layers, 1]`` numbers where a number is asked for.
        """
        if split not in self._predictions:
            self._predictions[split] = self.layerwise.predictions(self.activations[split])
        return self._predictions[split]

    def probabilities(self, split: SplitName) -> NDArray[np.float64]:
        """``[n_examples, n_layers, n_classes]``: what each layer's probe predicts for the split's rows.

        Raises:
          ProbeError: the study asks for a number, which has no probabilities.
        """
        if self.splits.target != CLASSES:
            raise ProbeError(f"{self.splits.name} asks for a number, which has no probabilities. Ask for predictions.")
        return self.predictions(split)

    def dev_rows(self, probabilities: ArrayLike, decision: Decision | None = None) -> Rows:
        """The rows of dev with probabilities ``[n_examples, n_layers, n_classes]``, its own or those of other probes.

        Args:
          probabilities: of the study's classes; of a number, numbers ``[n_examples, n_layers, 1]``.
          decision: the rule by which they become a class; the study's own when None.
        """
        dev = self.splits.dev
        return rows_of_target(
            probabilities, dev.labels, dev.groups, self.seed, self.splits.label_names, decision or self.decision
        )

    def dev_scores(self, probabilities: ArrayLike, decision: Decision | None = None) -> list[Score]:
        """``[n_layers]`` the headline scores on dev of any predictions; arguments as of `dev_rows`."""
        return ALL_METRICS[self.headline].score(self.dev_rows(probabilities, decision))

    def metrics(self, split: SplitName) -> LayerMetrics:
        """All metrics of all layers on one split, with their 95 % intervals."""
        return self._measure(split, self.predictions(split))

    def test_metrics(self) -> MetricsRow:
        """All metrics of the dev-chosen layer on test: the one time that test is scored."""
        [chosen] = self._measure("test", self.predictions("test")[:, [self.best_layer]]).rows()
        return replace(chosen, layer=self.best_layer)

    def _measure(self, split: SplitName, probabilities: NDArray[np.float64]) -> LayerMetrics:
        rows = self._texts[split]
        return LayerMetrics.measure(
            split,
            probabilities,
            rows.labels,
            self.splits.label_names,
            self.splits.train.labels,
            groups=rows.groups,
            seed=self.seed,
            decision=self.decision,
        )

    def spans(self) -> Spans | None:
        """How well whole spans are found, where the tags of words are those of spans; else None.

        The words of a sentence that have no class are not there: a span goes over them, as over nothing.
        """
        names, layer = self.splits.label_names, self.best_layer
        if self.splits.unit != WORD or not are_of_spans(names):
            return None
        dev, test = self.splits.dev, self.splits.test
        of_dev = self.decision.classes(self.predictions("dev")).T
        of_test = self.decision.classes(self.predictions("test")[:, [layer]]).T
        told_dev = (dev.labels, names, in_sentences(dev.texts), _groups(dev))
        told_test = (test.labels, names, in_sentences(test.texts), _groups(test))
        [on_test] = span_scores(of_test, *told_test, [layer])
        types = span_scores_by_type(of_test[0], *told_test, layer)
        return Spans(span_scores(of_dev, *told_dev, range(self.layerwise.n_layers)), on_test, types)

    def check_layer(self, layer: int) -> None:
        """That there are probes of such a layer.

        Raises:
          UnknownNameError: there are none.
        """
        check_layer(layer, self.layerwise.n_layers, self.encoder.name, self.told_names)

    def to_json(self) -> dict[str, Any]:
        """Everything ``layers.json`` holds for this data set; finite numbers or None."""
        spans = self.spans()
        return {
            "layers": [row.to_json() for row in self.metrics("dev").rows()],
            "layer_names": self.layer_names,
            **({"sites": [asdict(site) for site in self.encoder.sites]} if self.encoder.at_sites else {}),
            "headline": self.headline,
            **({"target": NUMBER} if self.splits.target == NUMBER else {}),
            "decision": self.decision.to_json() if self.splits.target == CLASSES else None,
            "best_layer": self.best_layer,
            "chosen_on": "dev",
            "choice": self.choice.to_json(),
            "test": self.test_metrics().to_json(),
            **({} if spans is None else {"spans": spans.to_json()}),
            "label_names": list(self.splits.label_names),
            "n": {name: len(rows) for name, rows in self.splits.items()},
            **self._labels_json(),
            "share_truncated": {name: activations.share_truncated for name, activations in self.activations.items()},
            "share_unknown": {name: activations.share_unknown for name, activations in self.activations.items()},
            "not_converged": self.layerwise.not_converged,
            "probes": [dict(probe.settings) for probe in self.layerwise.probes],
            "data": dict(self.splits.provenance),
            "remarks": self.remarks(),
        }

    def _labels_json(self) -> dict[str, Any]:
        """What the labels of each split are: how many of each class, or where the numbers lie."""
        parts = dict(self.splits.items())
        by_class = {
            name: np.bincount(rows.labels, minlength=len(rows.label_names)).tolist() if rows.label_names else []
            for name, rows in parts.items()
        }
        if self.splits.target == CLASSES:
            return {"n_by_class": by_class}
        return {"n_by_class": by_class, "numbers": {name: _spread(rows.labels) for name, rows in parts.items()}}

    def settings(self) -> StudySettings:
        """What reproduces the numbers: model, hashes, settings, seed and library versions."""
        encoder = self.encoder
        return StudySettings(
            ModelFiles.of(encoder),
            self.pooling,
            encoder.max_length,
            encoder.keep,
            self.layerwise.kind,
            self.seed,
            self.rules,
            library_versions(),
            encoder.layer_names if encoder.has_network and encoder.at_sites else None,
            None if self.kept_as == FLOAT32 else self.kept_as,
            template=encoder.template,
            chat=encoder.chat,
            probe_options=self.layerwise.options.or_none,
        )

    def table(self) -> str:
        """The layers as text, one line each: headline score with its interval, then AUROC and log-loss.

        Of a number these are R², Spearman's correlation and the mean absolute error.

        A score that is not to be relied on has an asterisk, and the reason stands below.
        """
        rows = self.metrics("dev").rows()
        others = {"auroc": "auroc", "log_loss": "log loss"}
        if self.splits.target == NUMBER:
            others = {"spearman": "spearman", "mae": "mae"}
        others.pop(self.headline, None)
        heads = "".join(f"  {head:>8}" for head in others.values())
        lines = [f"{'layer':>5}  {self.headline + ' on dev':>24}  {'95 % interval':>15}{heads}"]
        for row in rows:
            # Numbers alone say where a network's own layers are; of others the name does.
            name = "" if self.told_names is None else f"  {self.told_names[row.layer]}"
            mark = name + ("  <- chosen on dev" if row.layer == self.best_layer else "")
            score = row.scores[self.headline]
            cells = "".join(f"  {_marked(row.scores[name]):>8}" for name in others)
            interval = f"{_number(score.low)}–{_number(score.high)}"
            lines.append(f"{row.layer:>5}  {_marked(score):>24}  {interval:>15}{cells}{mark}")
        test = self.test_metrics()
        score = test.scores[self.headline]
        lines.append(self.choice.told(self.told_names))
        if self.decision.shares and ALL_METRICS[self.headline].decides:
            lines.append(self.decision.sentence)
        lines.append(
            f"Test at layer {self._told(self.best_layer)}: {self.headline} {_marked(score)} "
            f"[{_number(score.low)}–{_number(score.high)}], n = {test.n:,}. "
            f"{trivial_title(self.headline).partition(' ')[0].capitalize()} baseline on dev: "
            f"{_number(rows[0].majority[self.headline])}, n = {rows[0].n:,}."
        )
        doubts = {
            f"n/a: {name} on {split}, {one.reason}." if one.value is None else f"* Not to be relied on: {split} has {one.reason}."
            for split, scored in (("dev", rows), ("test", [test]))
            for row in scored
            for name, one in row.scores.items()
            if name in ((self.headline, *others) if split == "dev" else (self.headline,)) and not one.reliable
        }
        spans = self.spans()
        return "\n".join([*lines, *sorted(doubts), *([] if spans is None else [spans.table()]), *self.remarks()])

    def remarks(self) -> list[str]:
        """What a reader of the numbers should know: truncated texts, unfinished fits, rows left out."""
        remarks = [self.encoder.template_remark] if self.encoder.template_remark else []
        rows = "words stand in texts that" if self.splits.unit == WORD else "texts"
        remarks += [
            f"{int(one.truncated.sum()):,} of {len(one):,} {name} {rows} were truncated to {self.encoder.max_length} tokens "
            f"(kept: {self.encoder.keep})."
            for name, one in self.activations.items()
            if one.share_truncated
        ]
        remarks += [
            unknown_words(name, one.unknown, "words" if self.splits.unit == WORD else "texts")
            for name, one in self.activations.items()
            if one.share_unknown
        ]
        remarks += self.encoder.checkpoint.remarks
        if layers := self.layerwise.not_converged:
            remarks.append(f"The probes of layers {', '.join(map(str, layers))} did not converge.")
        remarks += self.left_out(range(self.layerwise.n_layers))
        dropped = {reason: count for reason, count in self.splits.provenance.get("dropped", {}).items() if count}
        if dropped:
            remarks.append(f"Left out of the data: {', '.join(f'{count:,} {reason}' for reason, count in dropped.items())}.")
        return [*remarks, *self.splits.provenance.get("notes", [])]

    def left_out(self, layers: Iterable[int]) -> list[str]:
        """A sentence for each of these layers with units that do not vary on train: whatever reads the layer leaves them out."""
        probes = {layer: self.layerwise.probes[layer] for layer in layers}
        return [
            f"Layer {layer}: {len(dead)} of {probe.d_model} units do not vary on train but for rounding, and are left out: "
            f"{', '.join(map(str, dead[:_MOST_NAMED]))}{', …' if len(dead) > _MOST_NAMED else ''}."
            for layer, probe in probes.items()
            if (dead := probe.dead_units)
        ]


def unknown_words(split: str, unknown: ArrayLike, rows: str = "texts") -> str:
    """How many texts hold tokens that the vocabulary cannot spell.

    Args:
      split: what the texts are called.
      unknown: ``[n_texts]`` the share of such tokens in each text.
      rows: what rows are, where they are not texts.

    >>> unknown_words("dev", [0, 0.25, 1, 1])
    'In 3 of 4 dev texts the vocabulary cannot spell some tokens (unknown tokens); in 2 it can spell none.'
    """
    shares = np.asarray(unknown)
    whole = int((shares == 1).sum())
    none = f"; in {whole:,} it can spell none" if whole else ""
    return (
        f"In {int((shares > 0).sum()):,} of {len(shares):,} {split} {rows} the vocabulary cannot spell some tokens "
        f"(unknown tokens){none}."
    )


def probe_layers(
    encoder: Encoder,
    splits: Splits,
    *,
    pooling: str | None = None,
    probe: str | None = None,
    probe_options: ProbeOptions | None = None,
    seed: int = 0,
    rules: StudyRules | None = None,
    cache: Cache | None = None,
    budget: MemoryBudget | None = None,
    spread: Spread | None = None,
    progress: StudyProgress | None = None,
) -> LayerStudy:
    """Fits one probe per layer on train, chooses one of the layers on dev.

    Args:
      encoder: the frozen encoder.
      splits: the labelled texts.
      pooling: a name in ``POOLINGS``; `NO_POOLING` for a `VectorEncoder`. By default what the encoder's kind asks for: ``mean``,
        for a decoder ``last``, for vectors `NO_POOLING`. Where rows are words, a name in ``JOININGS``, by default ``last``. Words
        of which no token was read are left out of the study, and its remarks say how many.
      probe: a name in ``PROBES``. By default what the target asks for: ``logistic`` for classes, ``ridge`` for a number.
      probe_options: how it is fitted, where not the usual way: a fixed regularisation, class weights, the size of a perceptron.
      seed: the seed of cross-validation, probes and bootstrap.
      rules: how it is scored, and how the layer is chosen; the usual way when None.
      cache: where results are kept; without one everything is computed.
      budget: how much memory fits may take beside what is held already, its own and those of checks: as many layers are fitted
        side by side as have room in it, one at least. What is free at their time when None. No digit depends on it.
      spread: where layers are fitted, as of `LayerwiseProbe.fit`.
      progress: hears how far it is.

    Raises:
      UnknownNameError: no such pooling or probe.
      UnservedError: the probe, or one of the rules, is not for what is asked of a row; the probe does not take an option; or the
        label has several values.
      EncoderError: the checkpoint cannot be loaded or used.
      ProbeError: the probe cannot be fitted, for example because a class has fewer than two examples.
    """
    if splits.several:
        raise UnservedError(
            f"The label of {splits.name} has several values, and each is asked for by itself: probe ask(splits, "
            f"{splits.several[0]!r}) and so on, or all of them by probe_values."
        )
    pooling = pooling or default_pooling(encoder, splits.unit)
    check_pooling(encoder, pooling, splits.unit)
    probe = probe or DEFAULT_PROBES[splits.target]
    options = probe_options or ProbeOptions()
    check_probe(probe, splits.target, options)
    seed = checked_seed(seed)
    cache = cache or Cache(None)
    splits = _read_words(encoder, splits, cache)
    activations: dict[SplitName, Activations] = {}
    # All targets of a data set are read off the same pass over its texts.
    asked_of = splits.asked_of
    whole = splits if asked_of is None else asked_of.splits
    n_read = sum(cache.n_missing(encoder, rows.texts, pooling, rows.spans) for _, rows in whole.items())
    if n_read and encoder.has_network:
        # Before the clock runs, since it takes no longer for more texts.
        encoder.load()
    with Clock() as reading:
        for name, rows in whole.items():
            step = of_step(progress, f"Encoding {whole.name} {name}", "texts")
            read = cache.activations(encoder, rows.texts, pooling, spans=rows.spans, progress=step)
            activations[name] = read if asked_of is None else read.take(asked_of.rows[name])
    train, fitting = splits.train, Clock()
    taken = activations["train"].taken_from
    # Some rows of the cache's blocks can travel by their numbers, a copy of them cannot. The digits are the same.
    fitted_to = activations["train"] if asked_of is None or taken is None else ActivationView(taken, asked_of.rows["train"])

    def fit() -> LayerwiseProbe:
        step = of_step(progress, f"Fitting {probe} probes on {splits.name}", "layers")
        step(0, encoder.n_layers)
        # The libraries of fits are imported before the clock runs.
        with fitting_scope, fitting:
            return LayerwiseProbe.fit(
                fitted_to,
                train.labels,
                splits.label_names,
                groups=train.groups,
                probe=probe,
                options=options,
                seed=seed,
                budget=budget,
                spread=spread,
                progress=step,
            )

    facts = {
        "encoder": encoder.fingerprint,
        "pooling": pooling,
        "texts": text_hash(train.texts),
        "labels": hashlib.sha256(train.labels.tobytes()).hexdigest(),
        "label_names": list(splits.label_names),
        "groups": None if train.groups is None else text_hash([str(group) for group in train.groups]),
        "probe": probe,
        "made_by": probe_made_by(probe, splits.target),
        "seed": seed,
        **_options_of(options),
        **_spans_of(train),
        **cache.facts(),
    }
    layerwise = cache.get_or_make("probes", facts, fit, lambda result, folder: result.save(folder), LayerwiseProbe.load)
    pace = Pace(fitting.seconds, reading.seconds / n_read if reading.seconds and n_read else None)
    return LayerStudy(encoder, splits, activations, layerwise, seed, rules, budget=budget, pace=pace)


def _read_words(encoder: Encoder, splits: Splits, cache: Cache) -> Splits:
    """The splits without the words of which the encoder reads no token; the provenance counts them.

    Raises:
      DatasetError: a split has no other word.
    """
    parts, dropped = dict(splits.items()), dict[str, int]()
    for name, rows in splits.items():
        if rows.spans is None:
            return splits
        unread = cache.unread_words(encoder, rows.texts, rows.spans)
        if unread.all():
            raise DatasetError(f"{encoder.name} reads no token of any {name} word of {splits.name}. Raise the option max_length.")
        if unread.any():
            parts[name] = rows.select(np.flatnonzero(~unread))
            dropped[f"{name} words of which {encoder.name} reads no token"] = int(unread.sum())
    if not dropped:
        return splits
    provenance = {**splits.provenance, "dropped": {**splits.provenance.get("dropped", {}), **dropped}}
    return replace(splits, train=parts["train"], dev=parts["dev"], test=parts["test"], provenance=provenance)


def _options_of(options: ProbeOptions) -> dict[str, Any]:
    """How probes are fitted; nothing for the usual way."""
    return {"probe_options": options.to_json()} if options.given else {}


def _spans_of(rows: LabelledTexts) -> dict[str, str]:
    """A hash of where the words stand; nothing where rows are texts."""
    return {} if rows.spans is None else {"spans": array_hash(rows.spans)}


def _content(rows: LabelledTexts) -> dict[str, Any]:
    """Hashes of a split."""
    return {
        "texts": text_hash(rows.texts),
        "labels": [hashlib.sha256(rows.labels.tobytes()).hexdigest(), list(rows.label_names)],
        "groups": None if rows.groups is None else text_hash([str(group) for group in rows.groups]),
        "columns": {name: text_hash([str(value) for value in values]) for name, values in rows.columns.items()},
        **_spans_of(rows),
    }


def _groups(rows: LabelledTexts) -> NDArray[Any]:
    """``[n_words]`` what is independent of each other: the groups, or the text of each word."""
    return np.array(rows.texts) if rows.groups is None else rows.groups


def _spread(numbers: NDArray[np.float64]) -> dict[str, float | None]:
    """Where the numbers of a split lie; None where it has no row."""
    if not len(numbers):
        return dict.fromkeys(("mean", "sd", "least", "largest"))
    return {
        "mean": float(numbers.mean()),
        "sd": float(numbers.std()),
        "least": float(numbers.min()),
        "largest": float(numbers.max()),
    }


def _marked(score: Score) -> str:
    return _number(score.value) + ("" if score.reliable or score.value is None else "*")


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
