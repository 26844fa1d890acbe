"""What single neurons do: by class, on which words, on every token of a text, and together with which others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD, UnitKind
from lit_probe.data.labelled_texts import SplitName, clean_text
from lit_probe.encoder.alignment import align
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import any_text, flag, maybe, number, one_layer, one_of, whole_number
from lit_probe.lit.host.dataset import stratified_sample
from lit_probe.lit.interpreters.neuron_questions import (
    MAX_TEXTS,
    RANKING_KEYS,
    RankingQuestion,
    ask_kept,
    few_texts,
    one_unit,
    ranked,
    some_units,
    units_of,
)
from lit_probe.lit.interpreters.probe_interpreter import Part, ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.neurons.meaning.neuron_clusters import THRESHOLD, correlation_clusters
from lit_probe.neurons.meaning.neuron_evidence import activation_distribution, token_activations
from lit_probe.neurons.meaning.neuron_factors import neuron_factors
from lit_probe.neurons.meaning.top_words import ENDS, UnitWords, top_words, top_words_of_rows, with_surroundings, with_tags

# Test is scored once, at the end: nobody chooses neurons by it.
_SPLITS: tuple[SplitName, ...] = ("dev", "train")
_MAX_UNITS = 20


def _pooled(question: Question, texts: Sequence[str], unit: int) -> list[float]:
    """The neuron's pooled activation of each text."""
    layer = question.layer
    values = [float(text.values[layer][unit]) for text in question.probes.pooled(texts).texts]
    n_bad = int((~np.isfinite(values)).sum())
    if n_bad:
        raise LitProbeError(f"Neuron {layer}:{unit}: {n_bad} of {len(values)} activations are NaN or infinite.")
    return values


def _distribution(question: Question) -> dict[str, Any]:
    (unit,) = units_of(question, [question["unit"]])
    found = activation_distribution(question.study, question.layer, unit, question["split"]).to_json()
    names = question.probes.label_names
    found["classes"] = [{**one, "label": label} for one, label in zip(found["classes"], names, strict=True)]
    # A sentence has no activation of its own where rows are words.
    sent = question.texts and question.probes.unit == TEXT
    return {**found, "inputs": _pooled(question, few_texts(question), unit) if sent else []}


def _column(question: Question) -> dict[str, Any]:
    (unit,) = units_of(question, [question["unit"]])
    return {
        "layer": question.layer,
        "unit": unit,
        "name": f"{question.layer}:{unit}",
        # LIT's columns are named without colons.
        "column": f"neuron_{question.layer}.{unit}",
        "pooling": question.study.pooling,
        "values": _pooled(question, question.texts, unit),
    }


def _tokens(question: Question) -> dict[str, Any]:
    names = question["units"] if question["unit"] is None else [question["unit"]]
    units, texts = units_of(question, names), few_texts(question)
    found = token_activations(question.study.encoder, texts, question.layer, units)
    # A sentence has no activation of its own where rows are words.
    pooled = [_pooled(question, texts, unit) for unit in units] if question.probes.unit == TEXT else None
    return {
        "layer": question.layer,
        "units": list(units),
        "pooling": question.study.pooling,
        "texts": [
            {
                **one.to_json(),
                "pooled": None if pooled is None else [of_unit[place] for of_unit in pooled],
                "aligned": _places_in(found[0].tokens, one.tokens) if place else None,
            }
            for place, one in enumerate(found)
        ],
        "largest": [
            max(float(np.abs(one.values[row, ~np.array(one.special, dtype=bool)]).max(initial=0.0)) for one in found)
            for row in range(len(units))
        ],
    }


def _places_in(first: Sequence[str], other: Sequence[str]) -> list[int | None]:
    """Where each token of the other text stands in the first one; None where it does not."""
    places: list[int | None] = [None] * len(other)
    for there, here in align(first, other).tolist():
        places[here] = there
    return places


def _words(question: Question) -> dict[str, Any]:
    texts, words = _WORDS[question.probes.unit](question)
    answer = words.to_json()
    for end in ENDS:
        answer[end]["contexts"] = [
            {**context, "id": _shown_id(question, texts[context["text"]])} for context in answer[end]["contexts"]
        ]
    return {**answer, "split": question["split"]}


def _of_texts(question: Question) -> tuple[Sequence[str], UnitWords]:
    (unit,) = units_of(question, [question["unit"]])
    layer, split, top, min_count = question.layer, question["split"], question["top"], question["min_count"]
    encoder, texts = question.study.encoder, dict(question.study.splits.items())[split].texts
    cache = question.probes.checks.cache
    found = question.ask(
        ("words", layer, split, top, min_count),
        f"Top words of the neurons of layer {layer} ({split})",
        lambda progress: {"words": top_words(encoder, texts, layer, top, min_count=min_count, cache=cache, progress=progress)},
    )
    return texts, with_surroundings(found["words"].of_unit(unit), encoder, texts)


def _of_words(question: Question) -> tuple[Sequence[str], UnitWords]:
    (unit,) = units_of(question, [question["unit"]])
    layer, split, top, min_count = question.layer, question["split"], question["top"], question["min_count"]
    rows, made, name = dict(question.study.splits.items())[split], question.study.activations[split], question["tag"]
    tag = None if name is None else question.probes.label_names.index(name)
    among = "" if name is None else f", {name} alone"
    found = question.ask(
        ("words", layer, split, top, min_count, tag),
        f"Top words of the neurons of layer {layer} ({split}{among})",
        lambda progress: {"words": top_words_of_rows(rows, made, layer, top, tag=tag, min_count=min_count, progress=progress)},
        quick=True,
    )
    return rows.whole_texts, with_tags(found["words"].of_unit(unit), rows)


# The top words of a neuron, and the texts that their contexts count.
_WORDS: dict[UnitKind, Callable[[Question], tuple[Sequence[str], UnitWords]]] = {TEXT: _of_texts, WORD: _of_words}


def _shown_id(question: Question, text: str) -> str | None:
    """LIT's id of the row with this text; None where LIT does not show it."""
    place = None if question.shown is None else question.shown.position(clean_text(text))
    return None if place is None else question.dataset.examples[place].get("_id")


def _clusters(question: Question) -> dict[str, Any]:
    layer, threshold, train = question.layer, question["threshold"], question.study.activations["train"]
    unit = None if question["unit"] is None else units_of(question, [question["unit"]])[0]
    ranking = None if question["method"] is None else RankingQuestion.of(question)
    living = np.flatnonzero(question.study.layerwise.probes[layer].living)
    if unit is not None and unit not in living:
        raise LitProbeError(f"Neuron {layer}:{unit} does not vary on train, so it fires together with none. Choose another one.")

    def compute(progress: object) -> dict[str, Any]:
        order = None if ranking is None else ranked(question, ranking).order
        return correlation_clusters(np.ascontiguousarray(train.layer(layer)[:, living]), threshold, order=order).to_json(living)

    facts = {
        "part": "clusters",
        "layer": layer,
        "threshold": threshold,
        "order": None if ranking is None else ranking.facts,
    }
    found = ask_kept(question, facts, f"Clusters of the neurons of layer {layer}", compute)
    places = [place for place, one in enumerate(found["clusters"]) if unit in one["units"]]
    return {**found, "layer": layer, "n": len(train), "cluster": places[0] if places else None}


def _factors(question: Question) -> dict[str, Any]:
    encoder, n_components, seed, special = question.study.encoder, question["components"], question["seed"], question["special"]
    candidates = question.rows
    chosen = stratified_sample(np.zeros(len(candidates), dtype=np.int64), question["sample"], seed).tolist()
    texts = [fields.text_of(candidates[row]) for row in chosen]
    layers = (question["first"], encoder.at_layers.n_layers - 1 if question["last"] is None else question["last"])
    found = question.ask(
        ("factors", layers, n_components, seed, special, tuple(texts)),
        f"Factors of the feed-forward neurons of layers {layers[0]} to {layers[1]}",
        lambda progress: neuron_factors(encoder, texts, layers, n_components, seed, special=special, progress=progress).to_json(),
        quick=len(texts) <= MAX_TEXTS,
    )
    ids = [str(candidates[row].get("_id", "")) for row in chosen]
    # Texts that are few stand side by side.
    first = found["texts"][0]["tokens"] if len(texts) <= MAX_TEXTS else None
    aligned = [
        None if first is None or not place else _places_in(first, one["tokens"]) for place, one in enumerate(found["texts"])
    ]
    return {
        **found,
        "texts": [{**one, "aligned": places} for one, places in zip(found["texts"], aligned, strict=True)],
        "rows": {"ids": ids, "n_asked": len(candidates), "source": question.source},
    }


# What neurons are on is the same whatever is asked of the rows.
_BOTH = (CLASSES, NUMBER)

EVIDENCE_PARTS = {
    # The texts that are sent are marked in it.
    "distribution": Part(
        {"layer": one_layer(), "unit": one_unit(), "split": one_of(_SPLITS, "dev")}, _distribution, (TEXT, WORD)
    ),
    "words": Part(
        {
            "layer": one_layer(),
            "unit": one_unit(),
            "split": one_of(_SPLITS, "dev"),
            "top": whole_number(1, 100, default=20),
            "min_count": whole_number(1, 1_000, default=2),
            # Where rows are words: those with this tag alone.
            "tag": maybe(any_text()),
            "cancel": flag(),
        },
        _words,
        (TEXT, WORD),
        _BOTH,
    ),
    "tokens": Part(
        {"layer": one_layer(), "unit": maybe(one_unit()), "units": maybe(some_units(_MAX_UNITS))}, _tokens, (TEXT, WORD), _BOTH
    ),
    # The pooled activation for every input, for a column of LIT's table.
    "column": Part({"layer": one_layer(), "unit": one_unit()}, _column, targets=_BOTH),
    # Where a ranking is named, its best neuron stands for each cluster; ``unit`` is the one whose cluster is looked for.
    "clusters": Part(
        {
            **RANKING_KEYS,
            "method": maybe(RANKING_KEYS["method"]),
            "layer": one_layer(),
            "threshold": number(0, 1, default=THRESHOLD),
            "unit": maybe(one_unit()),
            "cancel": flag(),
        },
        _clusters,
        (TEXT, WORD),
        _BOTH,
    ),
    # Of the texts that are sent, or of a sample of the dev rows.
    "factors": Part(
        {
            "first": whole_number(0, 10_000, default=1),
            "last": whole_number(0, 10_000, default=None),
            "components": maybe(whole_number(1, 50)),
            "seed": whole_number(0, 2**32 - 1, default=0),
            "special": flag(),
            "sample": whole_number(1, 1_000, default=100),
            "cancel": flag(),
        },
        _factors,
        (TEXT, WORD),
        _BOTH,
    ),
}


class NeuronEvidenceInterpreter(ProbeInterpreter):
    """On what does a neuron fire from which the concept is decodable?"""

    keys = {"part": one_of(EVIDENCE_PARTS)}
    by = "part"
    parts = EVIDENCE_PARTS
    further = {name: part.keys for name, part in EVIDENCE_PARTS.items()}
    form = ("part",)
    units = (TEXT, WORD)
    reads_texts = True

    def check(self, question: Question) -> None:
        """Tokens are shown for one neuron, or for several, and not for both."""
        if question["part"] == "tokens" and (question["unit"] is None) == (question["units"] is None):
            raise LitProbeError("Name one neuron as 'unit', or several as 'units'.")
        if question.values.get("tag") is not None:
            if question.probes.unit != WORD:
                raise LitProbeError("Leave 'tag' away: only the rows of a data set of words have tags.")
            one_of(question.probes.label_names).of(question.values, "tag")

    def answer(self, question: Question) -> dict[str, Any]:
        """What the library's function gives for the part, with the rows and words that people look for."""
        return EVIDENCE_PARTS[question["part"]].answer(question)
