"""What one row of a data set stands for (its unit), and what is asked of it (its target); and who serves which."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from lit_probe.errors import UnservedError

UnitKind = Literal["text", "word"]
TargetKind = Literal["classes", "number"]

TEXT: UnitKind = "text"
WORD: UnitKind = "word"
CLASSES: TargetKind = "classes"
NUMBER: TargetKind = "number"

_ROWS: dict[UnitKind, str] = {TEXT: "texts", WORD: "words"}
_ASKED: dict[TargetKind, str] = {CLASSES: "classes", NUMBER: "a number"}


def check_on_page(name: str, unit: UnitKind, target: TargetKind) -> None:
    """That LIT's page can show a data set of this unit and target.

    Raises:
      UnservedError: it cannot; the sentence says what works instead.
    """
    if target == NUMBER and unit == WORD:
        raise UnservedError(
            f"The page shows tags of words; {name} asks for a number of each. Probe it by lit-probe layers, report or "
            "neurons, or by lit_probe.probe_layers."
        )


def check_served(
    what: str, unit: UnitKind, target: TargetKind, units: Collection[UnitKind], targets: Collection[TargetKind]
) -> None:
    """That something can be asked of a data set of this unit and target.

    Args:
      what: its name, as a sentence begins with it.
      unit: what a row of the data set stands for.
      target: what is asked of a row.
      units: the units it serves.
      targets: the targets it serves.

    Raises:
      UnservedError: it serves another unit or target; the sentence says which.

    >>> check_served("Calibration", TEXT, NUMBER, [TEXT, WORD], [CLASSES])
    Traceback (most recent call last):
    ...
    lit_probe.errors.UnservedError: Calibration is about classes; this data set asks for a number.
    """
    if target not in targets:
        served = " or ".join(_ASKED[one] for one in targets)
        raise UnservedError(f"{what} is about {served}; this data set asks for {_ASKED[target]}.")
    if unit not in units:
        served = " or ".join(_ROWS[one] for one in units)
        raise UnservedError(f"{what} is about {served}; the rows of this data set are {_ROWS[unit]}.")
