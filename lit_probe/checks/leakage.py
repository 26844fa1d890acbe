"""What was seen before: texts with a copy in another split, and checkpoints fine-tuned on the labels that are probed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.labelled_texts import SplitName, Splits, normalise_text
from lit_probe.encoder.checkpoint import Checkpoint
from lit_probe.encoder.encoder import Encoder
from lit_probe.errors import DatasetError
from lit_probe.results import Result

# Which rule finds copies, in words that cards compare: change them when the numbers change.
COPIES_MADE_BY = "word sets"

THRESHOLD = 0.7
MAX_EXAMPLES = 20

# With so many hashes the share that agrees lies within 0.03 of the similarity (one standard error).
_N_HASHES = 256
_ESTIMATE_MARGIN = 0.15
_MISSED_AT_THRESHOLD = 0.001
# Texts from one template fill a bucket by the thousand; a row needs only one of them as its copy.
_MAX_PER_BUCKET = 64

# Scripts written without spaces, one sign taken as a word: kana and Chinese characters.
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SIGNS}]|[^\W{_SIGNS}]+")

_COMPARED: tuple[tuple[SplitName, SplitName], ...] = (("dev", "train"), ("test", "train"), ("test", "dev"))


@dataclass(frozen=True)
class Copy(Result):
    """One row that has a copy in another split.

    Attributes:
      row: its position in its own split.
      copy: the position of the copy in the other split.
      similarity: the Jaccard similarity of their words, 0 to 1; 1 for exact copies.
    """

    row: int
    copy: int
    similarity: float


@dataclass(frozen=True)
class CopiesBetween(Result):
    """The rows of one split that have a copy in another one.

    Attributes:
      of: the split of the rows.
      in_: the split of the copies, ``in`` in the JSON.
      n: the number of rows of the first split.
      exact: the number of those with an exact copy.
      near: the number of those with a near copy alone.
      examples: up to `MAX_EXAMPLES` of them, most similar first.
    """

    of: str
    in_: str
    n: int
    exact: int
    near: int
    examples: tuple[Copy, ...]


@dataclass(frozen=True)
class NearDuplicates(Result):
    """The answer of `near_duplicates`.

    Attributes:
      threshold: the least similarity of near copies, in (0, 1].
      exact: the number of rows with an exact copy, all pairs of splits together.
      near: the number of rows with a near copy.
      between: the copies of each two splits.
      rows: the positions, ascending, by split (``"dev"``, ``"test"``), of the rows with a copy in train.
      notes: the same in sentences.
    """

    threshold: float
    exact: int
    near: int
    between: tuple[CopiesBetween, ...]
    rows: Mapping[str, tuple[int, ...]]
    notes: tuple[str, ...]


def near_duplicates(splits: Splits, threshold: float = THRESHOLD) -> NearDuplicates:
    """Rows whose text has a copy in another split.

    A copy is *exact* when the texts are the same after `normalise_text`, and *near* when their sets of words overlap: Jaccard
    similarity, words in common / words in either, of at least ``threshold``. At 0.7, one word of six or more may be another
    one. Single words, not longer shingles: in a sentence of ten words one changed word leaves 82 % of the words, but only 45 %
    of the triples of words. On SST-2 and IMDB no more than 4 rows in 1,000 have a near copy, nearly all of them real ones.

    MinHash (Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900) proposes the pairs, and each is verified by its true
    similarity, so what is counted is there. It misses at most 1 in 1,000 pairs that lie right at the threshold, fewer above.
    Nothing is removed: the rows are named, so that they can be marked.

    Args:
      splits: the labelled texts.
      threshold: in (0, 1].

    Raises:
      DatasetError: the threshold is out of range.
    """
    if not 0 < threshold <= 1:
        raise DatasetError(f"The threshold of near copies is a share of words above 0 and up to 1, not {threshold}.")
    texts = {name: _TextSets(rows.texts) for name, rows in splits.items()}
    found = {pair: _copies(texts[pair[0]], texts[pair[1]], threshold) for pair in _COMPARED}
    between = tuple(_summary(of, into, len(texts[of]), copies) for (of, into), copies in found.items())
    return NearDuplicates(
        threshold=threshold,
        exact=sum(part.exact for part in between),
        near=sum(part.near for part in between),
        between=between,
        rows={"dev": tuple(sorted(found["dev", "train"])), "test": tuple(sorted(found["test", "train"]))},
        notes=_notes(between, threshold),
    )


def circularity_of(encoder: Encoder, splits: Splits) -> str | None:
    """Why probing this encoder for these labels is circular, see `circularity`; None of random weights, which learnt nothing."""
    return None if encoder.random_seed is not None else circularity(encoder.checkpoint, splits.label_names, splits.name)


def circularity(checkpoint: Checkpoint, label_names: Sequence[str], dataset_name: str = "") -> str | None:
    """Why probing this checkpoint for these labels is circular: it was fine-tuned on them.

    Its files say so when its own head has the same classes, or when it was fine-tuned and its ``finetuning_task`` or its name
    holds the name of the data set.

    Args:
      checkpoint: the encoder's files.
      label_names: the class names of the data set.
      dataset_name: its name, such as ``"sst2"``; without one only the labels are compared.

    Returns:
      A sentence, or None where the files say nothing.

    >>> config = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "NEGATIVE", "1": "POSITIVE"}}
    >>> circularity(Checkpoint("org/tuned", None, Path("."), config), ("negative", "positive")).split(":")[0]
    'tuned has a head of its own for negative, positive, the labels that are probed here'
    """
    warning = "its scores show that training, not what a pretrained encoder holds. Compare with the checkpoint it started from."
    head = {name.casefold() for name in checkpoint.head_label_names or ()}
    if head == {name.casefold() for name in label_names} and not any(is_placeholder(name) for name in head):
        labels = ", ".join(label_names)
        return f"{checkpoint.short_name} has a head of its own for {labels}, the labels that are probed here: {warning}"
    task = str(checkpoint.config.get("finetuning_task") or "")
    names = [Path(str(name)).name for name in (checkpoint.model_id, checkpoint.config.get("_name_or_path") or "")]
    tuned = checkpoint.has_classification_head or any(re.search(r"fine-?_?tuned", name, re.IGNORECASE) for name in names)
    for hint in (task, *(names if tuned else ())):
        if _names_dataset(hint, dataset_name):
            return f"{checkpoint.short_name} was fine-tuned on {dataset_name}, as its files say ({hint!r}): {warning}"
    return None


def is_placeholder(label: str) -> bool:
    """Whether a class is only numbered, as when nobody has named a head's classes.

    >>> is_placeholder("LABEL_0"), is_placeholder("1"), is_placeholder("positive")
    (True, True, False)
    """
    return re.fullmatch(r"(?:label_|class )?\d+", label, re.IGNORECASE) is not None


@dataclass(frozen=True, eq=False)
class _TextSets:
    """Texts with what they are compared by."""

    texts: Sequence[str]

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def normalised(self) -> list[str]:
        return [normalise_text(text) for text in self.texts]

    @cached_property
    def words(self) -> list[frozenset[str]]:
        """``[n_examples]`` the words of each text; a text without any is its own word."""
        return [frozenset(_WORD.findall(text)) or frozenset([text]) for text in self.normalised]

    @cached_property
    def distinct(self) -> NDArray[np.int64]:
        """The first row of each set of words."""
        first: dict[frozenset[str], int] = {}
        for row, words in enumerate(self.words):
            first.setdefault(words, row)
        return np.fromiter(first.values(), dtype=np.int64, count=len(first))

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        return np.array([len(words) for words in self.words], dtype=np.int64)

    @cached_property
    def signatures(self) -> NDArray[np.uint32]:
        """``[n_examples, _N_HASHES]`` the MinHash of each text's words."""
        from datasketch import MinHash

        vocabulary = set().union(*self.words)
        code = {word: zlib.crc32(word.encode()) for word in vocabulary}
        coded = ([code[word] for word in words] for words in self.words)
        # The words are hashed already, each once; datasketch mixes and permutes all words of a text in one step.
        sketches = MinHash.generator(coded, num_perm=_N_HASHES, seed=1, scheme="affine32", hashfunc=int)
        signatures = np.empty((len(self), _N_HASHES), dtype=np.uint32)
        for row, sketch in enumerate(sketches):
            signatures[row] = sketch.hashvalues
        return signatures


def _copies(of: _TextSets, into: _TextSets, threshold: float) -> dict[int, tuple[int, float | None]]:
    """Row of the first -> a row of the second that it copies, with the similarity; None for an exact copy."""
    first: dict[str, int] = {}
    for row, text in enumerate(into.normalised):
        first.setdefault(text, row)
    copies: dict[int, tuple[int, float | None]] = {
        row: (first[text], None) for row, text in enumerate(of.normalised) if text in first
    }
    open_rows = np.array([row for row in range(len(of)) if row not in copies], dtype=np.int64)
    for band in _bands(threshold):
        if not len(open_rows) or not len(into):
            break
        rows, others = _proposed(of, open_rows, into, band)
        smaller, larger = np.sort([of.sizes[rows], into.sizes[others]], axis=0)
        fits = smaller >= threshold * larger
        rows, others = rows[fits], others[fits]
        likely = _estimates(of.signatures, rows, into.signatures, others) >= threshold - _ESTIMATE_MARGIN
        for row, other in zip(rows[likely].tolist(), others[likely].tolist(), strict=True):
            similarity = _jaccard(of.words[row], into.words[other])
            if similarity >= threshold and similarity > (copies.get(row, (0, 0.0))[1] or 0.0):
                copies[row] = (other, similarity)
        open_rows = open_rows[[row not in copies for row in open_rows.tolist()]]
    return copies


def _bands(threshold: float) -> list[slice]:
    """Runs of hashes; two texts that agree in all hashes of one run become a candidate pair.

    The longer the runs, the fewer candidates: as long as can be with `_MISSED_AT_THRESHOLD`.
    """
    length = 1
    while (1 - threshold ** (length + 1)) ** (_N_HASHES // (length + 1)) <= _MISSED_AT_THRESHOLD and length < 16:
        length += 1
    return [slice(start, start + length) for start in range(0, _N_HASHES - length + 1, length)]


def _proposed(
    of: _TextSets, open_rows: NDArray[np.int64], into: _TextSets, band: slice
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of rows that fall into one bucket, as two arrays of the same length."""
    keys = _band_keys(into.signatures[into.distinct, band])
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    wanted = _band_keys(of.signatures[open_rows, band])
    start = np.searchsorted(ordered, wanted, "left")
    sizes = np.minimum(np.searchsorted(ordered, wanted, "right") - start, _MAX_PER_BUCKET)
    offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.repeat(open_rows, sizes), into.distinct[order[np.repeat(start, sizes) + offsets]]


def _band_keys(hashes: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """``[n]`` one number per row of ``hashes`` ``[n, length]``, equal where the rows are; others hardly ever agree."""
    multipliers = np.random.default_rng(0).integers(0, 2**63, hashes.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    keys: NDArray[np.uint64] = (hashes * multipliers).sum(axis=1, dtype=np.uint64)
    return keys


def _estimates(
    left: NDArray[np.uint32], rows: NDArray[np.int64], right: NDArray[np.uint32], others: NDArray[np.int64]
) -> NDArray[np.float64]:
    """``[n_pairs]`` the share of hashes on which each pair agrees, in chunks that bound the memory."""
    shares = np.empty(len(rows))
    for start in range(0, len(rows), 8_192):
        chunk = slice(start, start + 8_192)
        shares[chunk] = (left[rows[chunk]] == right[others[chunk]]).mean(axis=1)
    return shares


def _jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    common = len(left & right)
    return common / (len(left) + len(right) - common)


def _summary(of: SplitName, into: SplitName, n: int, copies: dict[int, tuple[int, float | None]]) -> CopiesBetween:
    n_exact = sum(similarity is None for _, similarity in copies.values())
    examples = [
        Copy(row, other, 1.0 if similarity is None else similarity)
        for row, (other, similarity) in sorted(copies.items(), key=lambda item: (-(item[1][1] or 2.0), item[0]))
    ]
    return CopiesBetween(of, into, n, n_exact, len(copies) - n_exact, tuple(examples[:MAX_EXAMPLES]))


def _notes(between: Sequence[CopiesBetween], threshold: float) -> tuple[str, ...]:
    alike = f"at least {threshold:.0%} of the words in common"
    notes = tuple(
        f"Among {part.n:,} {part.of} rows, exact copies of {part.in_} rows: {part.exact:,}; near copies ({alike}): {part.near:,}."
        for part in between
        if part.exact or part.near
    )
    return notes or (f"No text has a copy in another split, exact or near ({alike}).",)


def _names_dataset(hint: str, dataset_name: str) -> bool:
    """Whether words of ``hint`` name the data set, as the words ``sst 2`` of a model's name do ``sst2_sentences``.

    >>> _names_dataset("distilbert-base-uncased-finetuned-sst-2-english", "sst2_sentences"), _names_dataset("bert", "imdb")
    (True, False)
    """
    words = re.findall(r"[a-z]+|\d+", hint.lower())
    runs = {"".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    squeezed = re.sub(r"[^a-z0-9]", "", dataset_name.lower())
    first = re.split(r"[^a-z0-9]", dataset_name.lower())[0]
    return any(len(key) >= 4 and key in runs for key in (squeezed, first))
