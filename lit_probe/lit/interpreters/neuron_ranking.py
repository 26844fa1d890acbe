"""From which neurons the concept is decodable: the ranked neurons of a layer, or of all layers together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.lit.host.config_values import number, one_of, settings_of, whole_number
from lit_probe.lit.host.model import ProbeModel, probe_model
from lit_probe.lit.interpreters.asked import (
    RANKING_KEYS,
    Asked,
    RankingQuestion,
    Respond,
    answer_of,
    check_keys,
    option_choices,
    read_layer,
    read_ranking,
)
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
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

    def config_spec(self) -> types.Spec:
        """The ranking. What else may be asked, ``{"choices": true}`` says."""
        return {"method": types.CategoryLabel(vocab=list(RANKINGS), default=next(iter(RANKINGS)), required=False)}

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The chosen neurons of the ranking, or how far it is.

        Args:
          inputs: not used.
          model: an encoder with layer probes.
          dataset: not used.
          model_outputs: not used.
          config: ``choices``: true to hear what can be asked, and nothing else. Or what ``neurons.read_ranking`` reads; ``layer``
            (``"dev-chosen"``, a number or ``"all"``); ``select``, a name in ``SELECTIONS``, with ``top`` (how many; 50 or all by
            default), ``threshold`` (fraction of the largest score) or ``share`` (of the sum of scores); ``class``, to order them
            by the scores of one class; ``stability``: true to have that computed too; ``cancel``: true to end what is computed.

        Returns:
          ``status``: ``ready`` with what ``NeuronRanking.to_json`` gives of the chosen neurons, ``layer`` (None for all),
          ``n_train``, ``select``, ``class``, ``notes`` and ``stability``: None, or what `neuron_stability` gives with a status of
          its own; ``computing`` with ``message`` and ``fraction``; ``failed`` with a ``message``; ``cancelled``.

        Raises:
          LitProbeError: the configuration cannot be understood.
        """
        settings, probes = settings_of(config), probe_model(model)
        if settings.get("choices"):
            check_keys(settings, ("choices",))
            return {"status": "ready", **_choices(probes)}
        further = ("layer", "select", "top", "threshold", "share", "class", "stability", "cancel")
        check_keys(settings, (*RANKING_KEYS, *further))
        layer = read_layer(settings, takes_all=True)
        return answer_of(_read(settings, probes), [], probes, dataset, layer, cancel=bool(settings.get("cancel")))


def _choices(probes: ProbeModel) -> dict[str, Any]:
    """What the panels' controls offer."""
    encoder = probes.encoder
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
        ],
        "options": option_choices(),
        "selections": list(SELECTIONS),
        "replacements": list(REPLACEMENTS),
        "evaluators": [{"name": name, "title": one.title} for name, one in EVALUATORS.items()],
    }


def _read(settings: Mapping[str, Any], probes: ProbeModel) -> Respond:
    question = read_ranking(settings)
    choose = _read_selection(settings, probes.label_names, question.options.seed)
    class_name = settings.get("class")
    wants_stability, is_all = bool(settings.get("stability")), settings.get("layer") == "all"

    def respond(asked: Asked) -> dict[str, Any]:
        stability = _stability(asked, question) if wants_stability else None
        if question.at_once:
            ranking = asked.ranked(question)
        else:
            found = asked.ask(
                asked.ranking_facts(question),
                f"Ranking of neurons ({RANKINGS[question.method].title})",
                lambda progress: {"ranking": asked.ranked(question, progress)},
                quick=question.quick and len(asked.layers) == 1,
            )
            if found["status"] != "ready":
                return found
            ranking = found["ranking"]
        chosen = choose(ranking)
        whole = ranking.to_json()
        place = np.argsort(ranking.order)
        return {
            **whole,
            "layer": None if is_all else asked.layer,
            "label_names": list(asked.probes.label_names),
            "n_train": len(asked.study.splits.train),
            "select": settings.get("select", SELECTIONS[0]),
            "class": class_name,
            "neurons": [whole["neurons"][place[position]] for position in chosen],
            "notes": [_NOTE],
            "stability": stability,
        }

    return respond


def _read_selection(
    settings: Mapping[str, Any], label_names: Sequence[str], seed: int
) -> Callable[[NeuronRanking], NDArray[np.int64]]:
    """A function from a ranking to the positions of the chosen neurons, in their order."""
    select = one_of(settings, "select", SELECTIONS, default=SELECTIONS[0])
    top = whole_number(settings, "top", 0, 1_000_000, default=_DEFAULT_TOP)
    threshold, share = number(settings, "threshold", 0, 1, default=0.5), number(settings, "share", 0, 1, default=0.5)
    class_index = None
    if settings.get("class") is not None:
        class_index = list(label_names).index(one_of(settings, "class", label_names))

    def choose(ranking: NeuronRanking) -> NDArray[np.int64]:
        k = top if "top" in settings else min(top, ranking.n_units)
        match select:
            case "threshold":
                return ranking.threshold(threshold, class_index)
            case "mass":
                return ranking.top_mass(share, class_index)
            case "random":
                return ranking.random(k, seed)
            case "bottom":
                return ranking.bottom(k, class_index)
        return ranking.top(k, class_index)

    return choose


def _stability(asked: Asked, question: RankingQuestion) -> dict[str, Any]:
    return asked.ask_kept(
        {"part": "stability", **asked.ranking_facts(question)},
        f"Stability of the ranking of neurons ({RANKINGS[question.method].title})",
        lambda progress: neuron_stability(
            asked.study, question.method, asked.layers, options=question.options, progress=progress
        ),
    )
