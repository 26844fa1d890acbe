"""Which words speak for a class: maps of one text, for the probe of any layer or for the model's own prediction.

A gradient method is one file with ``compute(explained, options)``, a perturbation method one with
``compute(forward, encoded, words, target, options)``; both return scores ``[n_tokens]`` and diagnostics, and each has one line in
``SALIENCE_METHODS``. captum does the work of the gradient methods. Its DeepLift is left out: it follows modules, and the
attention and residual additions of transformers are plain functions, so its scores would be wrong without saying so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder import on_encoder_thread
from lit_probe.errors import LitProbeError
from lit_probe.probe_forward import Forward, Target
from lit_probe.registry import lookup
from lit_probe.salience import (
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
from lit_probe.salience.explained import ExplainedText, predicted
from lit_probe.salience.options import SalienceOptions
from lit_probe.salience.token_scores import TokenScores
from lit_probe.salience.words import words_of

__all__ = ["SALIENCE_METHODS", "SalienceMethod", "SalienceOptions", "TokenScores", "explain"]


@dataclass(frozen=True)
class SalienceMethod:
    """One way to make a map.

    Attributes:
      name: its key in ``SALIENCE_METHODS``.
      title: what people read.
      compute: see the package's docstring.
      signed: whether scores below 0 speak against the target.
      gradient: whether it needs gradients; otherwise it asks the model about changed texts.
      cheap: whether it costs about one forward and backward pass of the text.
      deterministic: whether every seed gives the same scores.
      uses: the names of the options it reads.
    """

    name: str
    title: str
    compute: Callable[..., tuple[NDArray[np.float64], dict[str, Any]]]
    signed: bool = True
    gradient: bool = True
    cheap: bool = False
    deterministic: bool = True
    uses: tuple[str, ...] = ()


_METHODS = (
    SalienceMethod("gradient_l2", "Gradient (L2 norm)", gradient_l2.compute, signed=False, cheap=True),
    SalienceMethod("gradient_mean", "Gradient (mean)", gradient_mean.compute, signed=False, cheap=True),
    SalienceMethod("input_x_gradient", "Input × gradient", input_x_gradient.compute, cheap=True),
    SalienceMethod("integrated_gradients", "Integrated gradients", integrated_gradients.compute, uses=("steps", "baseline")),
    SalienceMethod(
        "smoothgrad",
        "SmoothGrad",
        smoothgrad.compute,
        signed=False,
        deterministic=False,
        uses=("noise_samples", "noise", "seed"),
    ),
    SalienceMethod("gradient_shap", "GradientSHAP", gradient_shap.compute, deterministic=False, uses=("noise_samples", "seed")),
    SalienceMethod("occlusion", "Occlusion", occlusion.compute, gradient=False, uses=("unit", "replace")),
    SalienceMethod(
        "lime",
        "LIME",
        lime.compute,
        gradient=False,
        deterministic=False,
        uses=("samples", "replace", "kernel_width", "seed"),
    ),
    SalienceMethod(
        "kernel_shap",
        "KernelSHAP",
        kernel_shap.compute,
        gradient=False,
        deterministic=False,
        uses=("samples", "replace", "seed"),
    ),
)
SALIENCE_METHODS: dict[str, SalienceMethod] = {method.name: method for method in _METHODS}


def _never() -> None:
    """The check of a map that nobody cancels."""


def explain(
    forward: Forward,
    text: str,
    method: str,
    target: Target | None = None,
    options: SalienceOptions | None = None,
    check: Callable[[], None] = _never,
) -> TokenScores:
    """The map of one text by one method.

    Args:
      forward: what is explained: `probe_forward` or `model_forward`.
      text: any string.
      method: a name in ``SALIENCE_METHODS``.
      target: which number is explained; by default the logit of the predicted class.
      options: settings of the method; by default those of `SalienceOptions`.
      check: called before every pass of a gradient method, and before and after a perturbation method; what it raises ends the
        computation.

    Raises:
      LitProbeError: the text has no word, the target is out of range, or the method cannot work on this model.
      CancelledError: as ``check`` says.
    """
    chosen = lookup(SALIENCE_METHODS, method, "salience method")
    return on_encoder_thread(_explain, forward, text, chosen, target, options or SalienceOptions(), check)


def _explain(
    forward: Forward,
    text: str,
    method: SalienceMethod,
    target: Target | None,
    options: SalienceOptions,
    check: Callable[[], None],
) -> TokenScores:
    [encoded] = forward.encoder.encode([text], with_tokens=True)
    words = words_of(text, encoded)
    if not words.texts:
        raise LitProbeError("The text has no word to explain.")
    if method.gradient:
        explained = ExplainedText(forward, encoded, target, check)
        scores, diagnostics = method.compute(explained, options)
        target, value = explained.target, explained.value
    else:
        check()
        logits = forward.logits_of([encoded])
        target = target or predicted(logits[0])
        value = float(forward.scalar_of(logits, target)[0])
        scores, diagnostics = method.compute(forward, encoded, words, target, options)
        check()
    return TokenScores(
        method=method.name,
        tokens=tuple(encoded.tokens),
        scores=np.where(encoded.special, 0.0, scores),
        signed=method.signed,
        words=words.of_token,
        word_texts=words.texts,
        words_beyond_limit=words.beyond_limit,
        explained=forward.name,
        target=target,
        class_name=forward.class_names[target.class_index],
        value=value,
        diagnostics={**{name: getattr(options, name) for name in method.uses}, **diagnostics},
    )
