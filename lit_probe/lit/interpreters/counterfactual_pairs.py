"""How the probes of all layers follow many edits: the pairs of a data set, or those that were edited on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lit_nlp.api import types

from lit_probe.counterfactuals.over_pairs import over_groups, over_pairs, pairs_of
from lit_probe.counterfactuals.pair_changes import compare_pairs
from lit_probe.counterfactuals.rules import RULE_TITLES, UNKNOWN
from lit_probe.data.labelled_texts import clean_text
from lit_probe.errors import DatasetError, LitProbeError
from lit_probe.lit.host import fields, specs
from lit_probe.lit.host.config_values import any_text, flag, one_of
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.fields import EXPECTATION, RULE
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.lit.interpreters.train_geometries import geometry_of
from lit_probe.results import as_json

DATASET, SENT = "dataset", "sent"
DEFAULT_COLUMN = "pair_id"
# Tells edits made on the page by the rule or generator that made them apart. No field's name begins so.
BY_RULE = "_rule"
_NO_VALUE = "(none)"
_BY_HAND = "by hand"


@dataclass(frozen=True)
class _Side:
    """One text of a pair."""

    text: str
    label: str
    id: str | None


@dataclass(frozen=True)
class _FoundPair:
    """An original and its edit; ``judged`` where it is known what becomes of the label."""

    name: str
    original: _Side
    edit: _Side
    value: str
    group: str
    judged: bool = True


@dataclass(frozen=True)
class _Found:
    """The pairs that a question is about: hashable, so that the same question is answered once."""

    pairs: tuple[_FoundPair, ...]
    grouped: bool
    notes: tuple[str, ...]


class CounterfactualPairsInterpreter(ProbeInterpreter):
    """Do the probes follow the edits, at which layers, and on which kinds of edits do they not?"""

    keys = {
        # The pairs of the data set, or those that were sent: original, edit, original, edit, and so on.
        "source": one_of((DATASET, SENT), DATASET),
        # The field with the ids of the pairs.
        "column": any_text(DEFAULT_COLUMN),
        # A field whose values are looked at by themselves, or `BY_RULE`; empty for all together.
        "by": any_text(""),
        "cancel": flag(),
    }
    form = ("source",)
    waits_for_rows = True

    def answer(self, question: Question) -> dict[str, Any]:
        """The sums over all pairs and over those of each kind. Of a data set only dev rows are looked at: test is scored once.

        Returns:
          What `over_pairs` gives, ``kinds`` as `over_groups` gives them (none without ``by``), ``pairs``, each with ``name``,
          ``ids`` in LIT (None where LIT does not show the row), ``labels`` and ``value``; ``best_layer``, ``n_layers``, what the
          probes are, ``notes``, and the keys that were asked by.
        """
        probes, source, column, by = question.probes, question["source"], question["column"], question["by"]
        found = _sent(question.inputs, probes, by) if source == SENT else _of_dataset(question, column, by)
        answer = question.ask((found, by), "Pairs", lambda progress: _over(found, probes, by), of=probes.name, quick=True)
        return {**answer, "source": source, "column": column, "by": by}


def _over(found: _Found, probes: ProbeModel, by: str) -> dict[str, Any]:
    study, pairs = probes.study.result(), found.pairs
    originals, edits = (probes.pooled([side.text for side in sides]) for sides in _sides(pairs))
    changes = compare_pairs(study, originals, edits, geometry_of(probes.study))
    before, after = (np.array([probes.label_names.index(side.label) for side in sides]) for sides in _sides(pairs))
    groups = [pair.group for pair in pairs] if found.grouped else None
    values, judged = [pair.value for pair in pairs], [pair.judged for pair in pairs]
    return {
        **over_pairs(changes, before, after, groups, study.seed, judged=judged).to_json(),
        "kinds": as_json(over_groups(changes, before, after, values, groups, study.seed, judged=judged) if by else []),
        "pairs": [
            {
                "name": pair.name,
                "ids": [pair.original.id, pair.edit.id],
                "labels": [pair.original.label, pair.edit.label],
                "value": pair.value,
            }
            for pair in pairs
        ],
        "best_layer": study.best_layer,
        "n_layers": study.encoder.n_layers,
        "layer_names": probes.layer_names,
        "sites": probes.sites,
        "label_names": list(probes.label_names),
        "encoder": study.encoder.name,
        "pooling": study.pooling,
        "probe": study.layerwise.kind,
        "trained_on": study.splits.name,
        "notes": list(found.notes),
    }


def _sides(pairs: Sequence[_FoundPair]) -> tuple[list[_Side], list[_Side]]:
    return [pair.original for pair in pairs], [pair.edit for pair in pairs]


def _of_dataset(question: Question, column: str, by: str) -> _Found:
    """The pairs among the dev rows.

    Raises:
      LitProbeError: there are none, or their labels are not the probes'.
    """
    shown, dataset, probes = question.shown, question.dataset, question.probes
    if shown is None:
        raise DatasetError("This data set has no rows, so it holds no pairs.")
    if shown.splits.label_names != probes.study.splits.label_names:
        raise DatasetError(
            f"The labels of {shown.name} ({', '.join(shown.label_names)}) are not those that the probes tell apart "
            f"({', '.join(probes.label_names)}): whether the probes follow its pairs cannot be said."
        )
    dev = shown.splits.dev
    names = _column(shown, column)
    values = _column(shown, by) if by else [""] * len(dev)
    try:
        pairs = pairs_of(names)
    except DatasetError as error:
        raise DatasetError(f"Among the dev rows of {shown.name}, by the column {column}: {error}") from error
    texts = [clean_text(text) for text in dev.texts]
    seen = probes.seen_in_training(shown, texts)
    notes = list(pairs.notes)

    def side(row: int) -> _Side:
        place = shown.position(texts[row])
        return _Side(
            text=texts[row],
            label=shown.label_names[dev.labels[row]],
            id=None if place is None else str(dataset.examples[place].get("_id", "")),
        )

    kept = [(name, rows) for name, rows in zip(pairs.names, pairs.rows, strict=True) if not seen & {texts[row] for row in rows}]
    if n_seen := len(pairs.rows) - len(kept):
        notes.append(f"{n_seen:,} of the pairs are left out: the probes know a text of theirs from training.")
    if not kept:
        raise DatasetError(f"The probes know a text of every pair of {shown.name} from training: none is left to look at.")
    found = tuple(
        _FoundPair(name, side(one), side(other), values[one] or _NO_VALUE, str(name if dev.groups is None else dev.groups[one]))
        for name, (one, other) in kept
    )
    n_hidden = sum(None in (pair.original.id, pair.edit.id) for pair in found)
    if n_hidden:
        notes.append(f"{n_hidden:,} of the pairs are counted, but cannot be selected: LIT shows a sample of the rows.")
    notes.append("The earlier row of a pair is taken for the original. With two classes it makes no difference which one it is.")
    return _Found(found, dev.groups is not None, tuple(notes))


def _column(shown: ProbeDataset, field: str) -> list[str]:
    """A source's own column in the dev rows, as strings.

    Raises:
      DatasetError: LIT shows no such column.
    """
    if field not in shown.columns:
        there = f"Its columns are {', '.join(shown.columns)}." if shown.columns else "It has none beside texts and labels."
        raise DatasetError(f"The data set {shown.name} has no column {field!r}. {there}")
    return [specs.column_value(value) for value in shown.splits.dev.columns[shown.columns[field]]]


def _sent(inputs: Sequence[types.JsonDict], probes: ProbeModel, by: str) -> _Found:
    """The pairs that a page has sent.

    Raises:
      LitProbeError: there are none, an original has no edit, or no pair has labels that the probes know.
    """
    if not inputs or len(inputs) % 2:
        raise LitProbeError(
            f"Pairs are sent as original and edit, one after the other; {len(inputs):,} examples came, so one lacks its partner."
            if inputs
            else "There is no pair of an example and its edit yet."
        )
    originals, edits = inputs[::2], inputs[1::2]
    labels = [[fields.label_of(example, probes.label_names) for example in side] for side in (originals, edits)]
    pairs, n_empty, n_unlabelled, n_trained_on = [], 0, 0, 0
    for original, edit, before, after in zip(originals, edits, *labels, strict=True):
        texts = fields.text_of(original), fields.text_of(edit)
        if not all(text.strip() for text in texts):
            n_empty += 1
        elif before is None or after is None:
            n_unlabelled += 1
        else:
            n_trained_on += fields.split_of(original) == "train"
            made = [example.get("_meta") or {} for example in (original, edit)]
            # An edit of an edit: the label that it starts from is not known either.
            judged = all(notes.get(EXPECTATION) != UNKNOWN for notes in made)
            name = str(original.get("_id", ""))
            value = _maker(made[1]) if by == BY_RULE else original.get(by) if by else ""
            pairs.append(
                _FoundPair(
                    name=name,
                    original=_Side(texts[0], before, name),
                    edit=_Side(texts[1], after, str(edit.get("_id", ""))),
                    value=_NO_VALUE if value in (None, "") else str(value),
                    # Edits of one text are not independent of one another.
                    group=name,
                    judged=judged,
                )
            )
    notes = []
    if n_empty:
        notes.append(f"{n_empty:,} of the pairs are left out: one of their texts is empty.")
    if n_unlabelled:
        classes = ", ".join(probes.label_names)
        notes.append(f"{n_unlabelled:,} of the pairs are left out: a label is none of those that the probes know ({classes}).")
    if not pairs:
        raise LitProbeError(" ".join(["No pair can be looked at.", *notes]))
    if n_trained_on:
        notes.append(f"The originals of {n_trained_on:,} of the pairs are train rows, which the probes were fitted on.")
    notes.append(
        "An edit counts with the label that it has in LIT: the original’s, unless it was changed in the editor. Edits are in no "
        "other score."
    )
    return _Found(tuple(pairs), True, tuple(notes))


def _maker(made: Mapping[str, Any]) -> str:
    """What made an edit: the rule, where it is one of a table, else the generator, whose rule names the very words."""
    rule = made.get(RULE)
    if rule is None:
        return _BY_HAND
    return str(rule if rule in RULE_TITLES else made.get("source") or rule)
