"""The types of `page/types.js` against answers that a server gave: each declares exactly the fields that came."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TYPES = (HERE.parent.parent / "lit_probe" / "client" / "page" / "types.js").read_text()
RECORDED = json.loads((HERE / "recorded_answers.json").read_text())

# The type of each recorded answer.
TYPE_OF = {
    "layer_metrics": "LayerMetrics",
    "train_alone": "LayerMetrics",
    "layer_predictions": "LayerPredictions",
    "layer_comparison": "LayerComparison",
    "two_layers": "TwoLayers",
    "concept_map": "ConceptMap",
    "encoder_comparison": "EncoderComparison",
    "slice_comparison": "SliceComparison",
    "baseline_of_text": "MeasuredBaseline",
    "baseline_by_layer": "MeasuredBaseline",
    "selectivity": "Selectivity",
    "description_length": "DescriptionLength",
    "learning_curve": "LearningCurve",
    "calibration": "Calibration",
    "agreement": "Agreement",
    "repeats": "Repeats",
    "transfer": "Transfer",
    "layer_similarity": "LayerSimilarity",
    "similarity_series": "SimilaritySeries",
    "provenance": "Provenance",
    "report": "Report",
    "probe_file": "ProbeFile",
    "kept_probe_scores": "KeptProbeScores",
    "kept_probe_classes": "KeptProbeClasses",
    "salience_methods": "SalienceMethods",
    "salience_map": "SalienceMap",
    "salience_baselines": "BaselineComparison",
    "faithfulness": "Faithfulness",
    "stability": "Stability",
    "salient_words": "SalientWords",
    "neuron_choices": "NeuronCatalogue",
    "neuron_ranking": "NeuronRanking",
    "neuron_distribution": "NeuronDistribution",
    "neuron_column": "NeuronColumn",
    "neuron_words": "NeuronWords",
    "neuron_tokens": "NeuronTokens",
    "neuron_clusters": "NeuronClusters",
    "neuron_factors": "NeuronFactors",
    "ablated_texts": "AblatedTexts",
    "ablation_curve": "AblationCurve",
    "erasure": "Erasure",
    "neuron_evaluation": "RankingQuality",
    "minimal_set": "MinimalSet",
    "neuron_comparison": "RankingComparison",
    "counterfactual_by_layer": "Trajectory",
    "edit_salience": "EditSalience",
    "edit_neurons": "EditNeurons",
    "counterfactual_pairs": "CounterfactualPairs",
    "attention_heads": "AttentionHeads",
    "attention_head": "AttentionHead",
    "attention_units": "AttentionUnits",
    "projections": "Projections",
    "lens_about": "LensAbout",
    "lens_tokens": "LensTokens",
    "lens_classes": "LensClasses",
    "lens_curve": "LensCurve",
}


def braced(text: str) -> tuple[str, str]:
    """What stands inside the braces at the beginning, and what follows them.

    >>> braced("{{a: number}[]} name")
    ('{a: number}[]', ' name')
    """
    depth = 0
    for at, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0:
            return text[1:at], text[at + 1 :]
    raise ValueError(f"No closing brace: {text}")


def declared() -> dict[str, str]:
    """Type → its definition, ``@property`` lines written as an object's fields."""
    types: dict[str, str] = {}
    fields: dict[str, list[str]] = {}
    unwrapped = re.sub(r"\n \* {2,}", " ", TYPES)
    for line in re.findall(r"@(?:typedef|property) .*", unwrapped):
        tag, rest = line.split(" ", 1)
        kind, after = braced(rest)
        name = after.split()[0]
        if tag == "@typedef":
            current = name
            types[name] = kind
            fields[name] = []
        else:
            optional = name.startswith("[")
            fields[current].append(f"{name.strip('[]')}{'?' if optional else ''}: {kind}")
    return {name: "{" + ", ".join(fields[name]) + "}" if kind == "object" else kind for name, kind in types.items()}


DECLARED = declared()
TOKEN = re.compile(r"\s*('[^']*'|Record<string,|\w+|\[\]|=>|[?|&(){}\[\],:>])")


class Parser:
    """A type as nested tuples: ``("object", {name: (optional, type)})``, ``("list", type)``, ``("name", word)`` and so on."""

    def __init__(self, text: str):
        self.tokens = TOKEN.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), text

    def next(self, wanted: str | None = None) -> str:
        token = self.tokens.pop(0)
        assert wanted in (None, token), (wanted, token, self.tokens)
        return str(token)

    def ahead(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def union(self) -> Any:
        options = [self.sum()]
        while self.ahead() == "|":
            self.next()
            options.append(self.sum())
        return options[0] if len(options) == 1 else ("or", options)

    def sum(self) -> Any:
        parts = [self.item()]
        while self.ahead() == "&":
            self.next()
            parts.append(self.item())
        return parts[0] if len(parts) == 1 else ("and", parts)

    def item(self) -> Any:
        if self.ahead() == "?":
            self.next()
            return ("or", [self.item(), ("name", "null")])
        found = self.atom()
        while self.ahead() == "[]":
            self.next()
            found = ("list", found)
        return found

    def atom(self) -> Any:
        token = self.next()
        if token == "(":
            found = self.union()
            self.next(")")
            return found
        if token == "{":
            return ("object", dict(self.fields()))
        if token == "[":
            return ("tuple", list(self.entries()))
        if token.startswith("Record<"):
            found = ("record", self.union())
            self.next(">")
            return found
        return ("name", token)

    def fields(self) -> Iterator[tuple[str, tuple[bool, Any]]]:
        while self.ahead() != "}":
            name, optional = self.next(), self.ahead() == "?"
            if optional:
                self.next()
            self.next(":")
            yield name, (optional, self.union())
            if self.ahead() == ",":
                self.next()
        self.next("}")

    def entries(self) -> Iterator[Any]:
        while self.ahead() != "]":
            yield self.union()
            if self.ahead() == ",":
                self.next()
        self.next("]")


def resolved(kind: Any) -> Any:
    """A name as what it stands for; several objects in one."""
    if kind[0] == "name" and kind[1] in DECLARED:
        return resolved(Parser(DECLARED[kind[1]]).union())
    if kind[0] == "and":
        return ("object", {name: field for part in kind[1] for name, field in resolved(part)[1].items()})
    return kind


WORDS = {"string": str, "number": (int, float), "boolean": bool, "null": type(None)}


def faults(value: Any, kind: Any, where: str) -> list[str]:
    """Where a value is not as its type says."""
    shape, of = resolved(kind)
    if shape == "or":
        ways = [faults(value, option, where) for option in of]
        return min(ways, key=len)
    if shape == "name":
        if of.startswith("'"):
            return [] if value == of.strip("'") else [f"{where}: {value!r} is not {of}"]
        fits = of == "any" or (isinstance(value, WORDS[of]) and (of == "boolean") == isinstance(value, bool))
        return [] if fits else [f"{where}: {value!r} is no {of}"]
    if not isinstance(value, list if shape in ("list", "tuple") else dict):
        return [f"{where}: {value!r} is no {shape}"] * 2
    if shape == "list":
        return [fault for one in value for fault in faults(one, of, f"{where}[]")]
    if shape == "tuple":
        return [fault for one, entry in zip(value, of, strict=True) for fault in faults(one, entry, f"{where}[]")]
    if shape == "record":
        return [fault for name, one in value.items() for fault in faults(one, of, f"{where}.{name}")]
    needed = {name for name, (optional, _) in of.items() if not optional}
    return [
        *(f"{where}.{name} did not come" for name in sorted(needed - set(value))),
        *(f"{where}.{name} is not declared" for name in sorted(set(value) - set(of))),
        *(fault for name, one in value.items() if name in of for fault in faults(one, of[name][1], f"{where}.{name}")),
    ]


def test_every_recorded_answer_has_a_type():
    assert set(TYPE_OF) == set(RECORDED)


@pytest.mark.parametrize("answer", TYPE_OF)
def test_a_type_declares_exactly_the_fields_that_a_server_sent(answer: str):
    assert faults(RECORDED[answer], ("name", TYPE_OF[answer]), TYPE_OF[answer]) == []


def test_a_field_too_many_or_too_few_and_a_wrong_kind_are_found():
    answer = {**RECORDED["two_layers"], "more": 1, "layer": "3"}
    del answer["metric"]
    assert faults(answer, ("name", "TwoLayers"), "it") == [
        "it.metric did not come",
        "it.more is not declared",
        "it.layer: '3' is no number",
    ]
