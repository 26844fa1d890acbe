"""How far salience maps can be trusted, and which words matter over many texts; computed in the background when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from lit_nlp.api import types

from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import Key, Keys, flag, one_of, whole_number
from lit_probe.lit.host.dataset import stratified_sample
from lit_probe.lit.host.explaining import GOLD, PREDICTED, PROBE, Explainer, MapQuestion, explainer_of, map_keys, map_question
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.probing.probe_forward import Forward
from lit_probe.progress import Progress
from lit_probe.registry import lookup
from lit_probe.salience import EXPLAINING_METHODS, SALIENCE_METHODS
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

    question: MapQuestion
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


def _read_methods(value: Any, name: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(method, str) for method in value):
        raise LitProbeError(f"{name!r} must be a list of names, such as ['lime', 'occlusion'].")
    for method in value:
        lookup(SALIENCE_METHODS, method, "salience method")
    return value


_METHODS = Key(_read_methods, list(SALIENCE_METHODS))


@dataclass(frozen=True)
class SalienceCheck:
    """One question about maps of many texts.

    Attributes:
      title: what people read.
      compute: answers it, JSON-ready.
      one_method: whether it is about one method (``method``), for any class; otherwise about several (``methods``), all by
        default, for the predicted class.
      scalar: the one that is meant where none is named.
      numbers: further whole numbers that may be set.
    """

    title: str
    compute: Callable[[Forward, _Rows, _Asked, Progress], dict[str, Any]]
    one_method: bool = False
    scalar: str = "logit"
    numbers: Keys = field(default_factory=dict)

    @property
    def keys(self) -> Keys:
        """What a question about it may say."""
        name, methods = ("method", one_of(EXPLAINING_METHODS)) if self.one_method else ("methods", _METHODS)
        return {**map_keys(self.scalar), name: methods, **self.numbers}


SALIENCE_CHECKS = {
    "faithfulness": SalienceCheck("Faithfulness", _faithfulness, scalar="probability"),
    "stability": SalienceCheck("Stability", _stability, numbers={"n_seeds": whole_number(2, 20, 5)}),
    "words": SalienceCheck(
        "Salient words",
        _words,
        one_method=True,
        numbers={"min_count": whole_number(2, 1_000, 2), "top": whole_number(1, 200, 30)},
    ),
}


class SalienceChecksInterpreter(ProbeInterpreter):
    """Are the maps faithful and stable, and which words matter most over many texts?"""

    needs = "its tokens and gradients"
    keys = {
        "check": one_of(SALIENCE_CHECKS),
        # How many rows at most; of more a seeded sample.
        "sample": whole_number(2, _MAX_SAMPLE, default=_DEFAULT_SAMPLE),
        "cancel": flag(),
    }
    by = "check"
    further = {name: check.keys for name, check in SALIENCE_CHECKS.items()}
    form = ("check",)
    reads_texts = True

    def check(self, question: Question) -> None:
        """Only a check of one method can be about another class than the predicted one."""
        check = SALIENCE_CHECKS[question["check"]]
        if question["target"] != PREDICTED and not check.one_method:
            raise LitProbeError(f"{check.title} over many texts explains the predicted class of each, and no other.")

    def waits_for(self, question: Question) -> dict[str, Any] | None:
        """The model's own predictions need not wait for the probes."""
        return explainer_of(question.probes).status(map_question(question.values))

    def answer(self, question: Question) -> dict[str, Any]:
        """The check's result about the examples, edited ones too, or about dev rows where none are sent.

        Returns:
          ``check``, ``check_title``, the result and ``rows``: their ``ids`` in the order in which the result counts texts,
          ``n_asked`` (how many there were to choose from) and ``source``: ``selection`` or ``dev``.
        """
        probes, name = question.probes, question["check"]
        check, explainer = SALIENCE_CHECKS[name], explainer_of(probes)
        forward = explainer.forward(map_question(question.values))
        asked = _settled(question, check, explainer, forward)
        rows = _rows(question.rows, probes, question["sample"], asked.question, forward)
        answer = question.ask(
            (name, asked, rows.ids, rows.texts, rows.labels),
            f"{check.title} of the {forward.name}",
            lambda progress: check.compute(forward, rows, asked, progress),
            of=probes.name,
        )
        notes = [*answer["notes"], *rows.notes]
        looked_at = {"ids": list(rows.ids), "n_asked": rows.n_asked, "source": question.source}
        return {"check": name, "check_title": check.title, **answer, "rows": looked_at, "notes": notes}


def _settled(question: Question, check: SalienceCheck, explainer: Explainer, forward: Forward) -> _Asked:
    """The question with the number of the layer, and with the class by the name that what is explained has for it."""
    asked = replace(map_question(question.values), layer=forward.layer)
    target = asked.target
    if target not in (PREDICTED, GOLD):
        target = forward.class_names[explainer.asked_class(asked, forward, None)]
    methods = [question["method"]] if check.one_method else question["methods"]
    return _Asked(asked, target, tuple(methods), tuple((name, question[name]) for name in check.numbers))


def _rows(
    candidates: Sequence[types.JsonDict], model: ProbeModel, n_wanted: int, question: MapQuestion, forward: Forward
) -> _Rows:
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
