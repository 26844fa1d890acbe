"""What the later layers and the model say without some neurons, and how far a ranking of neurons can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model
from lit_nlp.api import types
from numpy.typing import NDArray

from lit_probe.encoder.cache import text_hash
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.config_values import number, one_of, whole_number
from lit_probe.lit.host.dataset import probe_dataset, stratified_sample
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.model import probe_model
from lit_probe.lit.host.row_selection import select_rows
from lit_probe.lit.interpreters.asked import (
    OPTION_KEYS,
    RANKING_KEYS,
    Asked,
    Part,
    RankingQuestion,
    Respond,
    answer_part,
    read_options,
    read_ranking,
    read_units,
)
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.neurons.effects.ablation import (
    N_RANDOM_SETS,
    REPLACEMENTS,
    Ablation,
    against_random,
    change_of,
    moved_by,
    random_changes,
    usual_tokens,
)
from lit_probe.neurons.effects.curve import ablation_curve
from lit_probe.neurons.effects.erasure import erase_concept
from lit_probe.neurons.rankings import RANKINGS
from lit_probe.neurons.rankings.judge import EVALUATORS
from lit_probe.neurons.rankings.neuron_evaluation import (
    N_DRAWS,
    PERCENTAGES,
    compare_rankings,
    evaluate_ranking,
    minimal_set,
)
from lit_probe.probing.layer_states import Change, LaterLayers, LayerStates, TokenStatistics
from lit_probe.probing.study import LayerStudy

# What is changed: chosen neurons, or the direction that the layer's probe reads.
NEURONS, DIRECTION = "neurons", "direction"
_CHANGE_KEYS = ("what", "units", "replacement", "factor", "seed")
_COMPARED_PERCENTAGES = (1.0, 5.0, 10.0)

# What the probes and the model's own head say; see `_answers`.
_Answers = tuple[NDArray[np.float64], NDArray[np.float32]]


class NeuronAblationInterpreter(ProbeInterpreter):
    """Does the model behave differently without these neurons? Until asked here, the concept is only decodable from them."""

    def config_spec(self) -> types.Spec:
        """Which part."""
        return {"part": types.CategoryLabel(vocab=list(ABLATION_PARTS), default=next(iter(ABLATION_PARTS)), required=True)}

    def run(
        self,
        inputs: Sequence[types.JsonDict],
        model: lit_model.Model,
        dataset: lit_dataset.Dataset,
        model_outputs: Sequence[types.JsonDict] | None = None,
        config: types.JsonDict | None = None,
    ) -> dict[str, Any]:
        """The part's answer, or how far it is.

        Args:
          inputs: for ``text`` the texts, edited ones too; for ``curve`` the selection, None for the dev rows; else not used.
          model: an encoder with layer probes.
          dataset: that the rows belong to.
          model_outputs: not used.
          config: ``part``, a name in ``ABLATION_PARTS``; ``layer``; and what the part takes:

            * ``text`` and ``curve``: ``what`` is changed, ``"neurons"`` or ``"direction"``; ``units`` with ``replacement``,
              ``factor`` and ``seed``, see ``Ablation``; ``n_random`` sets to compare with;
            * ``curve`` also: ``sample``, how many rows at most; ``cancel``;
            * ``erasure``: ``cancel``;
            * ``evaluation``, ``comparison``, ``minimal_set``: a ranking, see ``neurons.read_ranking``, and the arguments of
              ``evaluate_ranking``, ``compare_rankings`` and ``minimal_set``; ``cancel``.

        Returns:
          ``status``: ``ready`` with ``part`` and, of ``text``, the probabilities ``before`` and ``after`` ``[n_texts][n_layers]
          [n_classes]`` of the ``layers``, those of the ``model``'s own head, the range of ``random`` changes, and for each text
          in ``judged`` what `moved_by` gives and how many random changes were ``exceeded`` (see `against_random`; None where no
          layer comes later); of the others what the library's functions give; ``computing`` with ``message`` and ``fraction``;
          ``failed`` with a ``message``; ``cancelled``.

        Raises:
          LitProbeError: the configuration cannot be understood.
        """
        return answer_part(ABLATION_PARTS, inputs, probe_model(model), dataset, config)


@dataclass(frozen=True)
class _Change:
    """What is to be changed; the layer is known later."""

    what: str
    names: Sequence[int | str]
    replacement: str
    factor: float
    seed: int

    def ablation(self, asked: Asked) -> Ablation | None:
        """None for the probe's direction."""
        if self.what == DIRECTION:
            return None
        # In one order, so that the same set is computed once.
        units = tuple(sorted(asked.units(self.names)))
        return Ablation(asked.layer, units, self.replacement, self.factor, self.seed)


def _read_change(settings: Mapping[str, Any]) -> _Change:
    what = one_of(settings, "what", (NEURONS, DIRECTION), default=NEURONS)
    if what == DIRECTION and "units" in settings:
        raise LitProbeError("Either neurons are changed or the probe's direction is projected out: leave 'units' away.")
    return _Change(
        what,
        read_units(settings.get("units")) if what == NEURONS else (),
        one_of(settings, "replacement", REPLACEMENTS, default="mean"),
        number(settings, "factor", -10, 10, default=0.0),
        whole_number(settings, "seed", 0, 2**32 - 1, default=0),
    )


@lru_cache(maxsize=2)  # up to 100 MB each
def _usual(study: LayerStudy, layer: int) -> TokenStatistics:
    return usual_tokens(study, layer)


# ---- single texts


def _read_text(settings: Mapping[str, Any]) -> Respond:
    change = _read_change(settings)
    n_random = whole_number(settings, "n_random", 0, 20, default=0)

    def respond(asked: Asked) -> dict[str, Any]:
        texts, ablation = asked.few_texts(), change.ablation(asked)

        def learn(_: object) -> dict[str, Any]:
            _usual(asked.study, asked.layer)
            return {}

        # Some hundred train texts are read for it, once per layer; the page need not wait for that either.
        known = asked.ask({"part": "usual", "layer": asked.layer}, f"Usual activations at layer {asked.layer}", learn, quick=True)
        if known["status"] != "ready":
            return known
        usual, study, head = _usual(asked.study, asked.layer), asked.study, asked.probes.head_label_names
        named = change_of(study, asked.layer, ablation, usual)
        states = LayerStates(study.encoder, texts, asked.layer, study.pooling)
        random, notes = _random_changes(study, states, ablation, usual, n_random)
        plain, changed, *others = [states.go_on(one) for one in (None, named, *random)]
        before, after, *by_random = [_answers(study, one) for one in (plain, changed, *others)]
        spread: dict[str, Any] | None = None
        if others:
            spread = {"n": len(others), **_range([layers for layers, _ in by_random])}
            spread["model"] = None if head is None else _range([of_head for _, of_head in by_random])
        return {
            "layer": asked.layer,
            "what": change.what,
            "units": list(ablation.units) if ablation is not None else [],
            "layers": list(range(asked.layer, study.encoder.n_layers)),
            "label_names": list(asked.probes.label_names),
            "before": before[0].tolist(),
            "after": after[0].tolist(),
            "model": None
            if head is None
            else {"label_names": list(head), "before": before[1].tolist(), "after": after[1].tolist()},
            "moved": changed.moved.tolist(),
            "random": spread,
            "judged": _judged((changed, *others), (before, after, *by_random)),
            "notes": notes,
        }

    return respond


def _random_changes(
    study: LayerStudy, states: LayerStates, ablation: Ablation | None, usual: TokenStatistics, n_random: int
) -> tuple[list[Change], list[str]]:
    """Random changes that move as much, and why there are none where there are none."""
    try:
        return random_changes(study, states, ablation, usual, n_random), []
    except LitProbeError as error:
        return [], [plain_message(str(error))]


def _judged(changed: Sequence[LaterLayers], answers: Sequence[_Answers]) -> list[dict[str, Any]]:
    """For each text how far it is moved, and how many random changes change its later answers less.

    Args:
      changed: by the change itself, then by the random ones.
      answers: before, then of these.
    """
    # The changed layer's own probe reads the change itself and is no witness of the pass.
    shifts = [np.abs(layers[:, 1:] - answers[0][0][:, 1:]).sum(axis=2) for layers, _ in answers[1:]]
    if answers[0][1].size:
        of_head = [np.abs(head - answers[0][1]).sum(axis=1) for _, head in answers[1:]]
        shifts = [np.column_stack(pair) for pair in zip(shifts, of_head, strict=True)]
    judged = []
    for text in range(len(shifts[0])):
        of_text = np.array([one[text] for one in shifts])
        compared = len(changed) > 1 and of_text.shape[1] > 0
        moved = [float(one.moved[text]) for one in changed]
        judged.append({**moved_by(moved[0], moved[1:]).to_json(), "exceeded": against_random(of_text)[0] if compared else None})
    return judged


def _answers(study: LayerStudy, later: LaterLayers) -> _Answers:
    """``[n_texts, n_layers, n_classes]`` of the probes, and ``[n_texts, n_head_classes]`` of the model's own head, if any."""
    head = later.head_probabilities
    return later.probabilities(study.layerwise.probes), np.zeros((0, 0), dtype=np.float32) if head is None else head


def _range(values: Sequence[NDArray[Any]]) -> dict[str, Any]:
    stacked = np.stack(values)
    return {
        "mean": stacked.mean(axis=0).tolist(),
        "low": stacked.min(axis=0).tolist(),
        "high": stacked.max(axis=0).tolist(),
    }


# ---- many texts


def _read_curve(settings: Mapping[str, Any]) -> Respond:
    change = _read_change(settings)
    n_random = whole_number(settings, "n_random", 2, 50, default=N_RANDOM_SETS)
    n_wanted = whole_number(settings, "sample", 2, 1_000, default=200)

    def respond(asked: Asked) -> dict[str, Any]:
        ablation = change.ablation(asked)
        rows = _scored_rows(asked, n_wanted)
        facts = {
            "part": "curve",
            "layer": asked.layer,
            "ablation": None if ablation is None else asdict(ablation),
            "n_random": n_random,
            "texts": text_hash(rows.texts),
            "labels": rows.labels.tolist(),
        }
        what = "the probe's direction" if ablation is None else f"{len(ablation.units)} neurons"
        answer = asked.ask_kept(
            facts,
            f"Ablation of {what} at layer {asked.layer}",
            lambda progress: ablation_curve(
                asked.study,
                rows.texts,
                rows.labels.tolist(),
                ablation,
                layer=asked.layer,
                groups=rows.groups,
                n_random=n_random,
                progress=progress,
            ),
        )
        if answer["status"] != "ready":
            return answer
        units = list(ablation.units) if ablation is not None else []
        return {**answer, "layer": asked.layer, "what": change.what, "units": units, "rows": dict(rows.facts)}

    return respond


@dataclass(frozen=True, eq=False)
class _ScoredRows:
    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_] | None
    facts: Mapping[str, Any]


def _scored_rows(asked: Asked, n_wanted: int) -> _ScoredRows:
    """Held-out rows of the selection, or the dev rows; of too many a sample, with every label in its share.

    Raises:
      LitProbeError: nothing is left to be scored.
    """
    dev = [example for example in asked.dataset.examples if fields.split_of(example) == "dev"]
    candidates = asked.inputs or dev
    selection = select_rows(candidates, asked.probes, probe_dataset(asked.dataset))
    rows = selection.reported
    if rows is None:
        reasons = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in selection.left_out.items() if count)
        raise LitProbeError(f"None of the {len(candidates):,} rows can be scored ({reasons or 'there is none'}).")
    chosen = stratified_sample(rows.labels, n_wanted, asked.study.seed).tolist()
    facts = {
        "ids": [str(candidates[rows.indices[row]].get("_id", "")) for row in chosen],
        "n_asked": len(candidates),
        "source": "selection" if asked.inputs else "dev",
        "split": next(split for split, of_split in selection.by_split.items() if of_split is rows),
        "left_out": dict(selection.left_out),
    }
    groups = None if rows.groups is None else rows.groups[chosen]
    return _ScoredRows(tuple(rows.texts[row] for row in chosen), rows.labels[chosen], groups, facts)


def _read_erasure(settings: Mapping[str, Any]) -> Respond:
    def respond(asked: Asked) -> dict[str, Any]:
        answer = asked.ask_kept(
            {"part": "erasure"}, "Erasure by LEACE", lambda progress: erase_concept(asked.study, progress=progress)
        )
        return {**answer, "n": len(asked.study.splits.dev)} if answer["status"] == "ready" else answer

    return respond


# ---- rankings, judged


def _read_evaluation(settings: Mapping[str, Any]) -> Respond:
    question, evaluator = read_ranking(settings), one_of(settings, "evaluator", EVALUATORS, default="logistic")
    percentages = _read_percentages(settings, PERCENTAGES)
    n_draws = whole_number(settings, "n_draws", 1, 100, default=N_DRAWS)
    refit = bool(settings.get("refit", True))

    def respond(asked: Asked) -> dict[str, Any]:
        chosen: dict[str, Any] = {"percentages": percentages, "n_draws": n_draws, "refit": refit, "seed": question.options.seed}
        return asked.ask_kept(
            {"part": "evaluation", **asked.ranking_facts(question), "evaluator": evaluator, **chosen},
            f"Evaluation of the ranking of neurons ({_title(question)})",
            lambda progress: evaluate_ranking(asked.study, asked.ranked(question), evaluator, **chosen, progress=progress),
        )

    return respond


def _read_comparison(settings: Mapping[str, Any]) -> Respond:
    options, percentages = read_options(settings), _read_percentages(settings, _COMPARED_PERCENTAGES)
    n_draws = whole_number(settings, "n_draws", 1, 100, default=N_DRAWS)

    def respond(asked: Asked) -> dict[str, Any]:
        chosen: dict[str, Any] = {"percentages": percentages, "n_draws": n_draws, "seed": options.seed}
        return asked.ask_kept(
            {"part": "comparison", "layers": list(asked.layers), "options": asdict(options), **chosen},
            "Comparison of the rankings of neurons",
            lambda progress: compare_rankings(asked.study, asked.layers, options=options, **chosen, progress=progress),
        )

    return respond


def _read_minimal_set(settings: Mapping[str, Any]) -> Respond:
    question, evaluator = read_ranking(settings), one_of(settings, "evaluator", EVALUATORS, default="logistic")
    within = number(settings, "within", 0, 100, default=1.0)

    def respond(asked: Asked) -> dict[str, Any]:
        return asked.ask_kept(
            {"part": "minimal_set", **asked.ranking_facts(question), "evaluator": evaluator, "within": within},
            f"Smallest set of neurons ({_title(question)})",
            lambda progress: minimal_set(asked.study, asked.ranked(question), evaluator, within=within, progress=progress),
        )

    return respond


def _read_percentages(settings: Mapping[str, Any], default: Sequence[float]) -> list[float]:
    match settings.get("percentages", list(default)):
        case [_, *_] as found if len(found) <= 20 and all(type(one) in (int, float) for one in found):
            return [float(one) for one in found]
    raise LitProbeError("'percentages' must be a list of up to 20 numbers, such as [1, 5, 10].")


def _title(question: RankingQuestion) -> str:
    return RANKINGS[question.method].title


ABLATION_PARTS = {
    "text": Part(_read_text, (*_CHANGE_KEYS, "n_random")),
    "curve": Part(_read_curve, (*_CHANGE_KEYS, "n_random", "sample", "cancel")),
    "erasure": Part(_read_erasure, ("cancel",), takes_layer=False),
    "evaluation": Part(
        _read_evaluation, (*RANKING_KEYS, "evaluator", "percentages", "n_draws", "refit", "cancel"), takes_all=True
    ),
    "comparison": Part(_read_comparison, (*OPTION_KEYS, "percentages", "n_draws", "cancel"), takes_all=True),
    "minimal_set": Part(_read_minimal_set, (*RANKING_KEYS, "evaluator", "within", "cancel"), takes_all=True),
}
