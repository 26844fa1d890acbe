"""By which rules a study is scored, its classes are decided and its layer is chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from lit_probe.data.asked import CLASSES, TargetKind
from lit_probe.errors import UnservedError
from lit_probe.probing.layer_choice import DEFAULT_RULE, LAYER_RULES
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.scores.decision import DECISION_RULES, Decision
from lit_probe.scores.metrics import is_unbalanced

AUTO = "auto"
HEADLINES = (AUTO, "accuracy", "balanced_accuracy", "auroc")
DECISIONS = (AUTO, *DECISION_RULES)


@dataclass(frozen=True)
class StudyRules(Result):
    """How a study is scored, and how its layer is chosen.

    Attributes:
      headline: the metric by which layers are compared: ``accuracy``, ``balanced_accuracy`` or ``auroc``. ``auto`` is accuracy,
        or balanced accuracy where one class holds more than 60 % of the train labels. A number has ``r2``, which is all that it
        can be compared by.
      decision: the rule by which probabilities become a class, a name in ``DECISION_RULES``. ``auto`` is ``prior`` where the
        headline is balanced accuracy, or AUROC of unbalanced classes, and else ``argmax``. Of a number nothing is decided.
      layer_choice: the rule by which the layer is chosen on dev, a name in ``LAYER_RULES``.

    Raises:
      UnknownNameError: there is no such metric or rule.
    """

    headline: str = AUTO
    decision: str = AUTO
    layer_choice: str = DEFAULT_RULE

    def __post_init__(self) -> None:
        lookup(dict.fromkeys(HEADLINES), self.headline, "headline metric")
        lookup(dict.fromkeys(DECISIONS), self.decision, "decision rule")
        lookup(LAYER_RULES, self.layer_choice, "rule for the choice of the layer")

    def headline_for(self, train_labels: ArrayLike, n_classes: int) -> str:
        """The metric by which layers are compared on data with these train labels ``[n_train]``; without classes, numbers.

        Raises:
          UnservedError: the metric that was named is not defined for them.
        """
        if not n_classes and self.headline != AUTO:
            raise UnservedError(
                f"The headline {self.headline!r} is about classes; this data set asks for a number, which is compared by r2. "
                "Leave headline at auto."
            )
        if not n_classes:
            return "r2"
        if self.headline != AUTO:
            return self.headline
        return "balanced_accuracy" if is_unbalanced(train_labels, n_classes) else "accuracy"

    def for_target(self, target: TargetKind) -> StudyRules:
        """The same rules for one of several targets: what is about classes is left at ``auto`` where a number is asked for."""
        return self if target == CLASSES else replace(self, headline=AUTO, decision=AUTO)

    def decision_for(self, train_labels: ArrayLike, n_classes: int, *, balanced: bool = False) -> Decision:
        """The rule by which probabilities become a class there; the usual one without classes, where none is decided.

        Args:
          train_labels: ``[n_train]``.
          n_classes: the number of classes; 0 for numbers.
          balanced: whether the probes were fitted with classes that count alike. Their probabilities are those of equal shares,
            so ``auto`` is then ``argmax``: to divide by the shares of train would make up for them twice.

        Raises:
          UnservedError: a rule was named, and there are no classes, or ``prior`` was, and classes count alike.
        """
        if not n_classes and self.decision != AUTO:
            raise UnservedError(
                f"The decision {self.decision!r} is about classes; this data set asks for a number, of which nothing is decided. "
                "Leave decision at auto."
            )
        if not n_classes:
            return Decision()
        rule = self.decision
        if balanced and rule == "prior":
            raise UnservedError(
                "The decision 'prior' divides by the shares of the classes, for which class_weight has made up already. Leave "
                "one of the two out."
            )
        if balanced and rule == AUTO:
            rule = "argmax"
        if rule == AUTO:
            headline = self.headline_for(train_labels, n_classes)
            ranks = headline == "auroc" and is_unbalanced(train_labels, n_classes)
            rule = "prior" if headline == "balanced_accuracy" or ranks else "argmax"
        return Decision.by(rule, train_labels, n_classes)
