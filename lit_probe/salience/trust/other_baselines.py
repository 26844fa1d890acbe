"""How much a map depends on what stands for nothing: it is made again with every other baseline and compared.

A map says what words do beside some other input without them. What that other input is, is a choice, and may change the order of
the words (Sturmfels, Lundberg & Lee 2020, https://doi.org/10.23915/distill.00022). Methods without such a choice have no line.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import Words, words_of
from lit_probe.errors import LitProbeError
from lit_probe.probing.probe_forward import Forward, Target
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, TokenScores, explain
from lit_probe.salience.methods.baselines import NoSuchBaselineError, baseline_of
from lit_probe.salience.methods.explained import ExplainedText
from lit_probe.salience.methods.perturbations import PerturbedText, fitting
from lit_probe.salience.options import BASELINE_CHOICES, REPLACE_CHOICES
from lit_probe.salience.trust.stability import spearman


@dataclass(frozen=True)
class OtherBaseline(Result):
    """One other baseline's map beside the chosen one's.

    Attributes:
      name: its name among the choices of the option.
      spearman: rank correlation of the words' scores, -1..1; None where one map does not tell its words apart.
      same_top_word: whether the word of the score that is largest in size is the same.
    """

    name: str
    spearman: float | None
    same_top_word: bool


@dataclass(frozen=True)
class BaselineComparison(Result):
    """What `compare_baselines` found.

    Attributes:
      method: the method's name in ``SALIENCE_METHODS``.
      option: the option that names the baseline: ``baseline`` or ``replace``.
      chosen: the baseline of the map.
      n_words: the number of words of the text; one alone is the top word of every map.
      others: ``[n_others]`` the others, in the order of the choices; those that the tokenizer has no token for are left out.
      class_name: the explained class.
      baseline_class: the class that the baseline itself is put into.
      same_class: whether that is the explained class.
    """

    method: str
    option: str
    chosen: str
    n_words: int
    others: tuple[OtherBaseline, ...]
    class_name: str
    baseline_class: str
    same_class: bool

    def sentence(self) -> str:
        """The comparison in words, for a line beside the map.

        Occlusion takes out one word at a time, so nothing is said of the text without any.

        >>> others = (OtherBaseline("mask", 0.68, True), OtherBaseline("zero", 0.75, False))
        >>> found = BaselineComparison("integrated_gradients", "baseline", "pad", 7, others, "LOC", "HUM", False)
        >>> for part in found.sentence().split(": ", 1)[1].split(". "):
        ...     print(part)
        Spearman 0.68 to 0.75, same top word with 1 of 2
        The baseline itself (pad) is classed “HUM”.
        """
        words = _WORDS[self.option]
        if SALIENCE_METHODS[self.method].word_by_word:
            return f"{words.others}{self._of_others()}."
        itself = f"{words.itself.format(self.chosen)} is classed “{self.baseline_class}”"
        if self.same_class:
            itself += ", the explained class: what already speaks for it there gets no score"
        return f"{words.others}{self._of_others()}. {itself}."

    def _of_others(self) -> str:
        if not self.others:
            return ": this tokenizer has no others"
        names = ", ".join(one.name for one in self.others)
        if self.n_words == 1:
            return f" ({names}): the text has one word, so there is no order to compare"
        found = sorted({f"{one.spearman:.2f}" for one in self.others if one.spearman is not None}, key=float)
        alike = " to ".join(dict.fromkeys((found[0], found[-1]))).replace("-", "−") if found else "not defined"
        n_same = sum(one.same_top_word for one in self.others)
        return f" ({names}): Spearman {alike}, same top word with {n_same} of {len(self.others)}"


def compare_baselines(
    forward: Forward,
    text: str,
    method: str,
    target: Target | None = None,
    options: SalienceOptions | None = None,
    check: Callable[[], None] | None = None,
    *,
    how: str | None = None,
    make: Callable[[SalienceOptions], TokenScores] | None = None,
) -> BaselineComparison | None:
    """How much the map of one text changes with the baseline. This makes as many maps as there are baselines.

    Args:
      forward: what is explained.
      text: any string.
      method: a name in ``SALIENCE_METHODS``.
      target: which number is explained; by default the logit of the predicted class.
      options: settings of the method; by default those of `SalienceOptions`.
      check: called before every pass; an error that it raises ends the computation.
      how: how one score is made of a word's tokens, see `TokenScores.by_word`.
      make: makes the map for some options; by default `explain` does. Whoever keeps maps can give those that are there.

    Returns:
      None for a method whose maps depend on no baseline.

    Raises:
      LitProbeError: the text has no word, the target is out of range, or the method cannot work on this model.
      CancelledError: as ``check`` says.
    """
    option = lookup(SALIENCE_METHODS, method, "salience method").baseline
    [encoded] = forward.encoder.encode([text], with_tokens=True)
    words = words_of(text, encoded)
    if not words.texts:
        raise LitProbeError("The text has no word to explain.")
    if target is not None:
        forward.check(target)
    if not option:
        return None
    asked = fitting(options or SalienceOptions(), forward.encoder)
    made = make or (lambda one: explain(forward, text, method, target, one, check))
    chosen = getattr(asked, option)
    scores = made(asked)
    maps = {}
    for name in _WORDS[option].choices:
        other: dict[str, Any] = {option: name}
        varied = replace(asked, **other)
        if name != chosen and fitting(varied, forward.encoder) == varied:
            with suppress(NoSuchBaselineError):
                maps[name] = made(varied).by_word(how)[1]
    put_into = int(forward.decided(_EMPTIED[option](forward, encoded, words, chosen)))
    own = scores.by_word(how)[1]
    return BaselineComparison(
        method=method,
        option=option,
        chosen=chosen,
        n_words=len(words.texts),
        others=tuple(
            OtherBaseline(name, None if np.isnan(rho := spearman(own, one)) else rho, _first(own) == _first(one))
            for name, one in maps.items()
        ),
        class_name=scores.class_name,
        baseline_class=forward.class_names[put_into],
        same_class=put_into == scores.target.class_index,
    )


def _first(scores: NDArray[np.float64]) -> int:
    return int(np.abs(scores).argmax())


def _logits_of_embeddings(forward: Forward, encoded: EncodedText, words: Words, name: str) -> NDArray[np.float64]:
    def compute() -> NDArray[np.float64]:
        import torch

        with torch.no_grad():
            baseline = baseline_of(ExplainedText(forward, encoded, None, None), name)
            logits: NDArray[np.float64] = forward.of_text(encoded)(baseline)[0].cpu().numpy()
        return logits

    return on_encoder_thread(compute)


def _logits_without_words(forward: Forward, encoded: EncodedText, words: Words, name: str) -> NDArray[np.float64]:
    perturbed = PerturbedText.of(forward, encoded, words, name)
    logits: NDArray[np.float64] = forward.logits_of(perturbed.rows(np.zeros((1, perturbed.n_units), dtype=bool)))[0]
    return logits


# By the option, ``[n_classes]`` logits of the baseline itself.
_EMPTIED: dict[str, Callable[[Forward, EncodedText, Words, str], NDArray[np.float64]]] = {
    "baseline": _logits_of_embeddings,
    "replace": _logits_without_words,
}


@dataclass(frozen=True)
class _OptionWords:
    choices: tuple[str, ...]
    others: str
    itself: str


_WORDS = {
    "baseline": _OptionWords(tuple(BASELINE_CHOICES), "With other baselines", "The baseline itself ({})"),
    "replace": _OptionWords(
        tuple(REPLACE_CHOICES), "With words taken out in other ways", "The text with all its words taken out ({})"
    ),
}
