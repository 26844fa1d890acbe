"""A run in steps, the curves first and then each check, so that what is done can be read and kept before the rest is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lit_probe.checks.battery import CHECKS, REPEATS, Battery, check_table, run_battery, stored_near_duplicates, work_left
from lit_probe.checks.check import CheckResult, FailedCheck
from lit_probe.checks.leakage import NearDuplicates, circularity_of
from lit_probe.checks.transfer import TransferGroups, transfer_table, transfer_within_groups
from lit_probe.data.asking import Unasked
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache
from lit_probe.probing.concept_map import ConceptMap, concept_maps
from lit_probe.probing.loss_curve import LossCurve, has_loss_curve, loss_curve
from lit_probe.probing.pace import Clock, Pace
from lit_probe.probing.study import LayerStudy, StudySettings
from lit_probe.progress import StudyProgress, about
from lit_probe.registry import within_sentence
from lit_probe.report.run_file import run_json, with_checks

# What is said of the time of checks that the cache has.
KEPT = "kept from before"


@dataclass(frozen=True)
class AskedChecks:
    """Which checks a run has.

    Attributes:
      names: of each data set, in reading order.
      transfer: whether the probes are carried over from one data set to the other.
      n_repeats: the number of other splits; 0 for none.
      control: the control of selectivity, whether it is measured or not.
    """

    names: Sequence[str]
    transfer: bool
    n_repeats: int
    control: str

    @property
    def variants(self) -> Mapping[str, str]:
        """By check the variant that is meant."""
        return {"selectivity": self.control, REPEATS: str(self.n_repeats)}


@dataclass(frozen=True)
class RunSoFar:
    """What is done of a run, after one of its steps.

    Attributes:
      asked: the checks that are asked for.
      studies: by data set, those that are fitted.
      curves: what ``layers.json`` holds of each without checks.
      losses: the loss curves of those whose probes have one.
      checks: by data set, the answers that are there.
      copies: by data set, the near copies across its splits, where they are found.
      circular: by data set, why probing it is circular, or None; where the checks have said so.
      transfer: the transfer between the data sets, where it is measured.
      maps: the maps of concepts, once all data sets are fitted of which several targets are asked.
      paces: by data set, what is known of how long its parts take.
      about: the data set of this step; None of one that is about all.
      fitted: whether this step is its curve, not a check.
      said: what the step has found, for whoever reads it; empty where that is nothing but numbers in the file.
      left: the titles of the steps that are not done yet.
      ahead: how long the next of them will take, with its title; empty where nothing is known.
    """

    asked: AskedChecks
    studies: Mapping[str, LayerStudy] = field(default_factory=dict)
    curves: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    losses: Mapping[str, LossCurve] = field(default_factory=dict)
    checks: Mapping[str, Battery] = field(default_factory=dict)
    copies: Mapping[str, NearDuplicates] = field(default_factory=dict)
    circular: Mapping[str, str | None] = field(default_factory=dict)
    transfer: TransferGroups | None = None
    maps: Sequence[ConceptMap] = ()
    paces: Mapping[str, Pace] = field(default_factory=dict)
    about: str | None = None
    fitted: bool = False
    said: str = ""
    left: Sequence[str] = ()
    ahead: str = ""

    def time_of(self, names: Sequence[str], datasets: Sequence[str], cache: Cache) -> str:
        """How long checks will take, in words, by what this run has measured; ``kept from before`` where the cache has them all.

        Empty where a part of it was not measured, as where the curve is from the cache, and where it is nothing.

        Args:
          names: of the checks.
          datasets: of which, whose curves are there.
          cache: where the answers are kept.
        """
        both = [
            (self.paces[one], work_left(name, self.studies[one], cache, self.asked.variants.get(name)))
            for name in names
            for one in datasets
        ]
        seconds = [pace.expected(work) for pace, work in both if work is not None]
        if not seconds:
            return KEPT
        known = [one for one in seconds if one is not None]
        whole = sum(known)
        return about(whole) if whole and len(known) == len(seconds) else ""

    def dataset_json(self, name: str) -> dict[str, Any]:
        """What ``layers.json`` holds of one data set."""
        done = self.checks.get(name, {})
        battery = {check: done[check] for check in CHECKS if check in done}
        return with_checks(self.curves[name], battery, self.copies.get(name), self.circular.get(name), self.losses.get(name))

    def to_json(self, settings: StudySettings) -> dict[str, Any]:
        """What ``layers.json`` holds: the same, once all is done, in whatever order the steps were.

        Args:
          settings: those that the studies share.
        """
        return run_json(
            settings,
            {name: self.dataset_json(name) for name in self.studies},
            control=self.asked.control,
            repeat=self.asked.n_repeats,
            transfer=self.transfer,
            maps=self.maps,
            targets=[study.splits.target for study in self.studies.values()],
        )


@dataclass(frozen=True)
class _Step:
    """One step: its title, the function that makes more of what is done, and how long that will take, in words."""

    title: str
    go_on: Callable[[RunSoFar], RunSoFar]
    time: Callable[[RunSoFar], str] = lambda done: ""


def run_in_steps(
    splits_list: Sequence[Splits],
    make_study: Callable[[Splits], LayerStudy],
    asked: AskedChecks,
    *,
    unasked: Sequence[Unasked] = (),
    cache: Cache,
    progress: StudyProgress | None = None,
) -> Iterator[RunSoFar]:
    """What is done of a run after each of its steps, of which the last has all of it.

    First come the curves of all data sets, then what takes about a second (`Check.quick`), copies and transfer, then the checks
    that fit probes.

    Args:
      splits_list: the data sets.
      make_study: fits the probes of one, or reads them from the cache.
      asked: the checks.
      unasked: the targets that could not be asked for.
      cache: where the answers are kept.
      progress: hears how far each check is.
    """
    steps = [_Step(f"the curve of {one.name}", _curve(one, make_study, cache)) for one in splits_list]
    if any(one.asked_of is not None for one in splits_list):
        steps.append(_Step("the map of concepts", _maps(unasked)))
    checks = [(name, _check_step(name, one.name, cache, progress)) for name in asked.names for one in splits_list]
    steps += [step for name, step in checks if CHECKS[name].quick]
    if asked.names:
        steps += [_Step(f"copies across the splits of {one.name}", _copies(one.name, cache)) for one in splits_list]
    if asked.transfer:
        steps.append(_Step("transfer", _transfer))
    steps += [step for name, step in checks if not CHECKS[name].quick]
    done = RunSoFar(asked)
    for number, step in enumerate(steps, start=1):
        done, left = step.go_on(replace(done, about=None, fitted=False, said="")), steps[number:]
        time = left[0].time(done) if left else ""
        done = replace(done, left=[one.title for one in left], ahead=f"{left[0].title}: {time}" if time else "")
        yield done


def _curve(splits: Splits, make_study: Callable[[Splits], LayerStudy], cache: Cache) -> Callable[[RunSoFar], RunSoFar]:
    def go_on(done: RunSoFar) -> RunSoFar:
        study = make_study(splits)
        losses = {splits.name: loss_curve(study, cache=cache)} if has_loss_curve(study) else {}
        return replace(
            done,
            studies={**done.studies, splits.name: study},
            curves={**done.curves, splits.name: study.to_json()},
            losses={**done.losses, **losses},
            paces={**done.paces, splits.name: study.pace},
            about=splits.name,
            fitted=True,
            said=study.table(),
        )

    return go_on


def _maps(unasked: Sequence[Unasked]) -> Callable[[RunSoFar], RunSoFar]:
    return lambda done: replace(done, maps=concept_maps(list(done.studies.values()), unasked))


def _check_step(name: str, dataset: str, cache: Cache, progress: StudyProgress | None) -> _Step:
    def go_on(done: RunSoFar) -> RunSoFar:
        study, variants, pace = done.studies[dataset], done.asked.variants, done.paces[dataset]
        # What is left is counted once more where the check's own time may teach the pace.
        work = work_left(name, study, cache, variants.get(name)) if pace.fit_s is None else None
        with Clock() as clock:
            answer = run_battery(study, cache, progress, [name], variants)
        if work and work.fits >= 1 and not work.read and not isinstance(answer[name], FailedCheck):
            # The curve's own fit was in the cache, and the next checks fit as these did.
            pace = replace(pace, fit_s=(clock.seconds or 0) / work.fits)
        answers: dict[str, CheckResult | FailedCheck] = {**done.checks.get(dataset, {}), **answer}
        return replace(
            done,
            checks={**done.checks, dataset: answers},
            paces={**done.paces, dataset: pace},
            about=dataset,
            said=check_table(answer, study.encoder.n_layers),
        )

    title = f"{within_sentence(CHECKS[name].title)} of {dataset}"
    return _Step(title, go_on, lambda done: "" if CHECKS[name].quick else done.time_of([name], [dataset], cache))


def _copies(dataset: str, cache: Cache) -> Callable[[RunSoFar], RunSoFar]:
    def go_on(done: RunSoFar) -> RunSoFar:
        study = done.studies[dataset]
        copies, circular = stored_near_duplicates(study.splits, cache), circularity_of(study.encoder, study.splits)
        said = "\n".join([*copies.notes, *([circular] if circular else [])])
        return replace(
            done,
            copies={**done.copies, dataset: copies},
            circular={**done.circular, dataset: circular},
            about=dataset,
            said=said,
        )

    return go_on


def _transfer(done: RunSoFar) -> RunSoFar:
    # Vectors that were pooled for the labels of one data set say nothing of those of another.
    if any(study.reads_tokens for study in done.studies.values()):
        return done
    found = transfer_within_groups(list(done.studies.values()))
    return replace(done, transfer=found, said=transfer_table(found))
