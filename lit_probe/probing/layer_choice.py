"""Which layer is reported: rules that choose one by its scores on dev."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from lit_probe.errors import ProbeError
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.scores.intervals import critical_value
from lit_probe.scores.metrics import Score


@dataclass(frozen=True)
class LayerChoice(Result):
    """The layer that was chosen on dev.

    Attributes:
      layer: its number.
      among: the layers that the rule left to choose from, the chosen one included: those whose scores on dev are as good but for
        chance, or exactly as good.
      rule: a name in `LAYER_RULES`.
      loss: what decided among them, in words; None for log-loss.
    """

    layer: int
    among: tuple[int, ...]
    rule: str
    loss: str | None = field(default=None, repr=False)

    omitted_if_none: ClassVar[tuple[str, ...]] = ("loss",)

    @property
    def sentence(self) -> str:
        """How the layer was chosen, for the reader."""
        return self.told(None)

    def told(self, names: Sequence[str] | None) -> str:
        """The same, with what the layers are called beside their numbers, where a number alone does not say it."""
        titles = {layer: str(layer) if names is None else f"{layer} ({names[layer]})" for layer in self.among}
        others = ", ".join(title for layer, title in titles.items() if layer != self.layer)
        rule = LAYER_RULES[self.rule]
        return (rule.sentence if others else rule.alone).format(
            layer=titles[self.layer], others=others, loss=self.loss or "log-loss"
        )


@dataclass(frozen=True)
class LayerRule:
    """One way to choose.

    Attributes:
      among: the function from the headline scores and the losses of all layers, and the number of groups, to the layers that
        are left to choose from.
      by_loss: whether the lowest loss decides among these; else the lowest layer is taken.
      sentence: what was done, with places for the ``{layer}``, the ``{others}`` and the ``{loss}``.
      alone: the same where there are no others.
    """

    among: Callable[[Sequence[Score], Sequence[Score], int | None], list[int]]
    by_loss: bool
    sentence: str
    alone: str


def _best(scores: Sequence[Score], higher_is_better: bool = True, errors: float = 0.0, n_groups: int | None = None) -> list[int]:
    """The layers whose score is no further than so many standard errors of the best one from it, lower layers first.

    A standard error is what the interval stands for: its half, on the side of worse scores, by the quantile that made it.

    Raises:
      ProbeError: no layer has a score.
    """
    sign = 1 if higher_is_better else -1
    values = {layer: sign * score.value for layer, score in enumerate(scores) if score.value is not None}
    if not values:
        reasons = "; ".join(sorted({score.reason for score in scores})) or "there are no layers"
        raise ProbeError(f"There is no best layer, because no layer has a score: {reasons}.")
    top = max(values, key=lambda layer: (values[layer], -layer))
    # The end of the interval on the side of worse scores: the other one says nothing where the score is perfect.
    worse_end = scores[top].low if higher_is_better else scores[top].high
    error = 0.0 if worse_end is None else abs(values[top] - sign * worse_end) / critical_value(n_groups)
    return [layer for layer, value in values.items() if value >= values[top] - errors * error]


LAYER_RULES: dict[str, LayerRule] = {
    "one_se": LayerRule(
        among=lambda headline, losses, n_groups: _best(headline, errors=1.0, n_groups=n_groups),
        by_loss=True,
        sentence="Layer {layer} has the lowest {loss} of the layers within one standard error of the best score "
        "(the others: {others}).",
        alone="Layer {layer} has the best score, and no other one is within one standard error of it.",
    ),
    "headline": LayerRule(
        among=lambda headline, losses, n_groups: _best(headline),
        by_loss=False,
        sentence="Layer {layer} is the lowest of the layers with the best score (the others: {others}).",
        alone="Layer {layer} has the best score.",
    ),
    "log_loss": LayerRule(
        among=lambda headline, losses, n_groups: _best(losses, higher_is_better=False, errors=1.0, n_groups=n_groups),
        by_loss=True,
        sentence="Layer {layer} has the lowest {loss} (others within one standard error of it: {others}).",
        alone="Layer {layer} has the lowest {loss}, and no other one is within one standard error of it.",
    ),
}
DEFAULT_RULE = "one_se"


def choose_layer(
    headline: Sequence[Score],
    losses: Sequence[Score],
    rule: str = DEFAULT_RULE,
    n_groups: int | None = None,
    loss: str | None = None,
) -> LayerChoice:
    """The layer to report, chosen on dev.

    The share of right answers is a coarse number. Of seven layers with accuracies of 0.73 to 0.84, 150 dev rows find the best one
    by accuracy in 70 % of draws, and lose 0.010 of accuracy on average; ``one_se`` finds it in 78 % and loses 0.007, as
    ``log_loss`` does. Where the probes of some layers are far too sure of themselves, log-loss leads astray, and ``one_se`` less,
    because it never leaves the layers that are about as good as the best: the one-standard-error rule of Breiman, Friedman,
    Olshen & Stone (1984, https://doi.org/10.1201/9781315139470), with log-loss in place of simplicity.

    Args:
      headline: ``[n_layers]`` the scores by which layers are compared, higher is better.
      losses: ``[n_layers]`` the log-losses, or what stands for them, lower is better.
      rule: a name in `LAYER_RULES`; ``headline`` is what was done before there was a choice.
      n_groups: the number of groups where the intervals are by group; None where they are by row.
      loss: what ``losses`` are, in words; None for log-loss.

    Raises:
      UnknownNameError: there is no such rule.
      ProbeError: no layer has a score.

    >>> def scores(*values): return [Score(value, value - 0.06, value + 0.06, 150, True) for value in values]
    >>> choose_layer(scores(0.70, 0.80, 0.79), scores(0.60, 0.47, 0.45))
    LayerChoice(layer=2, among=(1, 2), rule='one_se')
    >>> choose_layer(scores(0.70, 0.80, 0.79), scores(0.60, 0.47, 0.45), "headline").layer
    1
    """
    chosen = lookup(LAYER_RULES, rule, "rule for the choice of the layer")
    among = chosen.among(headline, losses, n_groups)
    layer = _best([losses[one] for one in among], higher_is_better=False)[0] if chosen.by_loss else 0
    return LayerChoice(among[layer], tuple(among), rule, loss)
