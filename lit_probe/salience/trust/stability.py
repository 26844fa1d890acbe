"""Does a salience map stay the same where nothing happened (another seed), and change with the prediction where little did (a
small edit)?
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.alignment import paired_scores
from lit_probe.encoder.words import words_of
from lit_probe.errors import LitProbeError
from lit_probe.probing.probe_forward import SCALARS, Forward, Target
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.salience import SalienceMethod, SalienceOptions, explain
from lit_probe.salience.methods.perturbations import fitting
from lit_probe.salience.trust.judged_texts import (
    JudgedText,
    LeftOut,
    MethodRoll,
    OverTexts,
    judged_texts,
    mean_of_texts,
    truncation_notes,
    without_rounding,
)
from lit_probe.salience.trust.remembered_forward import RememberedForward
from lit_probe.scores.intervals import bootstrap_weights

_MAX_SEED = 2**32

# Edits of a text that should hardly matter to anybody who reads it.
_FINAL = ".!?…"


def _append_bye(text: str) -> str:
    """Also what Atanasova et al.'s lab at ALPS 2021 appends (https://github.com/copenlu/ALPS_2021)."""
    return f"{text.rstrip()} Bye."


def _prepend_well(text: str) -> str:
    return f"Well, {text.lstrip()}"


def _final_sign(text: str) -> str:
    bare = text.rstrip()
    return bare.rstrip(_FINAL + " ") if bare.endswith(tuple(_FINAL)) else f"{bare}."


def _first_letter(text: str) -> str:
    for i, character in enumerate(text):
        if character.isalpha():
            return text[:i] + character.swapcase() + text[i + 1 :]
    return text


def _double_space(text: str) -> str:
    start, space, rest = text.strip().partition(" ")
    return f"{start}{space}{space}{rest}"


@dataclass(frozen=True)
class SmallEdit:
    """One edit.

    Attributes:
      title: what people read.
      apply: the function from a text to the edited one.
    """

    title: str
    apply: Callable[[str], str]


SMALL_EDITS: dict[str, SmallEdit] = {
    "append_bye": SmallEdit("“ Bye.” at the end", _append_bye),
    "prepend_well": SmallEdit("“Well, ” in front", _prepend_well),
    "final_sign": SmallEdit("Final sign dropped, or a full stop added", _final_sign),
    "first_letter": SmallEdit("Case of the first letter changed", _first_letter),
    "double_space": SmallEdit("First space doubled", _double_space),
}


@dataclass
class _Judged:
    """What one method did, text by text.

    Attributes:
      across_seeds: mean Spearman over the pairs of seeds.
      across_edits: mean Spearman over the edits.
      changes: the distances, by text ``[n_edits, 2]``, by which the explained number and the map moved.
    """

    across_seeds: list[float] = field(default_factory=list)
    across_edits: list[float] = field(default_factory=list)
    changes: list[NDArray[np.float64]] = field(default_factory=list)


@dataclass(frozen=True)
class _Edited:
    """An edited version that the encoder reads unlike the original, and how far the explained number moved."""

    text: str
    change: float


@dataclass(frozen=True)
class EditEffect(Result):
    """What one of `SMALL_EDITS` did to the texts.

    Attributes:
      name: its key in `SMALL_EDITS`.
      title: what people read.
      n: texts that it changes for the encoder.
      n_unseen: texts that the encoder reads alike before and after; they are not counted.
      mean_change: mean size of the explained number's change; None where no text changes.
    """

    name: str
    title: str
    n: int
    n_unseen: int
    mean_change: float | None


@dataclass(frozen=True)
class MethodStability(Result):
    """How alike one method's maps are. Spearman's correlation is not defined for a map of equal scores.

    Attributes:
      method: its name in ``SALIENCE_METHODS``.
      title: what people read.
      deterministic: whether every seed gives the same map. Such a method's one map is compared with itself.
      reason: why it failed; empty where it did not. The measures of a method that failed are None.
      n_maps: maps of it that were looked at, of edited texts too.
      n_inexact: those that are not exact: they have a ``warning``.
      seeds: mean Spearman correlation between the maps of all pairs of seeds, -1..1.
      edits: mean Spearman correlation between a text's map and those of its edited versions, over paired words, -1..1.
      edit_correlation: Spearman correlation, over all texts and edits, between the changes of the number and of the map.
    """

    method: str
    title: str
    deterministic: bool
    reason: str
    n_maps: int
    n_inexact: int
    seeds: OverTexts | None = None
    edits: OverTexts | None = None
    edit_correlation: OverTexts | None = None


@dataclass(frozen=True)
class SalienceStability(Result):
    """What `salience_stability` found.

    Attributes:
      explained: name of what is explained, such as ``probe at layer 3``.
      scalar: the explained number.
      seed: the first of the seeds.
      n_seeds: maps of a random method that are compared.
      n_texts: texts that are judged.
      n_left_out: texts that are not.
      left_out: reasons for that.
      edits: ``[n_edits]`` in the order of `SMALL_EDITS`.
      methods: ``[n_methods]`` in the order that was asked for.
      notes: sentences that a reader must know.
    """

    explained: str
    scalar: str
    seed: int
    n_seeds: int
    n_texts: int
    n_left_out: int
    left_out: tuple[LeftOut, ...]
    edits: tuple[EditEffect, ...]
    methods: tuple[MethodStability, ...]
    notes: tuple[str, ...]


def salience_stability(
    forward: Forward,
    texts: Sequence[str],
    methods: Sequence[str] | None = None,
    options: SalienceOptions | None = None,
    *,
    n_seeds: int = 5,
    scalar: str = "logit",
    progress: Progress = no_progress,
) -> SalienceStability:
    """How alike a method's maps are across seeds and across `SMALL_EDITS`, by word.

    Every map explains the class predicted for the text before it is edited. Words of two versions are paired by `align`. The
    number of a version moves by ``|Δ|``; its map by the Euclidean length of the difference of the paired words' scores, where a
    word that stands in one version only counts with its whole score. A map that follows the model moves most where the number
    does: their Spearman correlation over all texts and edits is what the ALPS 2021 lab asked for.

    Args:
      forward: what is explained.
      texts: the texts of any kind; those with fewer than two words are left out and counted.
      methods: names in ``SALIENCE_METHODS``; all of them when None.
      options: the options of the methods; seeds count up from ``options.seed``.
      n_seeds: the number of maps of a random method that are compared, 2 or more.
      scalar: the explained number.
      progress: called with the number of steps done and of all; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such method or scalar.
      LitProbeError: no text has two words, or ``n_seeds`` is too small.
      CancelledError: from ``progress``.
    """
    options = fitting(options or SalienceOptions(), forward.encoder)
    lookup(SCALARS, scalar, "scalar")
    if n_seeds < 2:
        raise LitProbeError(f"n_seeds is {n_seeds}; two seeds or more can be compared.")
    roll = MethodRoll(methods)
    judged, left_out = judged_texts(forward, texts)
    results = {method.name: _Judged() for method in roll.methods}
    changes: dict[str, list[float]] = {name: [] for name in SMALL_EDITS}
    n_steps, n_done = len(judged) * len(roll.methods), 0
    progress(0, n_steps)
    for text in judged:
        # Methods share what they ask of the model about the same rows.
        remembered = RememberedForward(forward)
        target = Target(int(remembered.decided(remembered.logits_of([text.encoded])[0])), scalar)
        edited = _edited_versions(remembered, text, target)
        for name, version in edited.items():
            changes[name].append(version.change)
        for method in roll.methods:
            if method.name not in roll.reasons:
                with roll.judging(method):
                    # Also between the passes of one map, so that whoever wants to stop need not wait for it.
                    check = partial(progress, n_done, n_steps)
                    versions = list(edited.values())
                    _judge(remembered, text, method, target, options, n_seeds, versions, roll, results[method.name], check)
            n_done += 1
            progress(n_done, n_steps)
    return SalienceStability(
        explained=forward.name,
        scalar=scalar,
        seed=options.seed,
        n_seeds=n_seeds,
        n_texts=len(judged),
        n_left_out=len(texts) - len(judged),
        left_out=left_out,
        edits=tuple(
            EditEffect(
                name=name,
                title=edit.title,
                n=len(changes[name]),
                n_unseen=len(judged) - len(changes[name]),
                mean_change=float(np.mean(changes[name])) if changes[name] else None,
            )
            for name, edit in SMALL_EDITS.items()
        ),
        methods=tuple(
            MethodStability(
                method.name,
                method.title,
                method.deterministic,
                roll.reasons.get(method.name, ""),
                roll.n_maps[method.name],
                roll.n_inexact[method.name],
                *(() if method.name in roll.reasons else _measures(results[method.name], options.seed)),
            )
            for method in roll.methods
        ),
        notes=(
            *roll.notes(options),
            "A stable map need not be a true one: read this beside faithfulness.",
            "Edits that the encoder reads as the same tokens are not counted: prediction and map cannot change.",
            "Short texts make LIME and KernelSHAP exact, and then no seed matters.",
            *truncation_notes(judged),
        ),
    )


def spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Spearman's rank correlation of two rows of scores, -1..1; ties share their mean rank. NaN where one has equal scores only.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0]))
    0.5
    """
    from scipy.stats import rankdata  # slow to import

    one, other = without_rounding(one), without_rounding(other)
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    # Twice a rank is a whole number: the sums are exact, and rows in the same order give exactly 1.
    left, right = (2 * rankdata(row) - (len(row) + 1) for row in (one, other))
    return float((left @ right) / np.sqrt((left @ left) * (right @ right)))


def map_change(
    words: Sequence[str], scores: NDArray[np.float64], edited_words: Sequence[str], edited_scores: NDArray[np.float64]
) -> tuple[float, float]:
    """How alike the maps of a text and its edited version are: Spearman over the words in both, and how far the map moved.

    >>> map_change(["fine", "film"], np.array([3.0, 1.0]), ["fine", "film", "bye"], np.array([3.0, 1.0, -2.0]))
    (1.0, 2.0)
    """
    pairs, alone = paired_scores(words, scores, edited_words, edited_scores)
    moved = np.concatenate([pairs[:, 0] - pairs[:, 1], alone])
    return spearman(pairs[:, 0], pairs[:, 1]), float(np.sqrt(moved @ moved))


def _edited_versions(forward: Forward, text: JudgedText, target: Target) -> dict[str, _Edited]:
    """By the edit's name the versions that the encoder reads unlike the original."""
    versions = {name: edit.apply(text.text) for name, edit in SMALL_EDITS.items()}
    encoded = dict(zip(versions, forward.encoder.encode(list(versions.values()), with_tokens=True), strict=True))
    # An edit that leaves no word at all (of "!?", say) has no map.
    seen = [
        name
        for name, version in versions.items()
        if encoded[name].ids != text.encoded.ids and words_of(version, encoded[name]).texts
    ]
    logits = forward.logits_of([text.encoded, *(encoded[name] for name in seen)])
    before, *after = forward.scalar_of(logits, target)
    return {name: _Edited(versions[name], abs(float(value - before))) for name, value in zip(seen, after, strict=True)}


def _judge(
    forward: Forward,
    text: JudgedText,
    method: SalienceMethod,
    target: Target,
    options: SalienceOptions,
    n_seeds: int,
    edited: Sequence[_Edited],
    roll: MethodRoll,
    result: _Judged,
    check: Callable[[], None],
) -> None:
    def words_and_scores(version: str, seeded: SalienceOptions) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        return roll.count(explain(forward, version, method.name, target, seeded, check)).by_word()

    seeds = [(options.seed + i) % _MAX_SEED for i in range(1 if method.deterministic else n_seeds)]
    maps = [words_and_scores(text.text, replace(options, seed=seed)) for seed in seeds]
    words, scores = maps[0]
    pairs = list(combinations([other for _, other in maps], 2)) or [(scores, scores)]
    across_seeds = _mean_of_defined([spearman(*pair) for pair in pairs])
    found = [(one.change, *map_change(words, scores, *words_and_scores(one.text, options))) for one in edited]
    result.across_seeds.append(across_seeds)
    result.across_edits.append(_mean_of_defined([alike for _, alike, _ in found]))
    result.changes.append(np.array([(change, moved) for change, _, moved in found]).reshape(-1, 2))


def _mean_of_defined(values: Sequence[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def _measures(result: _Judged, seed: int) -> tuple[OverTexts, OverTexts, OverTexts]:
    """Those of a method, in the order of `MethodStability`."""
    return (
        mean_of_texts(result.across_seeds, seed),
        mean_of_texts(result.across_edits, seed),
        _edit_correlation([each for each in result.changes if len(each)], seed),
    )


def _edit_correlation(changes: Sequence[NDArray[np.float64]], seed: int) -> OverTexts:
    """Spearman over the rows (change of the number, of the map) of all texts; the rows of a text are resampled together."""
    if not changes:
        return OverTexts.of(float("nan"), np.array([]), 0)
    rows = np.concatenate(changes)
    text_of_row = np.repeat(np.arange(len(changes)), [len(each) for each in changes])
    draws = [
        spearman(*np.repeat(rows, times[text_of_row].astype(np.int64), axis=0).T)
        for weights in bootstrap_weights(len(changes), seed)
        for times in weights
    ]
    return OverTexts.of(spearman(*rows.T), np.array(draws), len(changes))
