"""The parts that pages are put together from: tables with their source, figures, lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lit_probe.report.html import Content, Html, join, name, tag
from lit_probe.report.numbers import At
from lit_probe.report.svg import inline

# Tables of so many rows stay on one page.
_SHORT = 16
_MOST_ENTRIES = 24


@dataclass
class Numbering:
    """Counts the figures and tables of one page, so that each has a number and an anchor of its own."""

    figures: int = 0
    tables: int = 0

    def figure(self, svg: str, label: str, caption: Content) -> Html:
        """A drawing with its caption.

        Args:
          svg: the text of an SVG file.
          label: what it shows, for readers who cannot see it; no name that somebody gave.
          caption: what stands under it.
        """
        self.figures += 1
        number = tag("b", f"Figure {self.figures}. ")
        return tag("figure", inline(svg, f"figure-{self.figures}-", label), tag("figcaption", number, caption))

    def table(
        self,
        caption: Content,
        heads: Sequence[Content],
        rows: Iterable[Sequence[Content]],
        *,
        source: Content = None,
        notes: Iterable[Content] = (),
    ) -> Html:
        """A table, the first cell of each row being its name.

        Args:
          caption: what it shows.
          heads: the heads of its columns.
          rows: the cells, row by row.
          source: where its numbers come from and how they were made.
          notes: what is to be said of single cells.
        """
        self.tables += 1
        head = tag("thead", tag("tr", [tag("th", one, scope="col") for one in heads]))
        body = [tag("tr", tag("th", row[0], scope="row"), [tag("td", cell) for cell in row[1:]]) for row in rows]
        title = tag("caption", tag("b", f"Table {self.tables}. "), caption)
        below = [tag("p", note, class_="note") for note in dict.fromkeys(map(join, notes))]
        if source is not None:
            below.append(tag("p", source, class_="source"))
        kind = "table short" if len(body) <= _SHORT else "table"
        return tag("div", tag("table", title, head, tag("tbody", body)), below, class_=kind)


def source(at: At, rule: str = "", interval: str = "") -> Html:
    """Where numbers stand in ``layers.json``, and by which rule they are made.

    Args:
      at: the place.
      rule: the rule; empty where there is nothing to choose.
      interval: how their 95 % intervals are made; empty where it is told elsewhere, or where there are none.
    """
    of = "the other run’s layers.json" if at.of else "layers.json"
    return join(
        [
            f"Source: {of}",
            [", ", tag("code", name(at.words))] if at.path else None,
            None if at.of else ["; ", tag("a", "the command", href="#command")],
            f". Rule: {rule}." if rule else ".",
            f" 95 % intervals: {interval}." if interval and interval != "none" else None,
        ]
    )


def listed(items: Iterable[Content]) -> Html | None:
    """A list; nothing where there is nothing to list."""
    found = list(items)
    return tag("ul", [tag("li", item) for item in found]) if found else None


def ended(text: str) -> str:
    """Words with a full stop.

    >>> ended("dev has few rows"), ended("It ends.")
    ('dev has few rows.', 'It ends.')
    """
    return text if text.endswith((".", "!", "?")) else f"{text}."


def sentence(text: str) -> str:
    """Words as a sentence.

    >>> sentence("dev has few rows")
    'Dev has few rows.'
    """
    return ended(text[:1].upper() + text[1:])


def entries(at: At) -> Html:
    """The entries of a list: all of them, or of many the first and the last one."""
    found = [one.html for one in at]
    return words(found, _MOST_ENTRIES) if len(found) <= _MOST_ENTRIES else join([found[0], " to ", found[-1]])


def words(items: Sequence[Content], most: int = 8) -> Html:
    """``a, b and c``; of many the first ones and how many more.

    Args:
      items: what is named.
      most: how many are named at most.
    """
    found = list(items)
    if len(found) > most:
        more = len(found) - (most - 1)
        found = [*found[: most - 1], f"{more:,} more"]
    if len(found) < 2:
        return join(found)
    return join([join(found[:-1], ", "), " and ", found[-1]])
