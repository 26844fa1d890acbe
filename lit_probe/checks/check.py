"""What a check is: one question to a study, and everything that the rest of the package needs to know about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD, TargetKind, UnitKind, check_served
from lit_probe.data.labelled_texts import SplitName
from lit_probe.encoder.cache import Cache
from lit_probe.errors import UnservedError
from lit_probe.probing.pace import Work
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress
from lit_probe.results import Result


class CheckResult(Result):
    """The answer of a check, a frozen dataclass.

    Attributes:
      notes: sentences for the reader.
    """

    notes: tuple[str, ...]


@dataclass(frozen=True)
class FailedCheck(Result):
    """The answer where a check cannot be computed from these data.

    Attributes:
      error: the sentence that says why.
    """

    error: str


R = TypeVar("R", bound=CheckResult)


@dataclass(frozen=True)
class Check(Generic[R]):
    """One question to a study.

    Attributes:
      title: the name people read.
      result: the dataclass of the answer.
      compute: the function that answers. Its last argument is the variant; None where there are none, or for all of them.
      columns: the names of what ``layers.json`` says of each layer, with the fields of the result's ``layers`` that hold it.
      shown: those of the columns that the printed table has.
      findings: sentences about the numbers that belong to no layer, for the lines under the printed table.
      interval: the way in which its intervals are made, in words; ``"none"`` where there are none.
      made_by: the rule by which its numbers are made, in words that cards compare: change them when the numbers change.
      splits: the splits whose rows it is measured on.
      variant: the name of what its variants are, such as ``"control"``; None where there are none.
      default: the variant that is meant where none is named; None where the check then takes all of them.
      default_of_words: the same where rows are words and another one is meant; else None.
      rule: what decides its numbers besides study and variant, in words, from the variant: results of another rule are not read
        from the cache, and cards of it are refused. Empty where nothing does.
      units: the units that it is defined for.
      targets: the targets that it is defined for.
      made_by_number: ``made_by`` where the target is a number and the words are other ones; else None.
      interval_number: the same of ``interval``.
      not_of_number: why it does not apply to a number, a sentence; empty where the usual one says enough.
      quick: whether it takes about a second at most; the others fit probes.
      work: how much of it is left to be done, from the last argument the variant; None where all of its parts are kept. Nothing
        where it is quick. Of one that keeps no parts itself the whole counts, whose answer is looked for elsewhere.
      by_name_only: whether it is computed only where it is named, because it takes much longer than all others.
      keeps_parts: whether ``compute`` itself caches its parts, each under what decides it.
    """

    title: str
    result: type[R]
    compute: Callable[[LayerStudy, Cache, Progress, str | None], R]
    interval: str
    made_by: str
    columns: Mapping[str, str] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    findings: Callable[[R], Sequence[str]] = lambda result: ()
    splits: tuple[SplitName, ...] = ("dev",)
    variant: str | None = None
    default: str | None = None
    default_of_words: str | None = None
    rule: Callable[[str | None], str] = lambda variant: ""
    units: tuple[UnitKind, ...] = (TEXT,)
    targets: tuple[TargetKind, ...] = (CLASSES,)
    made_by_number: str | None = None
    interval_number: str | None = None
    not_of_number: str = ""
    quick: bool = False
    work: Callable[[LayerStudy, Cache, str | None], Work | None] = lambda study, cache, variant: Work()
    by_name_only: bool = False
    keeps_parts: bool = False

    def default_of(self, unit: UnitKind) -> str | None:
        """The variant that is meant for such rows where none is named."""
        return (self.default_of_words if unit == WORD else None) or self.default

    def rule_of(self, variant: str | None, target: TargetKind = CLASSES) -> str:
        """The rule by which the numbers of a variant are made: ``made_by``, and what is told of the variant besides."""
        made_by = (self.made_by_number if target == NUMBER else None) or self.made_by
        return "; ".join(filter(None, (made_by, self.rule(variant or self.default))))

    def interval_of(self, target: TargetKind) -> str:
        """``interval``, in the words of the target."""
        return (self.interval_number if target == NUMBER else None) or self.interval

    def check_serves(self, unit: UnitKind, target: TargetKind) -> None:
        """That it is defined for such a data set.

        Raises:
          UnservedError: it is not; the sentence says why.
        """
        if target == NUMBER and self.not_of_number and target not in self.targets:
            raise UnservedError(self.not_of_number)
        check_served(self.title, unit, target, self.units, self.targets)
