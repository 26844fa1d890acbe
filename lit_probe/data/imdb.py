"""IMDB: film reviews, negative or positive.

Maas et al. (2011), "Learning Word Vectors for Sentiment Analysis" (Large Movie Review Dataset v1.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lit_probe.data.hub import load_hub
from lit_probe.data.labelled_texts import SplitName, Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import SENTIMENT_NAMES, Rows, cell, find_column, label_words, rows_of, sentiment_labels, text_values
from lit_probe.data.split_files import existing_path, files_in, find_hub_files, folder_source, read_split_files, split_word
from lit_probe.data.splitting import make_splits
from lit_probe.data.tables import Table, read_table, read_text, table_form
from lit_probe.errors import DatasetError

_TEXT_COLUMNS = ("text", "review", "sentence")
_LABEL_COLUMNS = ("label", "sentiment")
_REVIEW_FILE = re.compile(r"(\d+)_(\d+)\.txt")
_TITLE = re.compile(r"tt\d+")


def load_imdb(source: str | None, options: DatasetOptions) -> Splits:
    """IMDB reviews. Dev is cut from train, by film where the films are known, and never from test.

    Args:
      source: the ``aclImdb`` folder (``train/pos/0_9.txt`` …; ``train/urls_pos.txt`` names the films), a folder with
        ``*train*.tsv.gz`` and ``*test*.tsv.gz`` (and ``*_meta*`` with ``row``, ``rating``, ``movie``), a folder with the hub's
        parquet files, one table file, or None for ``stanfordnlp/imdb`` from the hub.
      options: seed and rows per split.

    Raises:
      DatasetError: the source is missing or in no known form.
    """
    if source is None:
        tables, further, origin = load_hub("imdb", "stanfordnlp/imdb")
        parts = {split: _table_rows(table, f"{origin['id']} ({split})") for split, table in tables.items()}
        unlabelled = further.get("unsupervised", 0)
    else:
        parts, origin, unlabelled = _read_copy(source)
    known = any(group is not None for part in parts.values() for group in part.groups)
    notes = [] if known else ["The films are not known here: reviews of one film may stand on both sides of a cut."]
    dropped = {"unlabelled": unlabelled}
    return make_splits(
        "imdb", parts, SENTIMENT_NAMES, options, origin, group_word="film", notes=notes, dropped=dropped, numbered=True
    )


def _read_copy(source: str) -> tuple[dict[SplitName, Rows], dict[str, Any], int]:
    """The rows of a local copy, the provenance's source, and the number of unsupervised reviews left aside."""
    path = existing_path(source)
    if path.is_file():
        return {"train": _table_rows(read_table(path), source)}, {"kind": "file", "path": source}, 0
    for tree in (path, path / "aclImdb"):
        if (tree / "train" / "pos").is_dir():
            origin = {"kind": "aclImdb folder", "path": source}
            return _read_tree(tree), origin, len(_reviews(tree / "train" / "unsup"))
    tables, metas = _table_files(path, is_meta=False), _table_files(path, is_meta=True)
    if "train" in tables:
        parts = {split: _rows_with_meta(file, metas.get(split)) for split, file in tables.items()}
        return parts, folder_source(source, {split: [file] for split, file in tables.items()}), 0
    hub_files = find_hub_files(path)
    if "train" in hub_files:
        parts = {split: _table_rows(table, f"{source} ({split})") for split, table in read_split_files(hub_files).items()}
        unsupervised = [file for file in files_in(path, ".parquet", deep=True) if _is_unsupervised(file)]
        return parts, folder_source(source, hub_files), sum(len(read_table(file)["label"]) for file in unsupervised)
    raise DatasetError(
        f"{source!r} holds no IMDB train rows. A local copy is the aclImdb folder (train/pos, train/neg, …), a folder with "
        "*train*.tsv.gz and *test*.tsv.gz, or a folder with the parquet files of the Hugging Face hub."
    )


def _table_rows(
    table: Table, origin: str, groups: Sequence[str | None] | None = None, columns: Mapping[str, Sequence[str]] | None = None
) -> Rows:
    texts = text_values(table, find_column(table, _TEXT_COLUMNS, origin), origin)
    labels = sentiment_labels(label_words(table, find_column(table, _LABEL_COLUMNS, origin)), origin)
    return rows_of(texts, labels, groups, columns)


def _table_files(folder: Path, *, is_meta: bool) -> dict[SplitName, Path]:
    """Files with a split's name as one word of theirs (``subset_train.tsv.gz``), or those that describe them (``…_meta…``)."""
    found: dict[SplitName, Path] = {}
    for path in files_in(folder):
        words = re.split(r"[._\- ]", path.name)
        splits = [split for split in map(split_word, words) if split]
        if not splits or table_form(path) not in ("tsv", "csv", "jsonl") or ("meta" in words) != is_meta:
            continue
        if splits[0] in found:
            raise DatasetError(f"Both {found[splits[0]]} and {path} claim the {splits[0]} rows. Leave one of them in the folder.")
        found[splits[0]] = path
    return found


def _rows_with_meta(path: Path, meta_path: Path | None) -> Rows:
    """The rows of one table, with film and star rating where a meta table gives them."""
    table = read_table(path)
    if meta_path is None:
        return _table_rows(table, str(path))
    meta = read_table(meta_path)
    n_rows = len(next(iter(table.values())))
    row_numbers = [cell(row) for row in meta[find_column(meta, ("row",), str(meta_path))]]
    if sorted(row_numbers) != sorted(str(row) for row in range(n_rows)):
        raise DatasetError(
            f"{str(meta_path)!r} names {len(row_numbers)} rows, but {path.name} has {n_rows}. It must name each row once, "
            "counted from 0; fix it, or take it out of the folder to go on without films and ratings."
        )
    place = {number: index for index, number in enumerate(row_numbers)}
    order = [place[str(row)] for row in range(n_rows)]
    kept = [name for name in meta if name in ("rating", "movie")]
    columns = {name: [cell(meta[name][index]) for index in order] for name in kept}
    groups = [movie or None for movie in columns["movie"]] if "movie" in columns else None
    return _table_rows(table, str(path), groups, columns)


def _read_tree(tree: Path) -> dict[SplitName, Rows]:
    """The aclImdb tree: ``train/pos/<number>_<rating>.txt``, whose film is in line <number> of ``train/urls_pos.txt``."""
    parts: dict[SplitName, Rows] = {}
    splits: tuple[SplitName, ...] = ("train", "test")
    for split in splits:
        texts: list[str] = []
        labels: list[int] = []
        movies: list[str] = []
        ratings: list[str] = []
        for label, word in enumerate(("neg", "pos")):
            films = _films(tree / split / f"urls_{word}.txt")
            for path in _reviews(tree / split / word):
                match = _REVIEW_FILE.fullmatch(path.name)
                if match is None:
                    raise DatasetError(
                        f"{str(path)!r} is not named <number>_<rating>.txt, as the reviews of aclImdb are. Move it away."
                    )
                number = int(match[1])
                texts.append(read_text(path))
                labels.append(label)
                movies.append(films[number] if number < len(films) else "")
                ratings.append(match[2])
        if texts:
            parts[split] = rows_of(texts, labels, [movie or None for movie in movies], {"rating": ratings, "movie": movies})
    return parts


def _reviews(folder: Path) -> list[Path]:
    """The files of reviews; none where there is no such folder."""
    return files_in(folder, ".txt") if folder.is_dir() else []


def _is_unsupervised(path: Path) -> bool:
    return path.name.startswith("unsupervised") or path.parent.name == "unsupervised"


def _films(path: Path) -> list[str]:
    """The film (title id) of each review number; nothing where the file is missing."""
    if not path.is_file():
        return []
    titles = [_TITLE.search(line) for line in read_text(path).splitlines()]
    return [title[0] if title else "" for title in titles]
