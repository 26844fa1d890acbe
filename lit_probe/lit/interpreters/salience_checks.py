"""How far salience maps can be trusted, and which words matter over many texts; computed in the background when asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types

from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import one_of, settings_of, whole_number
from lit_probe.lit.host.dataset import stratified_sample
from lit_probe.lit.host.explaining import GOLD, PREDICTED, PROBE, Explainer, Question, explainer_of, question_of
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.model import ProbeModel, probe_model
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.probing.probe_forward import Forward
from lit_probe.progress import Progress
from lit_probe.registry import lookup
from lit_probe.salience import SALIENCE_METHODS
from lit_probe.salience.salient_words import salient_words
from lit_probe.salience.trust.faithfulness import faithfulness
from lit_probe.salience.trust.stability import salience_stability

_DEFAULT_SAMPLE = 100
_MAX_SAMPLE = 1_000


@dataclass(frozen=True)
class _Rows:
    """The texts that are looked at, in the order in which the result counts them."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    labels: tuple[int | None, ...]
    n_asked: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Asked:
    """What is asked about the rows: hashable, so that the same question is answered once."""

    question: Question
    target: str
    methods: tuple[str, ...]
    numbers: tuple[tuple[str, int], ...]

    def number(self, name: str) -> int:
        return dict(self.numbers)[name]


def _faithfulness(forward: Forward, rows: _Rows, asked: _Asked, progress: Progress) -> dict[str, Any]:
    question = asked.question
    return faithfulness(
        forward,
        rows.texts,
        rows.labels,
        asked.methods,
        question.options,
        scalar=question.scalar,
        seed=question.options.seed,
        progress=progress,
    ).to_json()


def _stability(forward: Forward, rows: _Rows, asked: _Asked, progress: Progress) -> dict[str, Any]:
    return salience_stability(
        forward,
        rows.texts,
        asked.methods,
        asked.question.options,
        n_seeds=asked.number("n_seeds"),
        scalar=asked.question.scalar,
        progress=progress,
    ).to_json()


def _words(forward: Forward, rows: _Rows, asked: _Asked, progress: Progress) -> dict[str, Any]:
    return salient_words(
        forward,
        rows.texts,
        asked.methods[0],
        asked.question.options,
        target=asked.target,
        labels=rows.labels,
        scalar=asked.question.scalar,
        min_count=asked.number("min_count"),
        top=asked.number("top"),
        progress=progress,
    ).to_json()


@dataclass(frozen=True)
class SalienceCheck:
    """One question about maps of many texts.

    Attributes:
      title: what people read.
      compute: answers it, JSON-ready.
      one_method: whether it is about one method (``method``), for any class; otherwise about several (``methods``), all by
        default, for the predicted class.
      scalar: the one that is meant where none is named.
      numbers: further whole numbers that may be set: smallest, largest, default.
    """

    title: str
    compute: Callable[[Forward, _Rows, _Asked, Progress], dict[str, Any]]
    one_method: bool = False
    scalar: str = "logit"
    numbers: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)


SALIENCE_CHECKS = {
    "faithfulness": SalienceCheck("Faithfulness", _faithfulness, scalar="probability"),
    "stability": SalienceCheck("Stability", _stability, numbers={"n_seeds": (2, 20, 5)}),
    "words": SalienceCheck("Salient words", _words, one_method=True, numbers={"min_count": (2, 1_000, 2), "top": (1, 200, 30)}),
}


class SalienceChecksInterpreter(ProbeInterpreter):
    """Are the maps faithful and stable, and which words matter most over many texts?"""

    def config_spec(self) -> types.Spec:
        """Which check."""
        return {"check": types.CategoryLabel(vocab=list(SALIENCE_CHECKS), default=next(iter(SALIENCE_CHECKS)), required=True)}

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The check's result, or how far it is: the first to ask starts it, and nobody waits for it.

        Args:
          inputs: the rows, edited ones too; of more than ``sample`` a seeded sample. None for a sample of the dev rows.
          model: an encoder with layer probes.
          dataset: that the rows belong to.
          model_outputs: not used.
          config: ``check``, a name in ``SALIENCE_CHECKS``; what ``explaining.question_of`` reads; ``sample``, how many rows at
            most; ``methods`` or ``method`` and the numbers that the check takes; ``"cancel": true`` to end the computation.

        Returns:
          ``status``: ``ready`` with ``check``, ``check_title``, ``rows`` and the result; ``computing`` with ``message`` and
          ``fraction``; ``failed`` with ``message``; ``cancelled``. ``rows`` holds the ``ids`` in the order in which the result
          counts texts, ``n_asked`` (how many there were to choose from) and ``source``: ``selection`` or ``dev``.

        Raises:
          LitProbeError: the configuration cannot be understood, or a row has no text.
        """
        settings, probes = settings_of(config), probe_model(model)
        name = one_of(settings, "check", SALIENCE_CHECKS)
        check = SALIENCE_CHECKS[name]
        asked = _asked(settings, check)
        n_wanted = whole_number(settings, "sample", 2, _MAX_SAMPLE, default=_DEFAULT_SAMPLE)
        explainer = explainer_of(probes)
        if status := explainer.status(asked.question):
            return status
        try:
            forward = explainer.forward(asked.question)
            asked = _settled(asked, explainer, forward)
        except LitProbeError as error:
            return {"status": "failed", "message": plain_message(str(error))}
        rows = _rows(inputs or _dev_rows(dataset), probes, n_wanted, asked.question, forward)
        source = "selection" if inputs else "dev"
        key: Hashable = (probes.name, name, asked, rows.ids, rows.texts, rows.labels)
        title = f"{check.title} of the {forward.name} of {probes.name}"
        if settings.get("cancel"):
            answer = probes.checks.cancel(key, title)
        else:
            answer = probes.checks.ask(key, title, lambda progress: check.compute(forward, rows, asked, progress), quick=False)
        if answer["status"] != "ready":
            return answer
        notes = [*answer["notes"], *rows.notes]
        looked_at = {"ids": list(rows.ids), "n_asked": rows.n_asked, "source": source}
        return {"check": name, "check_title": check.title, **answer, "rows": looked_at, "notes": notes}


def _asked(settings: Mapping[str, Any], check: SalienceCheck) -> _Asked:
    further = ("check", "sample", "cancel", "method" if check.one_method else "methods", *check.numbers)
    question = question_of(settings, further, scalar=check.scalar)
    if question.target != PREDICTED and not check.one_method:
        raise LitProbeError(f"{check.title} over many texts explains the predicted class of each, and no other.")
    if check.one_method:
        methods: Any = [one_of(settings, "method", SALIENCE_METHODS)]
    else:
        methods = settings.get("methods", list(SALIENCE_METHODS))
        if not isinstance(methods, list) or not methods or not all(isinstance(method, str) for method in methods):
            raise LitProbeError("'methods' must be a list of names, such as ['lime', 'occlusion'].")
        for method in methods:
            lookup(SALIENCE_METHODS, method, "salience method")
    numbers = {name: whole_number(settings, name, low, high, default) for name, (low, high, default) in check.numbers.items()}
    return _Asked(question, question.target, tuple(methods), tuple(numbers.items()))


def _settled(asked: _Asked, explainer: Explainer, forward: Forward) -> _Asked:
    """The same question with the number of the layer, and with the class by the name that what is explained has for it."""
    question = replace(asked.question, layer=forward.layer)
    if question.target in (PREDICTED, GOLD):
        return replace(asked, question=question)
    return replace(asked, question=question, target=forward.class_names[explainer.asked_class(question, forward, None)])


def _dev_rows(dataset: lit_dataset.Dataset) -> list[types.JsonDict]:
    return [example for example in dataset.examples if fields.split_of(example) == "dev"]


def _rows(candidates: Sequence[types.JsonDict], model: ProbeModel, n_wanted: int, question: Question, forward: Forward) -> _Rows:
    """The rows that are looked at: of too many a sample in their order, with every label in its share."""
    named = [fields.label_of(example, model.label_names) for example in candidates]
    groups = np.array([-1 if name is None else model.label_names.index(name) for name in named], dtype=np.int64)
    chosen = stratified_sample(groups, n_wanted, question.options.seed).tolist()
    examples, explainer = [candidates[index] for index in chosen], explainer_of(model)
    labels = (fields.label_of(example, model.label_names) for example in examples)
    n_trained_on = sum(fields.split_of(example) == "train" and not fields.is_edited(example) for example in examples)
    notes = []
    if n_trained_on and question.explain == PROBE:
        notes.append(f"{n_trained_on:,} of the {len(examples):,} rows are train rows, which probes were fitted on.")
    return _Rows(
        ids=tuple(str(example.get("_id", "")) for example in examples),
        texts=tuple(fields.text_of(example) for example in examples),
        labels=tuple(None if name is None else explainer.class_index(forward, name) for name in labels),
        n_asked=len(candidates),
        notes=tuple(notes),
    )
