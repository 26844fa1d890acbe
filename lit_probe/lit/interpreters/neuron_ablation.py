"""What the later layers and the model say without some neurons, and how far a ranking of neurons can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.asked import CLASSES, TEXT, WORD, UnitKind
from lit_probe.encoder.cache import text_hash
from lit_probe.encoder.joining import Spans, in_sentences, unread_words
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.asked_rows import rows_of
from lit_probe.lit.host.config_values import Key, Keys, flag, maybe, number, one_layer, one_of, whole_number
from lit_probe.lit.host.dataset import stratified_sample
from lit_probe.lit.host.messages import plain_message
from lit_probe.lit.host.row_selection import HELD_OUT, SelectedRows
from lit_probe.lit.host.word_model import WordModel
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
    states_of,
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


# ---- single texts, and their words


def _text(question: Question) -> dict[str, Any]:
    return _OF_EXAMPLES[question.probes.unit](question)


def _passes(
    question: Question, ablation: Ablation | None, texts: Sequence[str], spans: Spans | None = None
) -> tuple[list[LaterLayers], list[str]]:
    """The pass as it is, after the change, and after random ones; and why there are none of these where there are none."""
    layer, study = question.layer, question.study

    def learn(_: object) -> dict[str, Any]:
        _usual(study, layer)
        return {}

    # Some hundred train texts are read for it, once per layer; the page need not wait for that either.
    question.ask(("usual", layer), f"Usual activations at layer {layer}", learn, quick=True)
    usual = _usual(study, layer)
    named = change_of(study, layer, ablation, usual)
    states = states_of(study, texts, layer, spans)
    random, notes = _random_changes(study, states, ablation, usual, question["n_random"])
    return [states.go_on(one) for one in (None, named, *random)], notes


def _of_words(question: Question) -> dict[str, Any]:
    """Of each word what is said of it with all neurons on, and how probable that is before and after, layer by layer."""
    few_texts(question)
    ablation, study, model = _ablation(question), question.study, question.probes
    assert isinstance(model, WordModel)
    sentences = [model.sentence_of(example) for example in question.inputs]
    texts = [sentence.text for sentence in sentences for _ in sentence.spans]
    spans = np.array([span for sentence in sentences for span in sentence.spans], dtype=np.int64).reshape(-1, 2)
    read = ~unread_words(study.encoder, texts, spans)
    if not read.any():
        raise LitProbeError("The encoder reads no word of this text, so there is nothing in it to be changed.")
    row_of = np.cumsum(read) - 1
    (plain, changed, *others), notes = _passes(
        question, ablation, [text for text, one in zip(texts, read, strict=True) if one], spans[read]
    )
    before, after, *by_random = [one.probabilities(study.layerwise.probes) for one in (plain, changed, *others)]
    said, now = (study.decision.classes(one) for one in (before, after))

    def of_said(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[n_words, n_layers]`` the probability of what was said at first."""
        return np.take_along_axis(probabilities, said[..., None], axis=2)[..., 0]

    random = np.stack([of_said(one) for one in by_random]) if others else None
    nobody: NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)
    judged = _judged((changed, *others), [(one, nobody) for one in (before, after, *by_random)])

    def of_word(place: int, form: str, tag: int | None) -> dict[str, Any]:
        row = row_of[place]
        known = {"word": form, "tag": tag, "read": bool(read[place])}
        return (
            known
            if not read[place]
            else {
                **known,
                "said": said[row].tolist(),
                "now": now[row].tolist(),
                "before": of_said(before)[row].tolist(),
                "after": of_said(after)[row].tolist(),
                "low": None if random is None else random[:, row].min(axis=0).tolist(),
                "high": None if random is None else random[:, row].max(axis=0).tolist(),
                "judged": judged[row],
            }
        )

    starts = np.cumsum([0, *map(len, sentences)])
    return {
        "layer": question.layer,
        "what": question["what"],
        "units": list(ablation.units) if ablation is not None else [],
        "layers": list(plain.layers),
        "label_names": list(model.label_names),
        "n_random": len(others),
        "examples": [
            {
                "words": [
                    of_word(start + place, form, tag)
                    for place, (form, tag) in enumerate(zip(sentence.forms, sentence.tags, strict=True))
                ]
            }
            for start, sentence in zip(starts.tolist(), sentences, strict=False)
        ],
        "notes": notes,
    }


def _of_texts(question: Question) -> dict[str, Any]:
    texts, ablation, layer, study = few_texts(question), _ablation(question), question.layer, question.study
    head = question.probes.head_label_names
    (plain, changed, *others), notes = _passes(question, ablation, texts)
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


_OF_EXAMPLES: dict[UnitKind, Callable[[Question], dict[str, Any]]] = {TEXT: _of_texts, WORD: _of_words}


def _random_changes(
    study: LayerStudy, states: LayerStates, ablation: Ablation | None, usual: TokenStatistics, n_random: int
) -> tuple[list[Change], list[str]]:
    """Random changes that move as much, and why there are none where there are none."""
    try:
        return random_changes(study, states, ablation, usual, n_random), []
    except LitProbeError as error:
        return [], [plain_message(str(error))]


def _judged(changed: Sequence[LaterLayers], answers: Sequence[_Answers]) -> list[dict[str, Any]]:
    """For each text, or word, how far its text is moved, and how many random changes change its later answers less.

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
        **({} if rows.spans is None else {"spans": rows.spans.tolist()}),
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
            spans=rows.spans,
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
    spans: Spans | None
    facts: Mapping[str, Any]


def _sampled_rows(question: Question) -> _SampledRows:
    """Held-out rows of the selection, or the dev rows; of too many a sample, with every label in its share.

    Where rows are words, sentences are drawn, and all words of these are scored.

    Raises:
      LitProbeError: nothing is left to be scored.
    """
    candidates = question.rows
    selection = rows_of(candidates, question.probes, question.shown, HELD_OUT, whole=False)
    rows = selection.reported
    if rows is None:
        reasons = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in selection.left_out.items() if count)
        raise LitProbeError(f"None of the {len(candidates):,} rows can be scored ({reasons or 'there is none'}).")
    chosen = _DRAWN_BY[question.probes.unit](rows, question["sample"], question.study.seed)
    facts = {
        "ids": list(dict.fromkeys(str(candidates[rows.indices[row]].get("_id", "")) for row in chosen)),
        "n_asked": len(candidates),
        "source": question.source,
        "split": next(split for split, of_split in selection.by_split.items() if of_split is rows),
        "left_out": dict(selection.left_out),
    }
    groups = None if rows.groups is None else rows.groups[chosen]
    spans = None if rows.spans is None else rows.spans[chosen]
    return _SampledRows(tuple(rows.texts[row] for row in chosen), rows.labels[chosen], groups, spans, facts)


def _drawn_texts(rows: SelectedRows, n_wanted: int, seed: int) -> list[int]:
    return stratified_sample(rows.labels, n_wanted, seed).tolist()


def _drawn_sentences(rows: SelectedRows, n_wanted: int, seed: int) -> list[int]:
    sentences = in_sentences(rows.texts)
    drawn = stratified_sample(np.zeros(len(sentences), dtype=np.int64), n_wanted, seed).tolist()
    return [row for one in drawn for row in range(*sentences[one])]


# The rows of a sample.
_DRAWN_BY: dict[UnitKind, Callable[[SelectedRows, int, int], list[int]]] = {TEXT: _drawn_texts, WORD: _drawn_sentences}


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
    units = (TEXT, WORD)
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
          Of ``text`` the probabilities ``before`` and ``after`` ``[n_texts][n_layers][n_classes]`` of the ``layers``, those of
          the ``model``'s own head, the range of ``random`` changes, and for each text in ``judged`` what `moved_by` gives and
          how many random changes were ``exceeded`` (see `against_random`; None where no layer comes later). Where rows are words
          ``examples`` with their ``words``: of each what was ``said`` by layer and what is said ``now``, the probability of the
          first ``before`` and ``after``, the ``low`` and ``high`` ends of random changes, and how it is ``judged``. Of the
          others what the library's functions give.
        """
        return ABLATION_PARTS[question["part"]].answer(question)
