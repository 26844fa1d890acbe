"""SST-2: sentences and phrases from film reviews, negative or positive.

Socher et al. (2013), "Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank"; the phrase form is GLUE's,
Wang et al. (2018), "GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lit_probe.data.hub import load_hub
from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import (
    SENTIMENT_NAMES,
    UNLABELLED,
    Rows,
    cell,
    find_column,
    label_words,
    rows_of,
    sentiment_labels,
    text_values,
)
from lit_probe.data.split_files import existing_path, find_hub_files, find_split_files, folder_source, read_split_files
from lit_probe.data.splitting import make_splits
from lit_probe.data.tables import Table, read_table
from lit_probe.errors import DatasetError

_TEXT_COLUMNS = ("sentence", "text")
_PHRASE_GROUPS = ("train_phrase_groups.tsv", "train_phrase_groups.tsv.gz")


def load_sst2(source: str | None, options: DatasetOptions) -> Splits:
    """SST-2 as in GLUE: train holds 67,349 phrases, dev (872) and test (1,821) whole sentences.

    Train has many phrases of each sentence. Where ``train_phrase_groups.tsv`` (columns ``row``, ``sst_sentence_index``) lies
    beside the train file, the phrases of one sentence form a group.

    Args:
      source: a folder (GLUE's ``train.tsv``, ``dev.tsv``, ``test.tsv``, or the hub's parquet files), one table file, or None for
        ``stanfordnlp/sst2`` from the hub. The hub's and GLUE's test rows are unlabelled; dev is then divided.
      options: seed and rows per split.

    Raises:
      DatasetError: the source is missing or in no known form.
    """
    if source is None:
        tables, _, origin = load_hub("sst2", "stanfordnlp/sst2")
        groups: list[str | None] | None = None
    else:
        tables, origin = _read_copy("sst2", source, prefix="")
        groups = _phrase_groups(existing_path(source), len(next(iter(tables["train"].values()))))
    notes = (
        []
        if groups
        else ["Which phrases belong to one sentence is not known here: cross-validation on train may share sentences."]
    )
    parts = _parts(tables, source or origin["id"], groups)
    return make_splits("sst2", parts, SENTIMENT_NAMES, options, origin, group_word="sentence", notes=notes, numbered=True)


def load_sst2_sentences(source: str | None, options: DatasetOptions) -> Splits:
    """SST-2 as whole sentences only: 6,920 train, 872 dev and 1,821 test, all labelled.

    Args:
      source: a folder with ``sentences_train.tsv``, ``sentences_dev.tsv`` and ``sentences_test.tsv`` (or with the hub's
        JSONL or parquet files), one table file, or None for ``SetFit/sst2`` from the hub.
      options: seed and rows per split.

    Raises:
      DatasetError: the source is missing or in no known form.
    """
    if source is None:
        tables, _, origin = load_hub("sst2_sentences", "SetFit/sst2")
    else:
        tables, origin = _read_copy("sst2_sentences", source, prefix="sentences_")
    return make_splits(
        "sst2_sentences", _parts(tables, source or origin["id"], None), SENTIMENT_NAMES, options, origin, numbered=True
    )


def _read_copy(name: str, source: str, prefix: str) -> tuple[dict[SplitName, Table], dict[str, Any]]:
    """The tables of a local copy, and the provenance's source."""
    path = existing_path(source)
    if path.is_file():
        return {"train": read_table(path)}, {"kind": "file", "path": source}
    files = find_split_files(path, prefix)
    if not files and prefix:
        files = find_split_files(path, forms=("jsonl",))
    files = files or find_hub_files(path)
    if "train" not in files:
        raise DatasetError(
            f"{source!r} holds no train rows for {name}. A local copy is a folder with {prefix}train.tsv, {prefix}dev.tsv and "
            f"{prefix}test.tsv (or .csv, .jsonl, each may be gzipped), or with the parquet files of the Hugging Face hub."
        )
    return read_split_files(files), folder_source(source, files)


def _parts(tables: dict[SplitName, Table], origin: str, groups: Sequence[str | None] | None) -> dict[SplitName, Rows]:
    parts: dict[SplitName, Rows] = {}
    for split, table in tables.items():
        where = f"{origin} ({split})"
        texts = text_values(table, find_column(table, _TEXT_COLUMNS, where), where)
        if split == "test" and "label" not in table:  # GLUE's own test file has index and sentence only
            labels = [UNLABELLED] * len(texts)
        else:
            labels = sentiment_labels(label_words(table, find_column(table, ("label",), where)), where)
        parts[split] = rows_of(texts, labels, groups if split == "train" else None)
    return parts


def _phrase_groups(folder: Path, n_rows: int) -> list[str | None] | None:
    """``[n_rows]`` the sentence of each train phrase, None for a phrase that fits none; None where no file tells."""
    found = [folder / name for name in _PHRASE_GROUPS if (folder / name).is_file()]
    if not found:
        return None
    table = read_table(found[0])
    rows = table[find_column(table, ("row",), str(found[0]))]
    sentences = table[find_column(table, ("sst_sentence_index",), str(found[0]))]
    groups = {cell(row): cell(sentence) for row, sentence in zip(rows, sentences, strict=True)}
    if set(groups) != {str(row) for row in range(n_rows)}:
        raise DatasetError(
            f"{str(found[0])!r} names {len(groups)} rows, but train has {n_rows}. It must name each train row once, "
            "counted from 0; fix it, or take it out of the folder to go on without sentences."
        )
    return [f"sentence {groups[str(row)]}" if groups[str(row)] else None for row in range(n_rows)]
