"""What can be chosen about a salience map. Each method names the options it reads."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from lit_probe.data.seeds import checked_seed
from lit_probe.errors import LitProbeError
from lit_probe.registry import lookup
from lit_probe.results import Result

# What a choice stands for; flags and LIT's controls show the names.
BASELINE_CHOICES = {
    "pad": "the padding token's embedding",
    "mask": "the mask token's embedding",
    "zero": "zeros",
    "mean": "the mean of the embedding table",
}
REPLACE_CHOICES = {
    "mask": "the mask token takes its place",
    "unk": "the unknown token takes its place",
    "delete": "it is left out",
}
UNIT_CHOICES = {"word": "whole words", "token": "the encoder's tokens"}
KERNEL_CHOICES = {
    "paper": "exp(−d²/w²), as in the paper",
    "package": "exp(−d²/2w²), as in the lime package",
}

_LARGEST = sys.float_info.max


@dataclass(frozen=True)
class SalienceOptions(Result):
    """The settings of all salience methods.

    Attributes:
      steps: points on the path of integrated gradients, 1 or more.
      samples: perturbed texts of LIME and KernelSHAP, 2 or more; fewer are made where a short text has fewer.
      noise_samples: random rows that SmoothGrad and GradientSHAP average, 1 or more.
      growth: how many times as many steps or random rows as at first integrated gradients and GradientSHAP may take where the
        scores do not add up to within 2 % of the change, 1 or more; 1 takes no more than at first. Integrated gradients start
        with ``steps``, GradientSHAP with ``noise_samples`` rounded up to equally many for each of its baselines.
      noise: standard deviation of SmoothGrad's noise, as a share of the standard deviation of the text's embeddings; 0 or more.
      seed: the seed of the random methods, 0 to 2^32 - 1.
      baseline: what integrated gradients start from in place of the text: ``pad``, ``mask``, ``zero`` or ``mean``.
      replace: what perturbation does to a word: ``mask``, ``unk`` or ``delete``.
      unit: what perturbation perturbs: a ``word`` or a ``token``.
      kernel: the convention of LIME's kernel: ``paper``, exp(−d²/w²), or ``package``, the square root of it.
      kernel_width: the width w of LIME's kernel on the cosine distance d in 0..1, in that convention, above 0.

    Raises:
      LitProbeError: a value is out of its range or of another kind, or a name is unknown.

    >>> SalienceOptions(steps=0)
    Traceback (most recent call last):
    ...
    lit_probe.errors.LitProbeError: steps is 0; give a whole number, 1 or more.
    """

    steps: int = 50
    samples: int = 256
    noise_samples: int = 32
    growth: int = 8
    noise: float = 0.5
    seed: int = 0
    baseline: str = "pad"
    replace: str = "mask"
    unit: str = "word"
    kernel: str = "paper"
    kernel_width: float = 0.25

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("samples", 2), ("noise_samples", 1), ("growth", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise LitProbeError(f"{name} is {value!r}; give a whole number, {least} or more.")
        object.__setattr__(self, "seed", checked_seed(self.seed))
        if not (_is_finite(self.noise) and self.noise >= 0):
            raise LitProbeError(f"noise is {self.noise!r}; give a finite number, 0 or more.")
        if not (_is_finite(self.kernel_width) and self.kernel_width > 0):
            raise LitProbeError(f"kernel_width is {self.kernel_width!r}; give a finite number above 0.")
        names = (
            ("baseline", BASELINE_CHOICES, "baseline"),
            ("replace", REPLACE_CHOICES, "replacement"),
            ("unit", UNIT_CHOICES, "unit"),
            ("kernel", KERNEL_CHOICES, "kernel"),
        )
        for field, choices, what in names:
            value = getattr(self, field)
            if not isinstance(value, str):
                raise LitProbeError(f"{field} is {value!r}; give one of: {', '.join(sorted(choices))}.")
            lookup(choices, value, what)


def _is_finite(value: Any) -> bool:
    """Whether it is a number that a float can hold; True and False are none."""
    return isinstance(value, (int, float, np.floating)) and not isinstance(value, bool) and bool(-_LARGEST <= value <= _LARGEST)
