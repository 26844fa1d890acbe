"""What the later layers and the model say without some neurons, and how far a ranking of neurons can be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES
from lit_probe.encoder.cache import text_hash
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.config_values import Key, Keys, flag, maybe, number, one_layer, one_of, whole_number
from lit_probe.lit.host.dataset import stratified_sample
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.row_selection import select_rows
from lit_probe.lit.interpreters.neuron_questions import (
    OPTION_KEYS,
    RANKING_KEYS,
    RankingQuestion,
    ask_kept,
    few_texts,
    options_of,
    ranked,
    some_units,
    units_of,
)
from lit_probe.lit.interpreters.probe_interpreter import Part, ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
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
_COMPARED_PERCENTAGES = (1.0, 5.0, 10.0)

# What the probes and the model's own head say; see `_answers`.
_Answers = tuple[NDArray[np.float64], NDArray[np.float32]]


def _ablation(question: Question) -> Ablation | None:
    """What is changed; None for the probe's direction."""
    if question["what"] == DIRECTION:
        return None
    # In one order, so that the same set is computed once.
    units = tuple(sorted(units_of(question, question["units"])))
    return Ablation(question.layer, units, question["replacement"], question["factor"], question["seed"])


@lru_cache(maxsize=2)  # up to 100 MB each
def _usual(study: LayerStudy, layer: int) -> TokenStatistics:
    return usual_tokens(study, layer)


# ---- single texts


def _text(question: Question) -> dict[str, Any]:
    texts, ablation, layer, study = few_texts(question), _ablation(question), question.layer, question.study

    def learn(_: object) -> dict[str, Any]:
        _usual(study, layer)
        return {}

    # Some hundred train texts are read for it, once per layer; the page need not wait for that either.
    question.ask(("usual", layer), f"Usual activations at layer {layer}", learn, quick=True)
    usual, head = _usual(study, layer), question.probes.head_label_names
    named = change_of(study, layer, ablation, usual)
    states = LayerStates(study.encoder, texts, layer, study.pooling)
    random, notes = _random_changes(study, states, ablation, usual, question["n_random"])
    plain, changed, *others = [states.go_on(one) for one in (None, named, *random)]
    before, after, *by_random = [_answers(study, one) for one in (plain, changed, *others)]
    spread: dict[str, Any] | None = None
    if others:
        spread = {"n": len(others), **_range([layers for layers, _ in by_random])}
        spread["model"] = None if head is None else _range([of_head for _, of_head in by_random])
    return {
        "layer": layer,
        "what": question["what"],
        "units": list(ablation.units) if ablation is not None else [],
        "layers": list(plain.layers),
        "label_names": list(question.probes.label_names),
        "decision": study.decision.to_json(),
        "before": before[0].tolist(),
        "after": after[0].tolist(),
        "model": None if head is None else {"label_names": list(head), "before": before[1].tolist(), "after": after[1].tolist()},
        "moved": changed.moved.tolist(),
        "random": spread,
        "judged": _judged((changed, *others), (before, after, *by_random)),
        "notes": notes,
    }


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
      changed: the answers after the change itself, then by the random ones.
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


def _curve(question: Question) -> dict[str, Any]:
    ablation, layer, n_random = _ablation(question), question.layer, question["n_random"]
    rows = _sampled_rows(question)
    facts = {
        "part": "curve",
        "layer": layer,
        "ablation": None if ablation is None else asdict(ablation),
        "n_random": n_random,
        "texts": text_hash(rows.texts),
        "labels": rows.labels.tolist(),
    }
    what = "the probe's direction" if ablation is None else f"{len(ablation.units)} neurons"
    answer = ask_kept(
        question,
        facts,
        f"Ablation of {what} at layer {layer}",
        lambda progress: ablation_curve(
            question.study,
            rows.texts,
            rows.labels.tolist(),
            ablation,
            layer=layer,
            groups=rows.groups,
            n_random=n_random,
            progress=progress,
        ),
    )
    units = list(ablation.units) if ablation is not None else []
    return {**answer, "layer": layer, "what": question["what"], "units": units, "rows": dict(rows.facts)}


@dataclass(frozen=True, eq=False)
class _SampledRows:
    texts: tuple[str, ...]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_] | None
    facts: Mapping[str, Any]


def _sampled_rows(question: Question) -> _SampledRows:
    """Held-out rows of the selection, or the dev rows; of too many a sample, with every label in its share.

    Raises:
      LitProbeError: nothing is left to be scored.
    """
    candidates = question.rows
    selection = select_rows(candidates, question.probes, question.shown)
    rows = selection.reported
    if rows is None:
        reasons = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in selection.left_out.items() if count)
        raise LitProbeError(f"None of the {len(candidates):,} rows can be scored ({reasons or 'there is none'}).")
    chosen = stratified_sample(rows.labels, question["sample"], question.study.seed).tolist()
    facts = {
        "ids": [str(candidates[rows.indices[row]].get("_id", "")) for row in chosen],
        "n_asked": len(candidates),
        "source": question.source,
        "split": next(split for split, of_split in selection.by_split.items() if of_split is rows),
        "left_out": dict(selection.left_out),
    }
    groups = None if rows.groups is None else rows.groups[chosen]
    return _SampledRows(tuple(rows.texts[row] for row in chosen), rows.labels[chosen], groups, facts)


def _erasure(question: Question) -> dict[str, Any]:
    answer = ask_kept(
        question, {"part": "erasure"}, "Erasure by LEACE", lambda progress: erase_concept(question.study, progress=progress)
    )
    return {**answer, "n": len(question.study.splits.dev)}


# ---- rankings, judged


def _evaluation(question: Question) -> dict[str, Any]:
    wanted, evaluator = RankingQuestion.of(question), question["evaluator"]
    chosen = {name: question[name] for name in ("percentages", "n_draws", "refit", "seed")}
    return ask_kept(
        question,
        {"part": "evaluation", **wanted.facts, "evaluator": evaluator, **chosen},
        f"Evaluation of the ranking of neurons ({wanted.title})",
        lambda progress: evaluate_ranking(question.study, ranked(question, wanted), evaluator, **chosen, progress=progress),
    )


def _comparison(question: Question) -> dict[str, Any]:
    options, layers = options_of(question), question.layers
    chosen = {name: question[name] for name in ("percentages", "n_draws", "seed")}
    return ask_kept(
        question,
        {"part": "comparison", "layers": list(layers), "options": asdict(options), **chosen},
        "Comparison of the rankings of neurons",
        lambda progress: compare_rankings(question.study, layers, options=options, **chosen, progress=progress),
    )


def _minimal_set(question: Question) -> dict[str, Any]:
    wanted, evaluator, within = RankingQuestion.of(question), question["evaluator"], question["within"]
    return ask_kept(
        question,
        {"part": "minimal_set", **wanted.facts, "evaluator": evaluator, "within": within},
        f"Smallest set of neurons ({wanted.title})",
        lambda progress: minimal_set(question.study, ranked(question, wanted), evaluator, within=within, progress=progress),
    )


# ---- what may be asked


def _percentages(default: Sequence[float]) -> Key:
    def read(value: Any, name: str) -> list[float]:
        match value:
            case [_, *_] if len(value) <= 20 and all(type(one) in (int, float) for one in value):
                return [float(one) for one in value]
        raise LitProbeError(f"{name!r} must be a list of up to 20 numbers, such as [1, 5, 10].")

    return Key(read, list(default))


_CHANGE: Keys = {
    "layer": one_layer(),
    "what": one_of((NEURONS, DIRECTION), NEURONS),
    "units": maybe(some_units()),
    "replacement": one_of(REPLACEMENTS, "mean"),
    "factor": number(-10, 10, default=0.0),
    "seed": whole_number(0, 2**32 - 1, default=0),
}
_DRAWN: Keys = {"layer": one_layer(takes_all=True), "n_draws": whole_number(1, 100, default=N_DRAWS), "cancel": flag()}
_EVALUATOR = one_of([name for name, one in EVALUATORS.items() if CLASSES in one.targets], "logistic")

ABLATION_PARTS = {
    # Of the texts that are sent.
    "text": Part({**_CHANGE, "n_random": whole_number(0, 20, default=0)}, _text),
    # Of the rows that are sent, or of the dev rows; of too many a sample.
    "curve": Part(
        {
            **_CHANGE,
            "n_random": whole_number(2, 50, default=N_RANDOM_SETS),
            "sample": whole_number(2, 1_000, default=200),
            "cancel": flag(),
        },
        _curve,
    ),
    "erasure": Part({"cancel": flag()}, _erasure),
    "evaluation": Part(
        {**RANKING_KEYS, **_DRAWN, "evaluator": _EVALUATOR, "percentages": _percentages(PERCENTAGES), "refit": flag(True)},
        _evaluation,
    ),
    "comparison": Part({**OPTION_KEYS, **_DRAWN, "percentages": _percentages(_COMPARED_PERCENTAGES)}, _comparison),
    "minimal_set": Part(
        {
            **RANKING_KEYS,
            "layer": one_layer(takes_all=True),
            "evaluator": _EVALUATOR,
            "within": number(0, 100, default=1.0),
            "cancel": flag(),
        },
        _minimal_set,
    ),
}


class NeuronAblationInterpreter(ProbeInterpreter):
    """Does the model behave differently without these neurons? Until asked here, the concept is only decodable from them."""

    needs = "a pass through the network"
    keys = {"part": one_of(ABLATION_PARTS)}
    by = "part"
    further = {name: part.keys for name, part in ABLATION_PARTS.items()}
    form = ("part",)
    reads_texts = True

    def check(self, question: Question) -> None:
        """Neurons are named where neurons are changed, and only there."""
        match question.values:
            case {"what": "neurons", "units": None}:
                some_units().read(None, "units")
            case {"what": "direction", "units": [*_]}:
                raise LitProbeError("Either neurons are changed or the probe's direction is projected out: leave 'units' away.")

    def answer(self, question: Question) -> dict[str, Any]:
        """The part's answer.

        Returns:
          Of ``text``: the probabilities ``before`` and ``after`` ``[n_texts][n_layers][n_classes]`` of the ``layers``, those of
          the ``model``'s own head, the range of ``random`` changes, and for each text in ``judged`` what `moved_by` gives and
          how many random changes were ``exceeded`` (see `against_random`; None where no layer comes later). Of the others what
          the library's functions give.
        """
        return ABLATION_PARTS[question["part"]].answer(question)
