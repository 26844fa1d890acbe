"""Which words speak for a class: maps of one text, for the probe of any layer or for the model's own prediction.

A method is one file with ``compute(text, options)``, which returns `MethodScores`, and one line in ``SALIENCE_METHODS``. The text
of a gradient method is an `ExplainedText`, that of a perturbation method an `AskedText`. A gradient method of several passes is
a generator that yields before each of them: there the encoder serves others too. captum takes the gradients. Its DeepLift is left
out: it follows modules, and the attention and residual additions of transformers are plain functions, so its scores would be
wrong without saying so.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.words import words_of
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.probing.probe_forward import Forward, Target
from lit_probe.registry import lookup
from lit_probe.salience.methods import (
    attention_rollout,
    gradient_l2,
    gradient_mean,
    gradient_shap,
    input_x_gradient,
    integrated_gradients,
    kernel_shap,
    lime,
    occlusion,
    smoothgrad,
)
from lit_probe.salience.methods.explained import ExplainedText, predicted
from lit_probe.salience.methods.perturbations import AskedText, fitting
from lit_probe.salience.options import BASELINE_CHOICES, SalienceOptions
from lit_probe.salience.token_scores import MethodScores, TokenScores

__all__ = [
    "EXPLAINING_METHODS",
    "SALIENCE_METHODS",
    "SalienceMethod",
    "SalienceOptions",
    "TokenScores",
    "explain",
    "explaining_method",
    "tokens_read",
]

# Backward takes about twice as long as forward.
_FORWARD_AND_BACKWARD = 3

_Found = MethodScores | Generator[None, None, MethodScores]


def _one(n_words: int, n_tokens: int, options: SalienceOptions) -> int:
    return 1


def _subsets(n_words: int, n_tokens: int, options: SalienceOptions) -> int:
    """Different texts with words taken out, and the text itself for its value."""
    return int(min(options.samples, 2**n_words)) + 1


@dataclass(frozen=True)
class SalienceMethod:
    """One way to make a map.

    Attributes:
      name: its key in ``SALIENCE_METHODS``.
      title: what people read.
      compute: function from an `ExplainedText` (gradient methods) or an `AskedText` (the others) and the options to the scores.
      rows: function from the numbers of words and of tokens and the options to how many rows the encoder reads at most, as long
        as nothing has to grow.
      signed: whether scores below 0 speak against the target.
      gradient: whether it needs gradients; otherwise it asks the model about changed texts.
      cheap: whether it costs about one forward and backward pass of the text.
      deterministic: whether every seed gives the same scores.
      uses: the names of the options it reads.
      baseline: which of these says what stands for nothing, ``baseline`` or ``replace``; empty where maps depend on none.
      word_by_word: whether it never looks at the text with all its words taken out.
      no_explanation: why its scores say nothing of a class, a sentence that stands beside every map; empty where they do.
    """

    name: str
    title: str
    compute: Callable[[Any, SalienceOptions], _Found]
    rows: Callable[[int, int, SalienceOptions], int] = _one
    signed: bool = True
    gradient: bool = True
    cheap: bool = False
    deterministic: bool = True
    uses: tuple[str, ...] = ()
    baseline: str = ""
    word_by_word: bool = False
    no_explanation: str = ""

    @property
    def explains(self) -> bool:
        """Whether its scores are about the explained number. Others have no words of a class and pass no self-test."""
        return not self.no_explanation

    def options_of(self, options: SalienceOptions) -> dict[str, float | int | str]:
        """Those of the options that it reads, by name."""
        return {name: getattr(options, name) for name in self.uses}


_METHODS = (
    SalienceMethod("gradient_l2", "Gradient (L2 norm)", gradient_l2.compute, signed=False, cheap=True),
    SalienceMethod("gradient_mean", "Gradient (mean)", gradient_mean.compute, signed=False, cheap=True),
    SalienceMethod("input_x_gradient", "Input × gradient", input_x_gradient.compute, cheap=True),
    SalienceMethod(
        "integrated_gradients",
        "Integrated gradients",
        integrated_gradients.compute,
        lambda n_words, n_tokens, options: options.steps + 2,
        uses=("steps", "growth", "baseline"),
        baseline="baseline",
    ),
    SalienceMethod(
        "smoothgrad",
        "SmoothGrad",
        smoothgrad.compute,
        lambda n_words, n_tokens, options: options.noise_samples + 1,
        signed=False,
        deterministic=False,
        uses=("noise_samples", "noise", "seed"),
    ),
    SalienceMethod(
        "gradient_shap",
        "GradientSHAP",
        gradient_shap.compute,
        lambda n_words, n_tokens, options: options.noise_samples + 2 * len(BASELINE_CHOICES),
        deterministic=False,
        uses=("noise_samples", "growth", "seed"),
    ),
    SalienceMethod(
        "occlusion",
        "Occlusion",
        occlusion.compute,
        lambda n_words, n_tokens, options: 2 + (n_tokens if options.unit == "token" else n_words),
        gradient=False,
        uses=("unit", "replace"),
        baseline="replace",
        word_by_word=True,
    ),
    SalienceMethod(
        "lime",
        "LIME",
        lime.compute,
        _subsets,
        gradient=False,
        deterministic=False,
        uses=("samples", "replace", "kernel", "kernel_width", "seed"),
        baseline="replace",
    ),
    SalienceMethod(
        "kernel_shap",
        "KernelSHAP",
        kernel_shap.compute,
        _subsets,
        gradient=False,
        deterministic=False,
        uses=("samples", "replace", "seed"),
        baseline="replace",
    ),
    SalienceMethod(
        "attention_rollout",
        "Attention rollout (no explanation)",
        attention_rollout.compute,
        lambda n_words, n_tokens, options: 2,
        signed=False,
        gradient=False,
        cheap=True,
        no_explanation="Attention rollout is the same for every class: it shows how tokens are mixed and explains no prediction.",
    ),
)
SALIENCE_METHODS: dict[str, SalienceMethod] = {method.name: method for method in _METHODS}
EXPLAINING_METHODS: dict[str, SalienceMethod] = {method.name: method for method in _METHODS if method.explains}
"""Those that say something of a class, which alone can find its words."""


def explaining_method(name: str) -> SalienceMethod:
    """The method of this name, which says something of a class.

    Raises:
      UnknownNameError: there is no such method, or its scores say nothing of one.
    """
    method = lookup(SALIENCE_METHODS, name, "salience method")
    if not method.explains:
        raise UnknownNameError(f"{method.no_explanation} Choose one of: {', '.join(sorted(EXPLAINING_METHODS))}.")
    return method


def tokens_read(forward: Forward, text: str, method: str, options: SalienceOptions | None = None) -> int:
    """What a map costs: about how many tokens the encoder reads for it. One that a gradient is taken of counts as three.

    A map whose scores do not add up takes more, at most ``growth`` times as many.

    Args:
      forward: what is explained.
      text: any string.
      method: a name in ``SALIENCE_METHODS``.
      options: settings of the method.

    Raises:
      UnknownNameError: there is no such method.
    """
    chosen = lookup(SALIENCE_METHODS, method, "salience method")
    [encoded] = forward.encoder.encode([text], with_tokens=True)
    rows = chosen.rows(len(words_of(text, encoded).texts), len(encoded.ids), options or SalienceOptions())
    return rows * len(encoded.ids) * (_FORWARD_AND_BACKWARD if chosen.gradient else 1)


def explain(
    forward: Forward,
    text: str,
    method: str,
    target: Target | None = None,
    options: SalienceOptions | None = None,
    check: Callable[[], None] | None = None,
) -> TokenScores:
    """The map of one text by one method. Between its passes the encoder serves others too.

    Args:
      forward: what is explained: `forward_of_probe` or `forward_of_model`.
      text: any string.
      method: a name in ``SALIENCE_METHODS``.
      target: which number is explained; by default the logit of the predicted class, or the number.
      options: settings of the method; by default those of `SalienceOptions`. Where the tokenizer has no mask token, ``mask``
        stands for ``unk``, else for ``delete``; the diagnostics say which.
      check: called before every pass; an error that it raises ends the computation.

    Raises:
      LitProbeError: the text has no word, the target is out of range, or the method cannot work on this model.
      CancelledError: as ``check`` says.
    """
    chosen = lookup(SALIENCE_METHODS, method, "salience method")
    options = fitting(options or SalienceOptions(), forward.encoder)
    [encoded] = forward.encoder.encode([text], with_tokens=True)
    words = words_of(text, encoded)
    if not words.texts:
        raise LitProbeError("The text has no word to explain.")
    if chosen.gradient:
        explained = on_encoder_thread(ExplainedText, forward, encoded, target, check)
        found = _finished(on_encoder_thread(chosen.compute, explained, options))
        target, value = explained.target, explained.value
    else:
        logits = forward.logits_of([encoded], check)
        target = target or predicted(forward, logits[0])
        value = float(forward.scalar_of(logits, target)[0])
        found = _finished(chosen.compute(AskedText(forward, encoded, words, target, check), options))
    forward.encoder.check_unchanged()  # gradients are taken after the last pass
    return TokenScores(
        method=chosen.name,
        tokens=tuple(encoded.tokens),
        scores=np.where(encoded.special, 0.0, found.scores),
        signed=chosen.signed,
        words=words.of_token,
        word_texts=words.texts,
        words_beyond_limit=words.beyond_limit,
        explained=forward.name,
        target=target,
        class_name=forward.class_names[target.class_index],
        value=value,
        diagnostics={**chosen.options_of(options), **found.diagnostics},
        warning=found.warning,
    )


def _finished(found: _Found) -> MethodScores:
    """The scores. Each part of a generator is one turn on the encoder thread."""
    while not isinstance(found, MethodScores):
        try:
            on_encoder_thread(next, found)
        except StopIteration as end:
            found = end.value
    return found
