"""From which neurons the concept is decodable: the ranked neurons of a layer, or of all layers together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.lit.host.config_values import ALL_LAYERS, any_text, flag, maybe, number, one_layer, one_of, whole_number
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.interpreters.neuron_questions import (
    RANKING_KEYS,
    RankingQuestion,
    kept,
    key_of,
    option_choices,
    ranked,
)
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.neurons.effects.ablation import REPLACEMENTS
from lit_probe.neurons.rankings import RANKINGS, NeuronRanking
from lit_probe.neurons.rankings.judge import EVALUATORS
from lit_probe.neurons.rankings.neuron_stability import neuron_stability

# Which neurons of a ranking are listed; the first is the default.
SELECTIONS = ("top", "bottom", "random", "threshold", "mass")
_DEFAULT_TOP = 50
_NOTE = "A high place says that the concept is decodable from the neuron. Whether the model needs it, only its ablation tells."


class NeuronRankingInterpreter(ProbeInterpreter):
    """From which neurons of a layer is the concept decodable?"""

    # ``choices`` asks what can be asked, and nothing else. ``select`` goes with ``top`` (how many; 50 or all by default),
    # ``threshold`` (fraction of the largest score) or ``share`` (of the sum of scores); ``class`` orders by one class's scores.
    keys = {"choices": flag()}
    by = "choices"
    further = {
        False: {
            **RANKING_KEYS,
            "layer": one_layer(takes_all=True),
            "select": one_of(SELECTIONS, SELECTIONS[0]),
            "top": whole_number(0, 1_000_000, default=None),
            "threshold": number(0, 1, default=0.5),
            "share": number(0, 1, default=0.5),
            "class": maybe(any_text()),
            "stability": flag(),
            "cancel": flag(),
        }
    }
    form = ("method",)
    units = (TEXT, WORD)
    targets = (CLASSES, NUMBER)

    def check(self, question: Question) -> None:
        """Refuses a class that the probes do not know."""
        if question.values.get("class") is not None:
            one_of(question.probes.label_names).of(question.values, "class")

    def waits_for(self, question: Question) -> dict[str, Any] | None:
        """What can be asked is known before the probes are."""
        return None if question["choices"] else super().waits_for(question)

    def answer(self, question: Question) -> dict[str, Any]:
        """The chosen neurons of the ranking.

        Returns:
          What ``NeuronRanking.to_json`` gives of the chosen neurons, ``layer`` (None for all), ``n_train``, ``select``,
          ``class``, ``notes`` and ``stability``: None, or what `neuron_stability` gives with a status of its own.
        """
        if question["choices"]:
            return _choices(question.probes)
        wanted = RankingQuestion.of(question)
        stability = _stability(question, wanted) if question["stability"] else None
        ranking = ranked(question, wanted) if wanted.at_once else _ranked_in_the_background(question, wanted)
        whole, place = ranking.to_json(), np.argsort(ranking.order)
        return {
            **whole,
            "layer": None if question["layer"] == ALL_LAYERS else question.layer,
            "label_names": list(question.probes.label_names),
            "n_train": len(question.study.splits.train),
            "select": question["select"],
            "class": question["class"],
            "neurons": [whole["neurons"][place[position]] for position in _chosen(question, ranking)],
            "notes": [_NOTE, *question.study.left_out(wanted.layers)],
            "stability": stability,
        }


def _choices(probes: ProbeModel) -> dict[str, Any]:
    """What the panels' controls offer."""
    encoder, target = probes.encoder, probes.study.splits.target
    return {
        "n_layers": encoder.n_layers,
        "d_model": encoder.d_model,
        "best_layer": probes.study.result().best_layer if probes.study.ready else None,
        "n_train": len(probes.study.splits.train),
        "label_names": list(probes.label_names),
        "methods": [
            {
                "name": name,
                "title": one.title,
                "score_unit": one.score_unit,
                "options": list(one.options),
                "at_once": one.cost == "at once",
            }
            for name, one in RANKINGS.items()
            if target in one.targets
        ],
        "options": option_choices(),
        "selections": list(SELECTIONS),
        "replacements": list(REPLACEMENTS),
        "evaluators": [{"name": name, "title": one.title} for name, one in EVALUATORS.items() if target in one.targets],
    }


def _ranked_in_the_background(question: Question, wanted: RankingQuestion) -> NeuronRanking:
    found = question.ask(
        key_of(wanted.facts),
        f"Ranking of neurons ({wanted.title})",
        lambda progress: {"ranking": ranked(question, wanted, progress)},
        quick=wanted.quick,
    )
    ranking: NeuronRanking = found["ranking"]
    return ranking


def _chosen(question: Question, ranking: NeuronRanking) -> NDArray[np.int64]:
    """The positions of the chosen neurons, in their order."""
    name, top = question["class"], question["top"]
    of_class = None if name is None else question.probes.label_names.index(name)
    k = min(_DEFAULT_TOP, ranking.n_units) if top is None else top
    match question["select"]:
        case "threshold":
            return ranking.threshold(question["threshold"], of_class)
        case "mass":
            return ranking.top_mass(question["share"], of_class)
        case "random":
            return ranking.random(k, question["seed"])
        case "bottom":
            return ranking.bottom(k, of_class)
    return ranking.top(k, of_class)


def _stability(question: Question, wanted: RankingQuestion) -> dict[str, Any]:
    """What `neuron_stability` gives, or how far it is: the ranking does not wait for it."""
    facts = {"part": "stability", **wanted.facts}
    return question.status_of(
        key_of(facts),
        f"Stability of the ranking of neurons ({wanted.title})",
        kept(
            question,
            facts,
            lambda progress: neuron_stability(
                question.study, wanted.method, wanted.layers, options=wanted.options, progress=progress
            ),
        ),
    )
