"""Control labels: functions of a type that repeats, with the task's class shares, and free otherwise."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from lit_probe.checks.control_task import CONTROLS, ControlTask
from lit_probe.data.asked import TEXT
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.errors import DatasetError, UnknownNameError

NAMES = ("negative", "positive")


def rows(texts, labels=None, names=NAMES, **fields) -> LabelledTexts:
    """Texts whose labels go round the classes unless they are given."""
    classes = np.arange(len(texts)) % len(names) if labels is None else np.asarray(labels)
    return LabelledTexts(tuple(texts), classes.astype(np.int64), names, **fields)


def splits(train: LabelledTexts, dev: LabelledTexts | None = None) -> Splits:
    return Splits("reviews", train, train if dev is None else dev, train.select([]))


def zipfian(n: int, n_types: int = 200, seed: int = 0, column: str = "type") -> dict[str, np.ndarray]:
    """A column of types as frequent as words are."""
    share = 1 / np.arange(1, n_types + 1)
    return {column: np.random.default_rng(seed).choice(n_types, n, p=share / share.sum()).astype(str)}


def typed(n: int, labels=None, names=NAMES, seed: int = 0) -> LabelledTexts:
    return rows([f"text {i}" for i in range(n)], labels, names, columns=zipfian(n, seed=seed))


def word_types(train: list[str], dev: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    control = ControlTask.of("word", splits(rows(train), rows(dev)))
    return control.train_types, control.dev_types


def test_a_text_has_the_type_of_its_content_word_that_stands_in_most_train_texts():
    texts = ["The plot and the film", "a film, a film!", "that music of the film", "music of a plot plot plot", "a plot twist"]
    texts += ["unrelated"] * 15
    # film and plot stand in three texts each, music in two; a word counts once per text.
    types, of_dev = word_types(texts, ["twist of film", "unheard music"])
    assert types[:5] == ("film", "film", "film", "plot", "plot") and of_dev == ("film", "music")


def test_two_words_in_as_many_texts_are_ordered_by_the_alphabet():
    assert word_types(["zebra apple", "apple zebra", "zebra", "apple"], [])[0] == ("apple", "apple", "zebra", "apple")


def test_frequencies_are_those_of_train_whatever_stands_in_dev():
    train, dev = word_types(["film music", "film", "music", "film"], ["music film", *["music scores"] * 50])
    assert train == ("film", "film", "music", "film")
    assert dev == ("film", *["music"] * 50)


def test_stop_words_contractions_numbers_brackets_and_single_letters_are_no_content_words():
    texts = ["The AND of", "don't we'll it's", "it 's n't 1999 a b", "-LRB- -rrb-", "The Film’s <br />FILM 2", ""]
    assert word_types(texts, [])[0] == ("", "", "", "", "film", "")


def test_a_word_that_most_texts_hold_comes_last_so_that_long_texts_have_different_types():
    words = [f"{first}{second}" for first in ("ba", "do", "fi", "ku", "me") for second in ("lun", "rit", "mog", "tas", "sep")]
    random = np.random.default_rng(0)
    texts = ["movie", *("movie " + " ".join(random.choice(words, 3, replace=False)) for _ in range(300))]
    control = ControlTask.of("word", splits(rows(texts)))
    assert control.train_types[0] == "movie" and "movie" not in control.train_types[1:]
    assert control.n_types > 10
    assert abs(control.labels(0)["train"].mean() - 0.5) < 0.01


def test_the_first_word_may_be_any_word_and_its_case_does_not_matter():
    train = rows(["The film", "the plot", "'Music' is", "... 7"])
    assert ControlTask.of("first_word", splits(train)).train_types == ("the", "the", "music", "")


def test_types_come_from_the_groups_or_from_a_named_column():
    train = rows(["a", "b", "c", "d"], groups=np.array(["x", "x", "y", "z"]), columns={"stars": np.array([1, 2, 2, 1])})
    assert ControlTask.of("group", splits(train)).train_types == ("x", "x", "y", "z")
    assert ControlTask.of("group:stars", splits(train)).train_types == ("1", "2", "2", "1")


def test_for_memorisation_every_text_is_a_type_of_its_own():
    train, dev = rows([f"text {i}" for i in range(100)]), rows([f"other {i}" for i in range(50)])
    control = ControlTask.one_label_per_text(splits(train, dev))
    assert control.n_types == 100 and control.share_seen == 0
    drawn = control.labels(0)["train"]
    assert drawn.sum() == 50
    assert 30 < (drawn == train.labels).sum() < 70


@pytest.mark.parametrize("kind", [kind for kind, one in CONTROLS.items() if kind != "group" and TEXT in one.units])
def test_texts_of_one_type_have_one_label_in_train_and_dev(kind):
    random = np.random.default_rng(0)
    words = [f"{first}{second}" for first in ("ba", "do", "fi") for second in ("lun", "rit", "mog", "tas")]
    texts = [" ".join(random.choice(words, 3)) for _ in range(400)]
    control = ControlTask.of(kind, splits(rows(texts[:300]), rows(texts[300:])))
    labels = control.labels(1)
    types = control.train_types + control.dev_types
    together = np.concatenate([labels["train"], labels["dev"]])
    assert len(set(zip(types, together, strict=True))) == len(set(types))


@pytest.mark.parametrize(
    ("shares", "names"), [((0.5, 0.5), NAMES), ((0.8, 0.2), NAMES), ((0.2, 0.3, 0.5), ("low", "mid", "high"))]
)
@pytest.mark.parametrize("seed", range(5))
def test_the_class_shares_on_train_are_those_of_the_task_although_types_are_zipfian(shares, names, seed):
    labels = np.repeat(np.arange(len(names)), (np.array(shares) * 1000).astype(int))
    control = ControlTask.of("group:type", splits(typed(1000, labels, names)))
    drawn = np.bincount(control.labels(seed)["train"], minlength=len(names))
    assert np.abs(drawn - np.bincount(labels)).max() <= 5


def test_labels_drawn_without_the_balance_would_be_off():
    types = zipfian(1000)["type"]
    off = []
    for seed in range(20):
        coin = dict(zip(sorted(set(types)), np.random.default_rng(seed).integers(0, 2, 200), strict=False))
        off.append(abs(np.mean([coin[name] for name in types]) - 0.5))
    assert np.mean(off) > 0.05


def test_the_largest_types_too_are_free_to_have_either_label():
    control = ControlTask.of("group:type", splits(typed(1000)))
    largest = [name for name, _ in Counter(control.train_types).most_common(4)]
    rows_of = [control.train_types.index(name) for name in largest]
    drawn = np.array([control.labels(seed)["train"][rows_of] for seed in range(200)])
    assert np.all(np.abs(drawn.mean(axis=0) - 0.5) < 0.1)
    # The second makes up for the first; from then on both ways are open.
    assert np.all(drawn[:, 0] != drawn[:, 1])
    assert 0.2 < (drawn[:, 2] == drawn[:, 3]).mean() < 0.8


def test_the_class_shares_are_those_of_the_task_among_large_and_among_small_types_alike():
    control = ControlTask.of("group:type", splits(typed(1000)))
    counts = Counter(control.train_types)
    labels = np.array([control.labels(seed)["train"] for seed in range(30)])
    for low, high in ((1, 4), (4, 20), (20, 80), (80, 1000)):
        band = np.array([low <= counts[name] < high for name in control.train_types])
        assert np.abs(labels[:, band].mean(axis=1) - 0.5).max() < 0.25


def test_a_seed_gives_the_same_labels_always_and_another_seed_other_labels():
    control = ControlTask.of("group:type", splits(typed(1000)))
    assert np.array_equal(control.labels(3)["train"], control.labels(3)["train"])
    assert 0.2 < (control.labels(3)["train"] == control.labels(4)["train"]).mean() < 0.8


def test_the_labels_follow_the_texts_when_their_order_changes():
    train, dev = typed(500), typed(300, seed=1)
    order, dev_order = np.random.default_rng(0).permutation(500), np.random.default_rng(1).permutation(300)
    labels = ControlTask.of("group:type", splits(train, dev)).labels(7)
    shuffled = ControlTask.of("group:type", splits(train.select(order), dev.select(dev_order))).labels(7)
    assert np.array_equal(shuffled["train"], labels["train"][order])
    assert np.array_equal(shuffled["dev"], labels["dev"][dev_order])


def test_types_that_only_dev_has_draw_from_the_class_shares_of_train():
    train = typed(500, np.repeat([0, 1], [400, 100]))
    dev = rows([f"text {i}" for i in range(2000)], columns={"type": np.array([f"new {i}" for i in range(2000)])})
    control = ControlTask.of("group:type", splits(train, dev))
    assert control.share_seen == 0
    assert abs(control.labels(0)["dev"].mean() - 0.2) < 0.03


def test_labels_and_texts_of_test_are_not_read():
    train = typed(200)
    with_test = Splits("reviews", train, train, typed(50, seed=9))
    assert np.array_equal(
        ControlTask.of("group:type", with_test).labels(0)["train"], ControlTask.of("group:type", splits(train)).labels(0)["train"]
    )


def test_a_single_type_cannot_be_balanced():
    control = ControlTask.of("first_word", splits(rows([f"the film {i}" for i in range(40)])))
    with pytest.raises(DatasetError, match=r"'first_word' cannot be balanced like the task: train has 1 type for 2 classes\."):
        control.labels(0)


def test_a_type_that_is_too_large_is_named():
    texts = [f"{'the' if i % 10 < 7 else f'word{chr(97 + i % 26)}'} film" for i in range(100)]
    control = ControlTask.of("first_word", splits(rows(texts)))
    with pytest.raises(
        DatasetError, match=r"its largest type, 'the', has 70 of 100 training texts \(negative 50%, positive 50%\)"
    ):
        control.labels(0)


def test_of_many_classes_the_most_frequent_are_named():
    texts = [f"{'the' if i % 10 < 4 else f'word{chr(97 + i % 26)}{chr(97 + i % 23)}'} film" for i in range(4000)]
    names = tuple(f"class {i}" for i in range(8))
    control = ControlTask.of("first_word", splits(rows(texts, [min(i % 10, 7) for i in range(4000)], names=names)))
    with pytest.raises(DatasetError, match=r"\(class 7 30%, class 0 10%, class 1 10%, class 2 10% and 4 further classes\)"):
        control.labels(0)


def test_the_same_large_type_is_no_problem_where_a_class_is_as_large():
    texts = [f"{'the' if i % 10 < 7 else f'word{chr(97 + i % 26)}'} film" for i in range(100)]
    control = ControlTask.of("first_word", splits(rows(texts, np.repeat([0, 1], [72, 28]))))
    assert 26 <= control.labels(0)["train"].sum() <= 30


def test_a_class_that_gets_no_type_is_named():
    labels = np.repeat([0, 1, 2], [48, 48, 4])
    column = {"film": np.repeat(["a", "b", "c"], [40, 40, 20])}
    control = ControlTask.of(
        "group:film", splits(rows([f"text {i}" for i in range(100)], labels, ("no", "yes", "rare"), columns=column))
    )
    with pytest.raises(DatasetError, match="no types of few enough texts are left for 'rare'"):
        control.labels(0)


def test_a_class_without_train_texts_gets_none():
    control = ControlTask.of("group:type", splits(typed(200, np.arange(200) % 2, ("no", "yes", "absent"))))
    assert set(control.labels(0)["train"].tolist()) == {0, 1}


def test_missing_groups_columns_and_controls_are_said_to_be_missing():
    train = typed(20)
    with pytest.raises(DatasetError, match=r"reviews has no groups in its train rows. Name a column .*train and dev: type\."):
        ControlTask.of("group", splits(train))
    with pytest.raises(DatasetError, match="reviews has no column 'author' in its train rows"):
        ControlTask.of("group:author", splits(train))
    with pytest.raises(UnknownNameError, match=rf"Unknown control 'hash'. Choose one of: {', '.join(sorted(CONTROLS))}\."):
        ControlTask.of("hash", splits(train))
    with pytest.raises(
        DatasetError, match=r"reviews has no column 'type' in its dev rows\. .*Columns of both train and dev: none\."
    ):
        ControlTask.of("group:type", splits(train, rows(["a text", "another"])))
    with pytest.raises(UnknownNameError, match="Unknown control 'word:author'"):
        ControlTask.of("word:author", splits(train))
