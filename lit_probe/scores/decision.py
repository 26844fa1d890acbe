"""Which class a probe's probabilities stand for: the most probable one, or the one that gains most over its share of train."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.registry import lookup
from lit_probe.results import Result

# By each rule, what a row is put in.
DECISION_RULES: dict[str, str] = {
    "argmax": "the most probable class",
    "prior": "the class with the largest probability ÷ share of train, which names rare classes too",
}


@dataclass(frozen=True)
class Decision(Result):
    """A rule that turns probabilities into a class.

    ``argmax`` makes the fewest errors. Where one class is rare it hardly ever names it, and the mean over classes that balanced
    accuracy takes stays near chance, though the probe ranks rows well. ``prior`` makes the balanced error small: it divides by
    the class shares of train, the logit adjustment of Menon et al. (2021, https://arxiv.org/abs/2007.07314). With
    23 % positives and an AUROC of 0.889, balanced accuracy is 0.753 by the first rule and 0.806 by the second, the most there is;
    with 8 % and 0.63 it is 0.500 and 0.593 (normal scores of equal spread).

    Attributes:
      rule: a name in `DECISION_RULES`.
      shares: ``[n_classes]`` the class shares of train that ``prior`` divides by; empty for ``argmax``.

    Raises:
      UnknownNameError: there is no such rule.

    >>> rare = Decision.by("prior", train_labels=[0, 0, 0, 1], n_classes=2)
    >>> rare.classes([[0.7, 0.3], [0.8, 0.2]]), Decision().classes([[0.7, 0.3], [0.8, 0.2]])
    (array([1, 0]), array([0, 0]))
    """

    rule: str = "argmax"
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        lookup(DECISION_RULES, self.rule, "decision rule")

    @classmethod
    def by(cls, rule: str, train_labels: ArrayLike, n_classes: int) -> Decision:
        """The rule with the class shares of these train labels ``[n_train]``, of which every class has one."""
        if rule == "argmax":
            return cls()
        counts = np.bincount(np.asarray(train_labels, dtype=np.int64), minlength=n_classes)
        return cls(rule, tuple((counts / counts.sum()).tolist()))

    def of_other_train(self, train_labels: ArrayLike) -> Decision:
        """The same rule for probes that were fitted on other labels ``[n_train]`` of the same classes."""
        return self.by(self.rule, train_labels, len(self.shares))

    @property
    def sentence(self) -> str:
        """What a row is put in, for the reader."""
        return f"A row is put in {DECISION_RULES[self.rule]}."

    def adjusted(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """``[…, n_classes]`` logits of which the largest is the decided class."""
        return logits - np.log(self.shares) if self.shares else logits

    def classes(self, probabilities: ArrayLike) -> NDArray[np.int64]:
        """``[…]`` the decided class of ``probabilities`` ``[…, n_classes]``; the lower index on a tie."""
        values = np.asarray(probabilities, dtype=np.float64)
        decided: NDArray[np.int64] = (values / np.array(self.shares) if self.shares else values).argmax(axis=-1)
        return decided


ARGMAX = Decision()
