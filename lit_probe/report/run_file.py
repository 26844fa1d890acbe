"""What ``layers.json`` holds of a run: written from the study and its checks, and read back for the report."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lit_probe.checks.battery import CHECKS, Battery, layer_columns
from lit_probe.checks.check import CheckResult, FailedCheck
from lit_probe.checks.leakage import NearDuplicates
from lit_probe.checks.provenance import card_of, made_by, other_rules
from lit_probe.checks.transfer import TransferGroups
from lit_probe.data.asked import CLASSES, NUMBER, WORD, TargetKind
from lit_probe.errors import CacheError, LitProbeError
from lit_probe.probing.concept_map import ConceptMap
from lit_probe.probing.layer_choice import LayerChoice
from lit_probe.probing.loss_curve import LossCurve
from lit_probe.probing.probes import DEFAULT_PROBES, PROBES, TOKEN_PROBES, serves
from lit_probe.probing.study import LayerStudy, StudySettings
from lit_probe.report.html import Html, join
from lit_probe.report.numbers import At, score_keys
from lit_probe.results import Result
from lit_probe.scores.by_target import metrics_of, trivial_key
from lit_probe.scores.decision import Decision


def run_json(
    settings: StudySettings,
    datasets: Mapping[str, Mapping[str, Any]],
    *,
    control: str,
    repeat: int,
    transfer: TransferGroups | None = None,
    maps: Sequence[ConceptMap] = (),
    targets: Iterable[TargetKind] = (CLASSES,),
) -> dict[str, Any]:
    """The whole of ``layers.json``.

    Args:
      settings: those of the studies, which they share.
      datasets: by name what `study_json` gives.
      control: the control of selectivity.
      repeat: the number of other splits; 0 for none.
      transfer: the transfer between the data sets, where it was measured.
      maps: the maps of concepts, where several targets were asked.
      targets: what the studies ask for.
    """
    rules = made_by(control, *targets, probe=settings.probe)
    about = {**settings.to_json(), "made_by": rules, "control": control, "repeat": repeat}
    across = {} if transfer is None else {"transfer": transfer.to_json()}
    concepts = {"concepts": [one.to_json() for one in maps]} if maps else {}
    return {**about, "datasets": dict(datasets), **across, **concepts}


def study_json(
    study: LayerStudy,
    battery: Battery,
    copies: NearDuplicates | None = None,
    circularity: str | None = None,
    losses: LossCurve | None = None,
) -> dict[str, Any]:
    """What ``layers.json`` holds of one data set.

    Args:
      study: the fitted study.
      battery: its checks.
      copies: the near copies across its splits; None where nobody looked for them, and then nothing is said of circularity.
      circularity: why probing the encoder for these labels is circular; None where it is not.
      losses: the loss curve of the chosen layer's probe, where it has one.
    """
    return with_checks(study.to_json(), battery, copies, circularity, losses)


def with_checks(
    curve: Mapping[str, Any],
    battery: Battery,
    copies: NearDuplicates | None = None,
    circularity: str | None = None,
    losses: LossCurve | None = None,
) -> dict[str, Any]:
    """`study_json` of a study whose ``to_json`` is at hand: ``curve``."""
    columns = layer_columns(battery, len(curve["layers"]))
    layers = [{**row, **more} for row, more in zip(curve["layers"], columns, strict=True)]
    checks = {name: one.to_json() for name, one in battery.items()}
    leaks: dict[str, Any] = {}
    if copies is not None:
        found = {key: value for key, value in copies.to_json().items() if key != "rows"}
        leaks = {"near_duplicates": found, "circularity": circularity}
    of_losses = {} if losses is None else {"loss_curve": losses.to_json()}
    return {**curve, **of_losses, "layers": layers, "checks": checks, **leaks}


@dataclass(frozen=True)
class DatasetFacts(Result):
    """What ``layers.json`` says of a data set but for scores and checks; the fields are those of `LayerStudy.to_json`."""

    layer_names: tuple[str, ...]
    headline: str
    decision: Decision | None
    best_layer: int
    choice: LayerChoice
    label_names: tuple[str, ...]
    n: Mapping[str, int]
    n_by_class: Mapping[str, tuple[int, ...]]
    share_truncated: Mapping[str, float]
    share_unknown: Mapping[str, float]
    not_converged: tuple[int, ...]
    probes: tuple[Mapping[str, Any], ...]
    data: Mapping[str, Any]
    remarks: tuple[str, ...]
    target: TargetKind | None = None
    numbers: Mapping[str, Mapping[str, float | None]] | None = None


@dataclass(frozen=True)
class DatasetRun:
    """One data set of a run.

    Attributes:
      name: its name.
      at: what ``layers.json`` holds of it.
      facts: the same, read.
      checks: the checks that were run, by name.
      losses: the loss curve of the chosen layer's probe, where it has one.
    """

    name: str
    at: At
    facts: DatasetFacts
    checks: Mapping[str, CheckResult | FailedCheck]
    losses: LossCurve | None

    def result(self, name: str) -> CheckResult | None:
        """A check that was run and could be computed; None else."""
        found = self.checks.get(name)
        return None if isinstance(found, FailedCheck) else found

    def probe(self, run: At) -> Html:
        """The kind of probe: the run's, or the usual one of a number where another one serves that."""
        target: TargetKind = CLASSES if self.facts.label_names else NUMBER
        named = run["probe"].value
        fits = named not in (*PROBES, *TOKEN_PROBES) or serves(named, target)
        return run["probe"].html if fits else join([DEFAULT_PROBES[target]])

    @property
    def of_words(self) -> bool:
        """Whether its rows are words, not whole texts."""
        return self.facts.data.get("unit") == WORD

    @property
    def chosen(self) -> At:
        """The row of the layer that was chosen on dev."""
        return self.at["layers"][self.facts.best_layer]

    @property
    def place_names(self) -> tuple[str, ...] | None:
        """``[n_layers]`` what the places are called, where they are not all of an encoder's own layers."""
        return self.facts.layer_names if "sites" in self.at else None

    def place(self, number: At) -> Html:
        """The number of a layer and, where it needs one, its name."""
        if self.place_names is None:
            return number.html
        return join([number.html, " (", self.at["layer_names"][number.value].html, ")"])


@dataclass(frozen=True)
class Run:
    """A ``layers.json`` that was read.

    Attributes:
      at: all of it.
      datasets: its data sets.
      transfer: the transfer between them; None where it was not measured.
      maps: the maps of concepts, where several targets were asked of a data set.
    """

    at: At
    datasets: tuple[DatasetRun, ...]
    transfer: TransferGroups | None
    maps: tuple[ConceptMap, ...] = ()

    @property
    def encoder(self) -> str:
        """What the encoder is called: the last part of its id, and whether its weights were drawn."""
        model = self.at.value["model"]
        return str(model["id"]).rstrip("/").rpartition("/")[2] + (" (random weights)" if "random_weights" in model else "")


def read_run(path: str | os.PathLike[str]) -> Run:
    """A ``layers.json`` from its file; `run_of` says what is refused.

    Raises:
      LitProbeError: there is no such file, it is no JSON, or `run_of` refuses it.
    """
    title = repr(str(path))
    try:
        stored = json.loads(Path(path).read_text("utf-8"), parse_constant=_no_number)
    except OSError as error:
        raise LitProbeError(f"{title} cannot be read: {error.strerror}. Give the layers.json of a run.") from None
    except (ValueError, RecursionError) as error:
        raise LitProbeError(f"{title} is no layers.json ({error}). Give one that lit-probe layers wrote.") from None
    return run_of(stored, title)


def run_of(stored: Any, title: str = "This run") -> Run:
    """What `run_json` has written, checked as far as the report relies on it.

    Args:
      stored: what JSON gives.
      title: what messages call it.

    Raises:
      LitProbeError: it is something else, was written by an older version, or its numbers are made by other rules than those that
        the report would tell.
    """
    again = "Run lit-probe layers again with this version."
    if isinstance(stored, dict) and isinstance(stored.get("datasets"), dict) and not {"rules", "made_by"} <= set(stored):
        raise LitProbeError(f"{title} does not say by which rules its numbers are made, as older versions did not. {again}")
    card = card_of(stored, title)
    if not all("layers" in one for one in card["datasets"].values()):
        raise LitProbeError(f"{title} is a card, which holds no scores. Give the layers.json of a run.")
    if others := other_rules(card):
        version = card["versions"].get("lit-probe", "not named")
        raise LitProbeError(
            f"{title} cannot be reported: {others}. Use the version of lit_probe that wrote it ({version}), or run lit-probe "
            "layers "
            "again."
        )
    root = At(stored)
    try:
        datasets = tuple(_dataset(name, root["datasets"][name]) for name in stored["datasets"])
        transfer = TransferGroups.from_json(stored["transfer"]) if "transfer" in stored else None
        maps = tuple(map(ConceptMap.from_json, stored.get("concepts", [])))
    except (CacheError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise LitProbeError(f"{title} is not what this version writes ({_short(error)}). {again}") from None
    return Run(root, datasets, transfer, maps)


def _dataset(name: str, at: At) -> DatasetRun:
    facts = DatasetFacts.from_json(at.value)
    n_layers = len(facts.layer_names)
    lengths = {len(at.value["layers"]), len(facts.probes), n_layers}
    if len(lengths) > 1 or not 0 <= facts.best_layer < n_layers or facts.choice.layer != facts.best_layer:
        raise ValueError(f"the layers of {name!r} do not fit together")
    if (facts.target == NUMBER) != (not facts.label_names) or (facts.numbers is None) != bool(facts.label_names):
        raise ValueError(f"{name!r} has neither classes nor numbers, or both")
    if facts.decision is None and facts.label_names:
        raise ValueError(f"{name!r} says no rule by which rows are put in classes")
    _check_rows(at, facts)
    checks = {one: _check(one, stored) for one, stored in at.value["checks"].items()}
    for one, result in checks.items():
        if len(getattr(result, "layers", ())) not in (0, n_layers):
            raise ValueError(f"{one} of {name!r} has other layers than the study")
    if "near_duplicates" in at:
        NearDuplicates.from_json({**at.value["near_duplicates"], "rows": {}})
    losses = LossCurve.from_json(at.value["loss_curve"]) if "loss_curve" in at else None
    if losses is not None and (
        losses.layer != facts.best_layer or {len(losses.train), len(losses.held_out)} != {losses.n_epochs}
    ):
        raise ValueError(f"the loss curve of {name!r} does not fit its layer and its passes")
    return DatasetRun(name, at, facts, checks, losses)


def _check_rows(at: At, facts: DatasetFacts) -> None:
    """That every row of scores has every metric: a number or None, and a reason in words."""
    for row in (*at["layers"].value, at["test"].value):
        for metric in metrics_of(facts.label_names):
            name, colon, label = metric.partition(":")
            numbers = [row[key] for key in (*score_keys(metric), trivial_key(metric))]
            if not all(number is None or type(number) in (int, float) for number in numbers):
                raise ValueError(f"{metric} of a layer is {numbers[0]!r}")
            value, low, high, _ = numbers
            if low is not None and (value is None or high is None or not low <= value <= high):
                raise ValueError(f"{metric} of a layer lies outside its interval")
            if not isinstance(row[f"{name}_reason{colon}{label}"], str):
                raise ValueError(f"{metric} has no reason in words")


def _check(name: str, stored: Any) -> CheckResult | FailedCheck:
    if name not in CHECKS:
        raise ValueError(f"there is no check {name!r}")
    kind: type[Result] = FailedCheck if set(stored) == {"error"} else CHECKS[name].result
    found: CheckResult | FailedCheck = kind.from_json(stored)  # type: ignore[assignment]
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _short(error: Exception) -> str:
    words = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
    return words if len(words) < 200 else f"{words[:200]}…"
