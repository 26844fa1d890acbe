"""Pairs like those of natural language inference, made up: a film, and a sentence that follows from it or contradicts it."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

PAIR_LABELS = ("contradiction", "entailment")
_GOOD, _BAD = ("good", "great", "fine", "funny"), ("bad", "awful", "dull", "sad")


def nli_rows(n: int = 120) -> list[dict[str, str]]:
    """``n`` rows with the columns premise, hypothesis, label and genre; either label for the same premise."""
    rows = []
    for noun, end, side, i, agrees in itertools.product(
        ("film", "movie", "story", "plot", "acting", "music"), ("and slow", "but fast", ""), (0, 1), range(4), (True, False)
    ):
        words, others = (_GOOD, _BAD) if side else (_BAD, _GOOD)
        said = words[(i + 1) % 4] if agrees else others[i]
        rows.append(
            {
                "premise": f"the {noun} was {words[i]} {end}".strip(),
                "hypothesis": f"we never loved what was {said}",
                "label": PAIR_LABELS[agrees],
                "genre": "long" if end else "short",
            }
        )
    return rows[:n]


def write_nli_table(path: Path, n: int = 120, **names: str) -> Path:
    """The rows as a csv file; ``names`` gives columns other names."""
    rows = [{names.get(name, name): value for name, value in row.items()} for row in nli_rows(n)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
