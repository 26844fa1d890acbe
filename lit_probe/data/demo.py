"""The embedded data set: short film and product reviews in counterfactual pairs, written for this project."""

from __future__ import annotations

from pathlib import Path

from lit_probe.data.labelled_texts import Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import SENTIMENT_NAMES, label_words, rows_of, sentiment_labels, text_values
from lit_probe.data.splitting import make_splits
from lit_probe.data.tables import read_table
from lit_probe.errors import DatasetError

_FILE = Path(__file__).with_name("demo.tsv")


def load_demo(source: str | None, options: DatasetOptions) -> Splits:
    """The demo: two reviews per pair, of which the second is an edit of the first that flips its label.

    Columns: ``pair_id``; ``phenomenon`` (what the edit plays on: plain, negation, contrast, …); ``domain``. A pair is a group.

    Args:
      source: None; the demo is part of the package.
      options: seed and rows per split.

    Raises:
      DatasetError: a source is given.
    """
    if source is not None:
        raise DatasetError(f"The demo is part of the package and takes no path, but {source!r} came. Name it alone: demo.")
    table = read_table(_FILE)
    labels = sentiment_labels(label_words(table, "label"), "demo")
    columns = {name: table[name] for name in ("pair_id", "phenomenon", "domain")}
    rows = rows_of(text_values(table, "text", "demo"), labels, table["pair_id"], columns)
    return make_splits(
        "demo", {"train": rows}, SENTIMENT_NAMES, options, {"kind": "embedded in lit_probe"}, group_word="pair", numbered=True
    )
