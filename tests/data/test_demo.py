"""The embedded demo: real pairs, never divided, balanced in every split."""

from collections import Counter

import pytest

from lit_probe.data import load_dataset
from lit_probe.errors import DatasetError


@pytest.fixture(scope="module")
def demo():
    return load_dataset("demo")


def test_it_has_at_least_600_different_texts_in_pairs_with_both_labels(demo):
    rows = [
        (text, label, pair)
        for _, part in demo.items()
        for text, label, pair in zip(part.texts, part.labels.tolist(), part.columns["pair_id"], strict=True)
    ]
    assert len({text for text, _, _ in rows}) == len(rows) >= 600
    labels_of_pair = {}
    for _, label, pair in rows:
        labels_of_pair.setdefault(pair, []).append(label)
    assert {tuple(sorted(labels)) for labels in labels_of_pair.values()} == {(0, 1)}


def test_no_pair_stands_in_two_splits_and_every_split_is_balanced(demo):
    pairs = [set(part.columns["pair_id"].tolist()) for _, part in demo.items()]
    assert sum(map(len, pairs)) == len(set().union(*pairs))
    total = sum(len(part) for _, part in demo.items())
    for (_, part), share in zip(demo.items(), (0.7, 0.15, 0.15), strict=True):
        assert part.labels.mean() == 0.5
        assert abs(len(part) - share * total) <= 3
        assert part.groups.tolist() == part.columns["pair_id"].tolist()


def test_every_row_says_what_the_edit_plays_on_and_what_is_reviewed(demo):
    phenomena = Counter(word for _, part in demo.items() for word in part.columns["phenomenon"].tolist())
    assert {"plain", "negation", "contrast", "comparison", "irony", "intensifier"} <= set(phenomena)
    assert {word for _, part in demo.items() for word in part.columns["domain"].tolist()} == {"film", "product"}


def test_nothing_is_dropped_and_the_source_is_the_package(demo):
    assert demo.provenance["dropped"] == {} and demo.provenance["source"] == "embedded in lit_probe"


def test_a_path_is_refused():
    with pytest.raises(DatasetError, match="takes no path, but 'here' came"):
        load_dataset("demo", "here")
