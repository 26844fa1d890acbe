"""How long does it take to find near copies, against reading the texts into words, which any comparison has to do?

(t) three splits of SST-2 phrases (67,000 train rows), and of long texts, as many as IMDB has: seconds and memory, and how long
a page waits for such a data set, which is opened while they are looked for.
"""

from __future__ import annotations

import gzip
import resource
import time

import numpy as np

from benchmarks.common import data_folder, seconds
from benchmarks.figures import Figure, tell
from lit_probe.checks.leakage import near_duplicates
from lit_probe.data import load_dataset
from lit_probe.data.labelled_texts import LabelledTexts, Splits, normalise_text
from lit_probe.data.options import DatasetOptions
from lit_probe.lit.host.dataset import ProbeDataset

IMDB_SIZES = {"train": 21_250, "dev": 3_750, "test": 25_000}


def main() -> None:
    """Prints seconds, the ratio, and the peak memory of the process so far."""
    for name, splits in (("SST-2 phrases", _phrases()), ("reviews made of IMDB's words", _reviews())):
        texts = [text for _, rows in splits.items() for text in rows.texts]
        reading = seconds(lambda texts=texts: [normalise_text(text).split() for text in texts])
        start = time.perf_counter()
        near_duplicates(splits)
        finding = time.perf_counter() - start
        dataset = ProbeDataset(splits)
        opened = time.perf_counter() - start - finding
        while dataset.copies.looking:
            time.sleep(0.1)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        tell(
            Figure(f"(t) near copies of {name}, {len(texts):,} texts", finding, "s"),
            Figure(f"the same of {name} / their reading", finding / reading),
            Figure(f"near copies of {name} / opening the data set for a page", finding / opened),
            Figure(f"peak memory so far, {name}", peak, "GB"),
        )


def _phrases() -> Splits:
    return load_dataset("sst2", str(data_folder() / "sst2"), DatasetOptions(max_examples=0))


def _reviews() -> Splits:
    """Words of real reviews at random, in texts as long as real ones: the folder holds a fifth of IMDB only."""
    with gzip.open(data_folder() / "imdb/subset_train.tsv.gz", "rt", encoding="utf-8", newline="\n") as file:
        reviews = [line.split("\t")[0].split() for line in file.read().split("\n")[1:] if line]
    rng = np.random.default_rng(0)
    words = np.array([word for review in reviews for word in review], dtype=object)
    lengths = [len(review) for review in reviews]

    def rows(n: int) -> LabelledTexts:
        drawn = rng.choice(lengths, n)
        parts = np.split(words[rng.integers(0, len(words), drawn.sum())], np.cumsum(drawn)[:-1])
        return LabelledTexts(tuple(" ".join(part) for part in parts), np.arange(n) % 2, ("negative", "positive"))

    return Splits("reviews", **{name: rows(n) for name, n in IMDB_SIZES.items()})
