"""Runs for the tests of reports: real ones of a tiny encoder, and their pages as a reader of HTML sees them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from planted_studies import sentences

from lit_probe.checks.battery import CHECKS, run_battery
from lit_probe.checks.leakage import circularity_of, near_duplicates
from lit_probe.checks.transfer import transfer_within_groups
from lit_probe.data import split_texts
from lit_probe.encoder.encoder import Encoder
from lit_probe.probing.study import probe_layers
from lit_probe.report.run_file import run_json, study_json

N_REPEATS = 2


def made_run(
    encoder: Encoder, names: tuple[str, ...] = ("films",), checks: tuple[str, ...] = tuple(CHECKS), **options: Any
) -> dict:
    """The ``layers.json`` of a run on sentences about films."""
    datasets, studies = {}, []
    for seed, name in enumerate(names):
        texts, labels = sentences()
        splits = split_texts(texts, labels, name=name, seed=seed)
        study = probe_layers(encoder, splits, **options)
        battery = run_battery(study, names=checks, variants={"repeats": str(N_REPEATS)})
        datasets[name] = study_json(study, battery, near_duplicates(splits), circularity_of(encoder, splits))
        studies.append(study)
    transfer = transfer_within_groups(studies) if len(studies) > 1 else None
    return run_json(studies[0].settings(), datasets, control="word", repeat=N_REPEATS, transfer=transfer)


def changed(run: dict, change: Callable[[dict], Any]) -> dict:
    """A copy of a run with something else in it."""
    other = copy.deepcopy(run)
    change(other)
    return other


def stretched(run: dict, n_layers: int, label_names: list[str], name: str | None = None) -> dict:
    """A run with so many layers and classes, by repeating those that there are: a page to look at, no truth."""
    other = copy.deepcopy(run)
    [(known, one)] = other["datasets"].items()
    old = one["label_names"]

    def longer(rows: list) -> list:
        made = [copy.deepcopy(rows[min(place, len(rows) - 1)]) for place in range(n_layers)]
        for place, row in enumerate(made):
            if isinstance(row, dict) and "layer" in row:
                row["layer"] = place
        return made

    def reworded(row: dict) -> dict:
        plain = {key: value for key, value in row.items() if ":" not in key}
        per_class = {key.partition(":")[0]: value for key, value in row.items() if key.endswith(f":{old[0]}")}
        return {**plain, **{f"{key}:{label}": value for label in label_names for key, value in per_class.items()}}

    one["layers"] = [reworded(row) for row in longer(one["layers"])]
    one["test"] = reworded(one["test"])
    one["layer_names"] = ["embeddings", *(f"block {place}" for place in range(1, n_layers))]
    one["probes"], one["label_names"] = longer(one["probes"]), label_names
    one["n_by_class"] = {split: [counts[0]] * len(label_names) for split, counts in one["n_by_class"].items()}
    for check in one["checks"].values():
        for key in ("layers", "memorisation", "rows"):
            if check.get(key):
                check[key] = longer(check[key])
    for baseline in one["checks"].get("baselines", {}).get("baselines", []):
        if baseline["per_layer"]:
            baseline["layers"] = longer(baseline["layers"])
    other["datasets"] = {name or known: one}
    return other


@dataclass
class Cell:
    """A cell of a table.

    Attributes:
      text: all that it shows.
      bare: what it shows outside of values of ``layers.json``.
    """

    text: str = ""
    bare: str = ""


@dataclass
class Value:
    """A value that the page shows.

    Attributes:
      text: how it is shown.
      at: its place in ``layers.json``, a JSON pointer.
      of: whose, empty for the page's own run.
      less: the place of what was taken off it in the other run; None for a value as it is.
    """

    at: str
    of: str
    less: str | None
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page as a reader of HTML sees it.

    Attributes:
      values: everything that says where it stands in ``layers.json``.
      cells: the cells of its tables.
      attributes: all attributes, with the element's name.
      tags: the number of elements by name.
    """

    values: list[Value] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    tags: dict[str, int] = field(default_factory=dict)
    text: str = ""
    headings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, Value | None]] = []

    @classmethod
    def of(cls, html: str) -> Page:
        page = cls()
        page.feed(html)
        page.close()
        assert not page._open, page._open
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in found.items()]
        self.tags[tag] = self.tags.get(tag, 0) + 1
        value = None
        if "data-at" in found:
            value = Value(found["data-at"], found.get("data-of", ""), found.get("data-less"))
            self.values.append(value)
        if tag in ("td", "th"):
            self.cells.append(Cell())
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")
        if tag not in ("meta", "br"):
            self._open.append((tag, value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1][0] == tag, (tag, self._open[-3:])
        self._open.pop()

    def handle_data(self, data: str) -> None:
        names = [tag for tag, _ in self._open]
        if "style" in names or "svg" in names:
            return
        self.text += data
        values = [value for _, value in self._open if value is not None]
        if any(tag in ("td", "th") for tag in names):
            self.cells[-1].text += data
            self.cells[-1].bare += "" if values else data
        if any(tag in ("h1", "h2", "h3") for tag in names):
            self.headings[-1] += data
        for value in values:
            value.text += data


def at(run: Any, pointer: str) -> Any:
    """What stands at a JSON pointer (RFC 6901)."""
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        run = run[int(key)] if isinstance(run, list) else run[key]
    return run


def numbers_in(value: Any) -> Iterator[Any]:
    """All numbers in what JSON gives, in order."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value
