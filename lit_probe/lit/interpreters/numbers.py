"""What one number on a panel was measured on, and whether the command line computes it too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lit_probe.checks.battery import CHECKS
from lit_probe.checks.provenance import card
from lit_probe.checks.selectivity import N_SEEDS
from lit_probe.data.asking import ALL_SURFACE, COLUMNS
from lit_probe.data.labelled_texts import SPLIT_NAMES
from lit_probe.encoder.cache import text_hash
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.asked_rows import rows_of
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.host.row_selection import HELD_OUT
from lit_probe.scores.metrics import SCORE_INTERVALS

CURVE = "layer_metrics"
TRANSFER = "transfer"
CONCEPTS = "concept_map"
# The targets of a map that names none.
CONCEPTS_OF_A_PAGE = (COLUMNS, ALL_SURFACE)
_KEYS = {"check", "control", "metric", "decision", "examples", "train", "layer", "split", "value", "whole"}
_INTERVALS = {
    CURVE: SCORE_INTERVALS,
    TRANSFER: SCORE_INTERVALS,
    CONCEPTS: SCORE_INTERVALS,
    **{name: check.interval for name, check in CHECKS.items()},
}
_IN_FULL = "The command line scores whole splits, not selections: "


def read_number(number: Any, name: str) -> Mapping[str, Any]:
    """The description of a number.

    Raises:
      LitProbeError: it describes none; the message says what would.
    """
    if not isinstance(number, Mapping):
        raise LitProbeError(
            f"A number is described by an object, as {{'check': 'selectivity', 'layer': 3}} is, not by {type(number).__name__}."
        )
    if unknown := sorted(str(key) for key in number if key not in _KEYS):
        raise LitProbeError(f"A number is described by {', '.join(sorted(_KEYS))}, but not by {', '.join(unknown)}.")
    if not isinstance(check := number.get("check", CURVE), str) or check not in _INTERVALS:
        raise LitProbeError(f"Unknown check {check!r}. Choose one of: {', '.join(_INTERVALS)}.")
    return number


def facts_of(
    number: Mapping[str, Any], probes: ProbeModel, shown: ProbeDataset | None, inputs: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The number with the rows and draws behind it.

    Args:
      number: description that `read_number` accepted.
      probes: whose number it is; its study is finished.
      shown: the data set that ``inputs`` belong to.
      inputs: the rows that the curve was asked about; the checks are about all dev rows.

    Returns:
      The number's own entries; ``seed``; ``interval``, how it was made; ``control`` and ``labellings`` of selectivity; ``rows``:
      by split ``n`` and ``sha256``, the hash of the texts in the order of the data set.
    """
    study, check = probes.study.result(), number.get("check", CURVE)
    rows: dict[str, Sequence[str]] = {"dev": study.splits.dev.texts}
    if check == CURVE:
        wanted = SPLIT_NAMES if number.get("train") is True else HELD_OUT
        rows = {
            split: one.texts
            for split, one in rows_of(inputs, probes, shown, wanted, whole=number.get("whole") is True).by_split.items()
        }
    elif check not in (TRANSFER, CONCEPTS):
        parts = dict(study.splits.items())
        rows = {split: parts[split].texts for split in CHECKS[check].splits}
    drawn: dict[str, Any] = {}
    if check == "selectivity":
        control = probes.dataset.source_variant(number.get("control")) or CHECKS[check].default_of(probes.unit)
        drawn = {"control": control, "labellings": f"{N_SEEDS}, by the first usable seeds from {study.seed} on"}
    return {
        **number,
        "check": check,
        "seed": study.seed,
        "interval": _INTERVALS[check],
        **drawn,
        "rows": {split: {"n": len(texts), "sha256": text_hash(texts)} for split, texts in rows.items()},
    }


def command_for(number: Mapping[str, Any], probes: ProbeModel, shown: ProbeDataset | None) -> tuple[list[str] | None, str]:
    """The command that computes the number again, and what has to be said of it.

    Args:
      number: the facts from `facts_of`.
      probes: whose number it is.
      shown: the data set on the page.

    Returns:
      The command's words, or None where no command reads these texts; a sentence that says where the number then stands, or
      why it is not among them.
    """
    study, check = probes.study.result(), number["check"]
    name = study.splits.name
    if check == TRANSFER:
        return _command(_flags_of_all(probes), "--checks=transfer"), "It stands in layers.json under transfer."
    flags = card(study).flags
    if check == CONCEPTS:
        asked = f"--targets={','.join(CONCEPTS_OF_A_PAGE)}"
        others = None if flags is None else [flag for flag in flags if not flag.startswith("--targets=")]
        return _command(others, asked, "--checks=none"), "It stands in layers.json under concepts."
    if check != CURVE:
        usual = CHECKS[check].default_of(probes.unit)
        control = number.get("control", usual)
        more = [f"--control={control}"] if control != usual else []
        return _command(flags, f"--checks={check}", *more), f"It stands in layers.json under datasets.{name}.checks.{check}."
    command = _command(flags, "--checks=none")
    if shown is not probes.dataset:
        return None, "These are rows of another data set than the probes' own; the command line scores those as transfer."
    parts = dict(study.splits.items())
    whole = {split for split, rows in number["rows"].items() if rows["n"] == len(parts[split])}
    if "dev" in number["rows"] and "dev" not in whole:
        return command, f"{_IN_FULL}this fits the same probes. For this very number, select the same rows here."
    if "dev" not in number["rows"]:
        return (
            command,
            f"{_IN_FULL}this fits the same probes, and scores all of dev. For this very number, select the same rows here.",
        )
    beside = f" and under datasets.{name}.test for layer {study.best_layer}" if "test" in whole else ""
    rest = "Test at other layers and the fit on train are shown here alone."
    return command, f"It stands in layers.json under datasets.{name}.layers for dev{beside}. {rest}"


def _command(flags: Sequence[str] | None, *more: str) -> list[str] | None:
    return None if flags is None else ["lit-probe", "layers", *flags, *more]


def _flags_of_all(probes: ProbeModel) -> list[str] | None:
    """The flags for all data sets that transfer compares, or None where they differ in more than the data set."""
    studies = [study.result() for study in probes.comparable_studies if study.status() is None]
    cards = [flags for study in studies if (flags := card(study).flags) is not None]
    if len(cards) < len(studies):
        return None
    prefix = "--datasets="
    others = [[flag for flag in flags if not flag.startswith(prefix)] for flags in cards]
    if any(other != others[0] for other in others):
        return None
    names = ",".join(flag.removeprefix(prefix) for flags in cards for flag in flags if flag.startswith(prefix))
    return [prefix + names, *others[0]]
