"""From a panel's question to a salience map: whose answer is explained, of which class, as which number.

LIT's rows and our own panel ask here for the same maps of the same texts, so every map is computed once and remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from lit_nlp.api import dataset as lit_dataset

from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import Key, Keys, number, one_layer, one_of, read_keys, whole_number
from lit_probe.lit.host.labels import Labels, Value
from lit_probe.lit.host.model import ProbeModel
from lit_probe.once import Memo, once_per_object
from lit_probe.probing.head_classes import is_numbered, match_classes
from lit_probe.probing.probe_forward import SCALARS, Forward, Target, forward_of_model, forward_of_probe
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, TokenScores, explain, tokens_read
from lit_probe.salience.methods.perturbations import fitting
from lit_probe.salience.options import BASELINE_CHOICES, KERNEL_CHOICES, REPLACE_CHOICES, UNIT_CHOICES
from lit_probe.salience.remarks import baseline_notes
from lit_probe.salience.trust.other_baselines import BaselineComparison, compare_baselines

# Whose answer is explained.
PROBE, MODEL = "probe", "model"
EXPLAINED = (PROBE, MODEL)
# Which class. Any other is named after this prefix, so that a class may itself be called "gold".
PREDICTED, GOLD, CLASS_PREFIX = "predicted", "gold", "class:"

_DEFAULTS = SalienceOptions()
# What the options of `SalienceOptions` may be here. The maps that need most passes still take minutes: see `PlannedMap.is_quick`.
OPTION_KEYS: Keys = {
    "steps": whole_number(1, 500, _DEFAULTS.steps),
    "samples": whole_number(2, 2_000, _DEFAULTS.samples),
    "noise_samples": whole_number(1, 500, _DEFAULTS.noise_samples),
    "growth": whole_number(1, 32, _DEFAULTS.growth),
    "noise": number(0, 2, _DEFAULTS.noise),
    "seed": whole_number(0, 2**32 - 1, _DEFAULTS.seed),
    "baseline": one_of(BASELINE_CHOICES, _DEFAULTS.baseline),
    "replace": one_of(REPLACE_CHOICES, _DEFAULTS.replace),
    "unit": one_of(UNIT_CHOICES, _DEFAULTS.unit),
    "kernel": one_of(KERNEL_CHOICES, _DEFAULTS.kernel),
    "kernel_width": number(0.01, 10, _DEFAULTS.kernel_width),
}
# What people read for the options, in LIT's rows and in our panels; the others are called by their names.
TITLES = {
    "samples": "perturbed texts",
    "noise_samples": "noisy copies",
    "replace": "words taken out",
    "growth": "most growth",
    "unit": "take out",
    "kernel_width": "kernel width",
}
# How many full passes of the encoder a map may cost that is made while somebody waits: a small encoder on a CPU takes 2 s for
# so many, a GPU less.
_QUICK_PASSES = 8

# How one score is made of a word's tokens, by whether the scores are signed; the first is the default.
AGGREGATIONS = {True: ("sum", "max"), False: ("l2", "max")}

# LIT's salience panel overwrites the label of what it sends with the predicted class, and says so by this source.
_LITS_SALIENCE_PANEL = "SalienceMapModule"
_MEMO_SIZE = 512


@dataclass(frozen=True)
class MapQuestion:
    """What a panel asks to be explained.

    Attributes:
      explain: ``probe`` or ``model``, the checkpoint's own head.
      layer: number of the probe's layer; None for the one chosen on dev.
      target: ``predicted``, ``gold`` or ``class:NAME``.
      scalar: name in ``SCALARS``.
      options: options of the salience methods.
    """

    explain: str
    layer: int | None
    target: str
    scalar: str
    options: SalienceOptions


def _read_target(value: Any, name: str) -> str:
    if not isinstance(value, str) or not (value in (PREDICTED, GOLD) or value.startswith(CLASS_PREFIX)):
        raise LitProbeError(f"{name!r} must be {PREDICTED}, {GOLD}, or {CLASS_PREFIX} and the name of a class.")
    return value


def map_keys(scalar: str = "logit") -> Keys:
    """What a question about salience may say, every key with a default; ``scalar`` is that of its own key."""
    return {
        "explain": one_of(EXPLAINED, PROBE),
        # Which layers there are, the encoder says.
        "layer": one_layer(lowest=-10_000),
        "target": Key(_read_target, PREDICTED),
        "scalar": one_of(SCALARS, scalar),
        **OPTION_KEYS,
    }


def map_question(values: Mapping[str, Any]) -> MapQuestion:
    """What the values of `map_keys` ask."""
    return MapQuestion(values["explain"], values["layer"], values["target"], values["scalar"], options_of(values))


def options_of(values: Mapping[str, Any]) -> SalienceOptions:
    """What the values of `OPTION_KEYS` say."""
    return SalienceOptions(**{name: values[name] for name in OPTION_KEYS})


def question_of(config: object) -> MapQuestion:
    """Reads a configuration that has the keys of `map_keys` and no others.

    Raises:
      LitProbeError: a key or a value is unknown; the message says which ones there are.
    """
    return map_question(read_keys(config, map_keys()))


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map, with what a reader compares it with.

    Attributes:
      scores: the map.
      layer: the layer of the explained probe; None for the model's own head.
      class_names: the class names of what is explained, as LIT shows them.
      predicted_class: one of them.
      most_probable_class: another one, where the prediction is made beside the class shares of train.
      gold: the text's label, or None where it has none.
    """

    scores: TokenScores
    layer: int | None
    class_names: tuple[str, ...]
    predicted_class: str
    most_probable_class: str
    gold: Value | None

    @property
    def class_name(self) -> str:
        """The explained class, as LIT shows it."""
        return self.class_names[self.scores.target.class_index]

    @property
    def predicted_by(self) -> str:
        """The rule behind the prediction, where another class is more probable; else empty."""
        if self.predicted_class == self.most_probable_class:
            return ""
        return (
            f"“{self.predicted_class}” is predicted beside the class shares of train: its probability ÷ share of train is the "
            f"largest. The most probable class is “{self.most_probable_class}”."
        )


@dataclass(frozen=True, eq=False)
class PlannedMap:
    """A map that can be made: everything about it is known but the scores.

    Attributes:
      forward: the function that is explained, see `Forward`.
      method: a name in ``SALIENCE_METHODS``.
      text: the text of the example.
      target: the explained number.
      options: the options of the method.
      class_names: the class names of what is explained, as LIT shows them.
      predicted_class: one of them.
      most_probable_class: one of them; see `Explanation`.
      gold: the text's label, or None where it has none.
    """

    forward: Forward
    method: str
    text: str
    target: Target
    options: SalienceOptions
    class_names: tuple[str, ...]
    predicted_class: str
    most_probable_class: str
    gold: Value | None

    @property
    def key(self) -> tuple[Hashable, ...]:
        """Equal for equal maps."""
        used = tuple((name, getattr(self.options, name)) for name in SALIENCE_METHODS[self.method].uses)
        return self.forward.layer, self.method, self.text, self.target, used

    @cached_property
    def n_tokens(self) -> int:
        """What it costs; see `tokens_read`."""
        return tokens_read(self.forward, self.text, self.method, self.options)

    @property
    def most_tokens(self) -> int:
        """What a map may cost that somebody waits for."""
        return _QUICK_PASSES * self.forward.encoder.token_budget

    @property
    def is_quick(self) -> bool:
        """Whether it may be made while somebody waits. Others are made in the background and can be cancelled there."""
        return self.n_tokens <= self.most_tokens

    @property
    def n_passes(self) -> int:
        """About how many passes of the encoder it takes, 1 or more."""
        return max(1, self.n_tokens // self.forward.encoder.token_budget)


class Explainer:
    """All that is explained of one LIT model: its probes' answers, and its checkpoint's own.

    Args:
      model: an encoder with layer probes, which may still be in the making.
    """

    def __init__(self, model: ProbeModel):
        self._study = model.study
        self._encoder = model.encoder
        self._labels = model.labels
        self._label_names = model.label_names
        self._head_names = model.head_label_names
        self._numbered = is_numbered(model.dataset.splits)
        self._forwards: Memo[Hashable, Any] = Memo(model.encoder.n_layers + 1)
        self._predictions: Memo[Hashable, Any] = Memo(_MEMO_SIZE)
        self._maps: Memo[Hashable, Any] = Memo(_MEMO_SIZE)

    def status(self, question: MapQuestion) -> dict[str, Any] | None:
        """``computing`` or ``failed`` while what is asked has to wait for the probes; the model's own head never does."""
        return self._study.status() if question.explain == PROBE else None

    def forward(self, question: MapQuestion) -> Forward:
        """What is explained.

        Raises:
          LitProbeError: there is no such layer or no head, or the probes are not ready.
        """
        if question.explain == MODEL:
            return self._forwards.get(None, lambda: forward_of_model(self._encoder))
        study = self._study.result()
        layer = study.best_layer if question.layer is None else question.layer
        self._encoder.check_layer(layer)
        probe = study.layerwise.probes[layer]
        return self._forwards.get(
            layer,
            lambda: forward_of_probe(self._encoder, study.pooling, layer, probe, self._label_names, study.decision),
        )

    def explain(
        self, question: MapQuestion, method: str, example: Mapping[str, Any], dataset: lit_dataset.Dataset
    ) -> Explanation:
        """The map of one example by one method, however long it takes.

        Raises:
          LitProbeError: it cannot be made; the message says why.
        """
        return self.make(self.plan(question, method, example, dataset))

    def plan(self, question: MapQuestion, method: str, example: Mapping[str, Any], dataset: lit_dataset.Dataset) -> PlannedMap:
        """What `make` makes. This takes a pass of the encoder over the text at most.

        Raises:
          LitProbeError: the map cannot be made; the message says why.
        """
        text = fields.text_of(example)
        forward = self.forward(question)
        gold = gold_label(example, dataset, self._labels)
        predicted, most_probable = self._predicted(forward, text)
        of_predicted = question.target == PREDICTED or forward.gives_number
        target = forward.target(predicted if of_predicted else self.asked_class(question, forward, gold), question.scalar)
        names = self.class_names(forward)
        options = fitting(question.options, self._encoder)
        return PlannedMap(forward, method, text, target, options, names, names[predicted], names[most_probable], gold)

    def is_made(self, planned: PlannedMap) -> bool:
        """Whether the map is there already."""
        return self._maps.holds(planned.key)

    def make(self, planned: PlannedMap, check: Callable[[], None] | None = None) -> Explanation:
        """The map.

        Args:
          planned: the map as `plan` gave it.
          check: called before every pass of the encoder; an error that it raises ends the computation.

        Raises:
          LitProbeError: it cannot be made; the message says why.
        """
        forward = planned.forward
        scores = self._maps.get(
            planned.key, lambda: explain(forward, planned.text, planned.method, planned.target, planned.options, check)
        )
        return Explanation(
            scores, forward.layer, planned.class_names, planned.predicted_class, planned.most_probable_class, planned.gold
        )

    def compare_baselines(
        self, planned: PlannedMap, how: str, check: Callable[[], None] | None = None
    ) -> BaselineComparison | None:
        """How much the map depends on its baseline; the maps of other baselines are kept, too.

        Args:
          planned: the map as `plan` gave it.
          how: how one score is made of a word's tokens.
          check: see `make`.

        Raises:
          LitProbeError: it cannot be made; the message says why.
        """
        found = compare_baselines(
            planned.forward,
            planned.text,
            planned.method,
            planned.target,
            planned.options,
            how=how,
            make=lambda options: self.make(replace(planned, options=options), check).scores,
        )
        if found is None:
            return None
        names = dict(zip(planned.forward.class_names, planned.class_names, strict=True))
        return replace(found, class_name=names[found.class_name], baseline_class=names[found.baseline_class])

    def baseline_line(self, planned: PlannedMap, how: str) -> str:
        """What stands beside a map about its baseline: how far others change it, where that is quick, else where to read it.

        Args:
          planned: the map as `plan` gave it.
          how: how one score is made of a word's tokens.

        Returns:
          A sentence or two; empty for a method whose maps depend on no baseline.
        """
        method = SALIENCE_METHODS[planned.method]
        if not method.baseline:
            return ""
        n_maps = len(BASELINE_CHOICES if method.baseline == "baseline" else REPLACE_CHOICES)
        if n_maps * planned.n_tokens <= planned.most_tokens:
            found = self.compare_baselines(planned, how)
            assert found is not None
            return found.sentence()
        [note] = baseline_notes([method], planned.options)
        return note

    def head_classes(self) -> list[int] | None:
        """For each class of the probes its column in the checkpoint's own head; None where there is none."""
        return match_classes(self._head_names, self._label_names, numbered=self._numbered) if self._head_names else None

    def class_names(self, forward: Forward) -> tuple[str, ...]:
        """The classes that are told apart, as LIT shows them."""
        of_probe = forward.layer is not None and not forward.gives_number
        return self._label_names if of_probe else fields.shown_labels(forward.class_names)

    def class_index(self, forward: Forward, name: str) -> int | None:
        """The class that is called so by the probes or by the checkpoint's head; None where it is none of ``forward``'s."""
        own = self.class_names(forward)
        if name in own:
            return own.index(name)
        columns = self.head_classes()
        if columns is None or self._head_names is None:
            return None
        if forward.layer is None:
            return columns[self._label_names.index(name)] if name in self._label_names else None
        return columns.index(self._head_names.index(name)) if name in self._head_names else None

    def asked_class(self, question: MapQuestion, forward: Forward, gold: Value | None) -> int:
        """Index of the class that the question names, or of the gold one.

        Raises:
          LitProbeError: there is none, or what is explained does not know it.
        """
        name = gold if question.target == GOLD else question.target.removeprefix(CLASS_PREFIX)
        if not isinstance(name, str):
            raise LitProbeError(
                "The gold label of this text is not known: it has none, or it was edited and LIT has put the predicted class "
                "in its place. Choose a class by its name."
            )
        index = self.class_index(forward, name)
        if index is None:
            raise LitProbeError(
                f"{name!r} is no class of the {forward.name}, which tells {', '.join(self.class_names(forward))} apart."
            )
        return index

    def _predicted(self, forward: Forward, text: str) -> tuple[int, int]:
        """The predicted class, and the most probable one."""

        def predict() -> tuple[int, int]:
            [logits] = forward.logits_of(self._encoder.encode([text]))
            return int(forward.decided(logits)), int(logits.argmax())

        found: tuple[int, int] = self._predictions.get((forward.layer, text), predict)
        return found


def gold_label(example: Mapping[str, Any], dataset: lit_dataset.Dataset, labels: Labels) -> Value | None:
    """The example's true label, or None where it has none.

    LIT's salience panel puts the predicted class in the label's place. The row that it came from still has the true one; for
    an edited text, which the server does not keep, it is lost.
    """
    meta = example.get("_meta")
    if not isinstance(meta, Mapping) or meta.get("source") != _LITS_SALIENCE_PANEL:
        return labels.read(example)
    row = dataset.index.get(meta.get("parentId")) if isinstance(dataset, lit_dataset.IndexedDataset) else None
    return None if row is None else labels.read(row["data"])


@once_per_object
def explainer_of(model: ProbeModel) -> Explainer:
    """The model's explainer, made once."""
    return Explainer(model)
