"""Train, dev and test share no text and no group; nothing depends on the order of the rows; every row is counted."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_probe.data.labelled_texts import SPLIT_NAMES, LabelledTexts, normalise_text
from lit_probe.data.options import DatasetOptions
from lit_probe.data.rows import rows_of
from lit_probe.data.splitting import OtherDivisions, _cut, make_splits
from lit_probe.errors import DatasetError

ORIGIN = {"kind": "file", "path": "t.csv"}
NAMES = ("negative", "positive")


def table(n, n_classes=2, n_groups=None, start=0):
    """Rows of ``n`` different texts, classes in turn, groups at random."""
    random_state = random.Random(n + start)
    texts = [f"text number {i}" for i in range(start, start + n)]
    groups = [f"g{random_state.randrange(n_groups)}" for _ in texts] if n_groups else None
    return rows_of(texts, [i % n_classes for i in range(n)], groups, {"place": [str(i) for i in range(start, start + n)]})


def split(parts, options=None, names=NAMES, **more):
    parts = parts if isinstance(parts, dict) else {"train": parts}
    return make_splits("t", parts, names, options or DatasetOptions(), ORIGIN, **more)


def as_sets(splits, what):
    return [{what(rows, i) for i in range(len(rows))} for _, rows in splits.items()]


def assert_disjoint(splits):
    """No text and no group of one split stands in another."""
    texts = as_sets(splits, lambda rows, i: normalise_text(rows.texts[i]))
    assert sum(map(len, texts)) == len(set().union(*texts))
    if splits.train.groups is not None:
        groups = as_sets(splits, lambda rows, i: str(rows.groups[i]))
        assert sum(map(len, groups)) == len(set().union(*groups))


def same(one, other):
    """Two divisions are equal to the last row and column."""
    for (_, a), (_, b) in zip(one.items(), other.items(), strict=True):
        assert a.texts == b.texts
        assert a.labels.tolist() == b.labels.tolist()
        assert (a.groups is None) == (b.groups is None)
        assert a.groups is None or a.groups.tolist() == b.groups.tolist()
        assert {k: v.tolist() for k, v in a.columns.items()} == {k: v.tolist() for k, v in b.columns.items()}
    assert one.provenance == other.provenance
    return True


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_one_table_is_divided_70_15_15_in_every_class(n_classes):
    splits = split(table(600 * n_classes, n_classes), DatasetOptions(max_examples=0), names=[str(i) for i in range(n_classes)])
    for (_, rows), wanted in zip(splits.items(), (420, 90, 90), strict=True):
        assert np.abs(np.bincount(rows.labels) - wanted).max() <= 1
    assert_disjoint(splits)
    assert splits.train.groups is None


def test_whole_groups_are_divided_in_about_the_same_shares():
    splits = split(table(3000, n_groups=400), DatasetOptions(max_examples=0))
    for (_, rows), wanted in zip(splits.items(), (2100, 450, 450), strict=True):
        assert abs(len(rows) - wanted) <= 3
        assert abs(rows.labels.mean() - 0.5) < 0.01
    assert_disjoint(splits)


def test_large_groups_are_spread_over_the_splits_not_all_given_to_train():
    sizes = [20] * 40 + [1] * 1200
    groups = [f"g{number}" for number, size in enumerate(sizes) for _ in range(size)]
    rows = rows_of([f"text {i}" for i in range(len(groups))], [i % 2 for i in range(len(groups))], groups)
    splits = split(rows, DatasetOptions(max_examples=0))
    large = {name: len({g for g in part.groups if int(g[1:]) < 40}) for name, part in splits.items()}
    assert large["dev"] >= 4 and large["test"] >= 4 and large["train"] >= 22


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["train", "dev", "test"]),
            st.integers(0, 25),
            st.integers(-1, 1),
            st.one_of(st.none(), st.integers(0, 8)),
        ),
        max_size=60,
    ),
    st.randoms(use_true_random=False),
    st.integers(0, 3),
)
def test_whatever_overlaps_came_in_no_text_and_no_group_stands_in_two_splits_and_every_row_is_accounted_for(
    drawn, shuffler, seed
):
    kept = [("train", 100 + i, i % 2, None) for i in range(20)]
    kept += [("dev", 200 + i, i % 2, None) for i in range(8)] + [("test", 300 + i, i % 2, None) for i in range(8)]

    def parts(rows):
        return {
            name: rows_of(
                [f"Text {number} " if number else " " for home, number, _, _ in rows if home == name],
                [label for home, _, label, _ in rows if home == name],
                [None if group is None else f"g{group}" for home, _, _, group in rows if home == name],
            )
            for name in SPLIT_NAMES
        }

    rows = kept + drawn
    options = DatasetOptions(max_examples=0, seed=seed)
    splits = split(parts(rows), options)
    assert_disjoint(splits)
    assert sum(len(part) for _, part in splits.items()) + sum(splits.provenance["dropped"].values()) == len(rows)
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert same(splits, split(parts(shuffled), options))


@pytest.mark.parametrize("max_examples", [0, 40])
@pytest.mark.parametrize("n_groups", [None, 60])
def test_the_order_of_the_rows_changes_nothing(max_examples, n_groups):
    rows = table(300, n_groups=n_groups)
    order = list(range(300))
    random.Random(1).shuffle(order)
    options = DatasetOptions(max_examples=max_examples, seed=3)
    assert same(split(rows, options), split(rows.take(order), options))


def test_rows_of_one_text_and_label_are_told_apart_by_their_columns_not_their_order():
    texts, columns = [f"text {i // 4}" for i in range(400)], {"place": [str(i) for i in range(400)]}
    rows = rows_of(texts, [i // 4 % 2 for i in range(400)], None, columns)
    options = DatasetOptions(max_examples=30)
    assert same(split(rows, options), split(rows.take(range(399, -1, -1)), options))


def test_another_seed_divides_and_chooses_differently_and_the_same_seed_the_same():
    rows = table(400)
    one, again, other = (split(rows, DatasetOptions(seed=seed)) for seed in (0, 0, 1))
    assert same(one, again)
    assert set(one.dev.texts) != set(other.dev.texts)
    official = {"train": table(400), "dev": table(60, start=1000), "test": table(60, start=2000)}
    one, other = (split(official, DatasetOptions(max_examples=30, seed=seed)) for seed in (0, 1))
    assert set(one.train.texts) != set(other.train.texts)
    assert one.provenance["sha256"]["train"] != other.provenance["sha256"]["train"]


def test_a_row_added_elsewhere_leaves_the_chosen_rows_almost_as_they_were():
    official = {"train": table(400), "dev": table(60, start=1000), "test": table(60, start=2000)}
    more = {**official, "train": table(401)}
    options = DatasetOptions(max_examples=50)
    assert len(set(split(official, options).train.texts) & set(split(more, options).train.texts)) >= 48


def test_max_examples_takes_each_class_in_its_share_and_two_of_the_rarest():
    labels = [0] * 900 + [1] * 96 + [2] * 4
    rows = rows_of([f"text {i}" for i in range(1000)], labels)
    official = {"train": rows, "dev": table(9, 3, start=2000), "test": table(9, 3, start=3000)}
    splits = split(official, DatasetOptions(max_examples=100), names="abc")
    assert np.bincount(splits.train.labels).tolist() == [89, 9, 2]
    assert splits.provenance["rows"] == {
        "train": {"available": 1000, "used": 100},
        "dev": {"available": 9, "used": 9},
        "test": {"available": 9, "used": 9},
    }
    with pytest.raises(DatasetError, match=r"max_examples is 5, too few for 3 classes. Give at least 6"):
        split(official, DatasetOptions(max_examples=5), names="abc")


def test_the_splits_are_the_same_before_max_examples_is_applied():
    rows = table(2000)
    everything, few = split(rows, DatasetOptions(max_examples=0)), split(rows, DatasetOptions(max_examples=50))
    for (_, whole), (_, part) in zip(everything.items(), few.items(), strict=True):
        assert len(part) == 50 and set(part.texts) <= set(whole.texts)


def test_official_splits_stay_as_they_are():
    official = {"train": table(50), "dev": table(20, start=100), "test": table(20, start=200)}
    splits = split(official)
    for name, part in splits.items():
        assert set(part.texts) == set(official[name].texts)
    assert splits.provenance["division"] == "Official train, dev and test"


def test_dev_is_cut_from_train_and_never_from_test():
    splits = split({"train": table(1000, n_groups=300), "test": table(100, start=5000)}, group_word="film")
    assert (len(splits.train), len(splits.dev), len(splits.test)) == (850, 150, 100)
    assert set(splits.test.texts) == set(table(100, start=5000).texts)
    assert_disjoint(splits)
    assert "dev is 15 % of train (no text or film stands in both)" in splits.provenance["division"]


@pytest.mark.parametrize("unlabelled", [False, True])
def test_where_test_is_missing_or_unlabelled_dev_is_divided_in_halves(unlabelled):
    parts = {"train": table(200), "dev": table(100, start=1000)}
    if unlabelled:
        parts["test"] = rows_of([f"hidden {i}" for i in range(30)], [-1] * 30)
    splits = split(parts)
    assert [len(part) for _, part in splits.items()] == [200, 50, 50]
    assert np.bincount(splits.dev.labels).tolist() == np.bincount(splits.test.labels).tolist() == [25, 25]
    assert "divided 50/50 into dev and test" in splits.provenance["division"]
    assert ("test has no labels" if unlabelled else "test is missing") in splits.provenance["division"]
    assert splits.provenance["dropped"] == ({"unlabelled": 30} if unlabelled else {})


def test_the_train_copy_leaves_for_dev_and_test_and_the_dev_copy_for_test():
    train = rows_of(["In TEST ", "in dev", "in all", *table(20).texts], [0, 1, 0, *table(20).labels])
    dev = rows_of(["in dev", "in all", "in dev and test", *table(9, start=100).texts], [1, 0, 0, *table(9).labels])
    test = rows_of(["in test", "in all", "in dev and test", *table(9, start=200).texts], [0, 0, 0, *table(9).labels])
    splits = split({"train": train, "dev": dev, "test": test})
    assert [len(part) for _, part in splits.items()] == [20, 10, 12]
    assert splits.provenance["dropped"] == {
        "dev rows whose text also stands in test": 2,
        "train rows whose text also stands in dev or test": 3,
    }


def test_a_group_in_two_official_splits_leaves_train_with_all_its_rows():
    train = rows_of([f"a {i}" for i in range(30)], [i % 2 for i in range(30)], [f"film {i // 3}" for i in range(30)])
    test = rows_of([f"b {i}" for i in range(10)], [i % 2 for i in range(10)], ["film 4"] + [f"other {i}" for i in range(9)])
    splits = split({"train": train, "test": test}, group_word="film")
    assert splits.provenance["dropped"] == {"train rows whose text or film also stands in dev or test": 3}
    assert "film 4" not in {*splits.train.groups, *splits.dev.groups}


def test_rows_linked_through_a_shared_text_and_a_shared_group_stay_together():
    # a and b share a text, b and c share a group: all three are one unit, named after its first group.
    texts = ["same", "same", "third", *[f"text {i}" for i in range(40)]]
    groups = ["x", "y", "y", *[None] * 40]
    splits = split(rows_of(texts, [0, 0, 1, *[i % 2 for i in range(40)]], groups))
    homes = {name for name, part in splits.items() for text in part.texts if text in ("same", "third")}
    assert len(homes) == 1
    part = dict(splits.items())[homes.pop()]
    assert {str(group) for text, group in zip(part.texts, part.groups, strict=True) if text in ("same", "third")} == {"x"}
    # What each row belonged to itself is kept, and goes with it.
    own = sorted(zip(part.texts, part.own_groups.tolist(), strict=True))
    assert [pair for pair in own if pair[0] in ("same", "third")] == [("same", "x"), ("same", "y"), ("third", "y")]
    assert {str(group) for _, rows in splits.items() for group in rows.own_groups} == {"", "x", "y"}
    assert part.select([1, 0]).own_groups.tolist() == part.own_groups[[1, 0]].tolist()


def test_rows_without_a_group_are_groups_of_their_own():
    splits = split(rows_of([f"text {i}" for i in range(40)], [i % 2 for i in range(40)], ["only", *[None] * 39]))
    names = [str(group) for _, part in splits.items() for group in part.groups]
    assert len(set(names)) == 40 and "only" in names


def test_repeats_in_train_stay_and_are_counted_with_their_contradictions():
    texts = ["twice", "Twice", "torn", "torn", *[f"text {i}" for i in range(40)]]
    rows = rows_of(texts, [0, 0, 0, 1, *[i % 2 for i in range(40)]])
    splits = split({"train": rows, "dev": table(10, start=100), "test": table(10, start=200)})
    assert len(splits.train) == 44
    assert splits.provenance["repeats in train"] == {"rows that repeat a text": 2, "texts with two labels": 1}
    assert splits.provenance["dropped"] == {}


@pytest.mark.parametrize("name", ["dev", "test"])
def test_a_text_is_scored_once_and_never_with_two_labels(name):
    texts = ["thrice", "Thrice ", "thrice", "torn", "torn", "Torn", *[f"text {i}" for i in range(20)]]
    rows = rows_of(texts, [0, 0, 0, 0, 1, 1, *[i % 2 for i in range(20)]])
    parts = {"train": table(50, start=100), "dev": table(10, start=200), "test": table(10, start=300)}
    splits = split({**parts, name: rows})
    scored = dict(splits.items())[name]
    assert sorted(normalise_text(text) for text in scored.texts) == sorted(["thrice", *[f"text {i}" for i in range(20)]])
    assert splits.provenance["dropped"] == {f"{name} rows whose text has two labels": 3, f"{name} rows that repeat a text": 2}


def test_a_table_full_of_repeats_has_each_text_once_in_dev_and_test():
    rows = rows_of([f"text {i // 3}" for i in range(600)], [i // 3 % 2 for i in range(600)])
    splits = split(rows)
    assert (len(splits.train), len(splits.dev), len(splits.test)) == (420, 30, 30)
    assert splits.provenance["repeats in train"] == {"rows that repeat a text": 280, "texts with two labels": 0}


def test_rows_without_text_or_label_are_dropped_with_a_count_and_tie_nothing_together():
    n = 40
    blanks = rows_of([" "] * n, [i % 2 for i in range(n)], [f"g{i}" for i in range(n)])
    rows = rows_of([f"text {i}" for i in range(n)], [i % 2 for i in range(n)], [f"g{i}" for i in range(n)])
    unlabelled = rows_of(["no label"], [-1], ["g0"])
    joined = rows_of(
        [*blanks.texts, *rows.texts, *unlabelled.texts],
        [*blanks.labels, *rows.labels, *unlabelled.labels],
        [*blanks.groups, *rows.groups, *unlabelled.groups],
    )
    splits = split(joined)
    assert splits.provenance["dropped"] == {"without text": n, "unlabelled": 1}
    assert sum(len(part) for _, part in splits.items()) == n
    assert len(splits.dev) > 0 and len(splits.test) > 0


def test_dropped_rows_do_not_turn_a_numeric_column_into_strings():
    rows = rows_of([*[f"text {i}" for i in range(20)], ""], [i % 2 for i in range(21)], None, {"stars": ["4"] * 20 + [""]})
    assert split(rows).train.columns["stars"].dtype == np.int64


def test_parts_with_different_columns_are_filled_with_empty_strings():
    train = rows_of(table(20).texts, table(20).labels, None, {"word": ["w"] * 20})
    splits = split({"train": train, "dev": table(10, start=100), "test": table(10, start=200)})
    assert set(splits.train.columns) == set(splits.dev.columns) == {"word", "place"}
    assert set(splits.dev.columns["word"].tolist()) == {""}


def test_each_split_is_in_an_order_that_depends_on_no_seed():
    official = {"train": table(50), "dev": table(20, start=100), "test": table(20, start=200)}
    one, other = (split(official, DatasetOptions(seed=seed)) for seed in (0, 1))
    assert one.train.texts == other.train.texts
    assert one.train.texts != tuple(official["train"].texts)


def test_the_provenance_is_json_and_its_hashes_follow_texts_labels_and_groups():
    official = {"train": table(50, n_groups=20), "dev": table(20, start=100), "test": table(20, start=200)}
    splits = split(official, notes=["a note"], dropped={"unlabelled": 7})
    provenance = json.loads(json.dumps(splits.provenance, allow_nan=False))
    assert provenance == splits.provenance
    assert provenance["source"] == "file t.csv" and provenance["origin"] == ORIGIN
    assert (provenance["seed"], provenance["max_examples"], provenance["notes"]) == (0, 5000, ["a note"])
    assert provenance["dropped"] == {"unlabelled": 7}
    hashes = provenance["sha256"]
    assert set(hashes) == set(SPLIT_NAMES) and all(len(value) == 64 for value in hashes.values())

    train = official["train"]
    changes = {
        "text": rows_of([*train.texts[:-1], "changed"], train.labels, train.groups, train.columns),
        "label": rows_of(train.texts, [1, *train.labels[1:]], train.groups, train.columns),
        "group": rows_of(train.texts, train.labels, ["changed", *train.groups[1:]], train.columns),
    }
    for changed in changes.values():
        other = split({**official, "train": changed}).provenance["sha256"]
        assert other["train"] != hashes["train"] and other["dev"] == hashes["dev"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0] * 20, "two or more classes, but all of its 20 labelled rows are 'negative'"),
        ([-1] * 20, "two or more classes, but it has no labelled row"),
        ([], "it has no labelled row"),
        ([0, 1] * 2, r"2 classes for 4 rows: .*A class needs at least three rows"),
        ([0] * 20 + [1], r"class 'positive' has too few examples \(1 in train, 0 in dev, 0 in test\)"),
        ([0] * 20 + [1] * 3, r"class 'positive' has too few examples \(1 in train, 1 in dev, 1 in test\)"),
    ],
)
def test_too_few_classes_or_examples_are_refused_with_the_counts(labels, message):
    with pytest.raises(DatasetError, match=message):
        split(rows_of([f"text {i}" for i in range(len(labels))], labels))


def test_four_examples_of_a_class_are_enough_for_one_in_dev_and_test_and_two_in_train():
    splits = split(rows_of([f"text {i}" for i in range(104)], [0] * 100 + [1] * 4))
    assert [int((part.labels == 1).sum()) for _, part in splits.items()] == [2, 1, 1]


def test_a_class_within_one_group_cannot_be_divided_and_says_so():
    rows = rows_of([f"text {i}" for i in range(40)], [i % 2 for i in range(40)], ["odd" if i % 2 else f"g{i}" for i in range(40)])
    with pytest.raises(DatasetError, match=r"class 'positive'.*one group, stays whole"):
        split(rows)


def test_official_train_that_shares_every_group_with_test_is_refused():
    train, test = table(20, n_groups=1), table(20, n_groups=1, start=100)
    with pytest.raises(DatasetError, match=r"no train row is left.*Check the group column"):
        split({"train": train, "dev": table(10, start=200), "test": test})


def test_a_class_that_official_dev_lacks_is_refused_by_its_name():
    dev = rows_of([f"dev {i}" for i in range(9)], [0] * 9)
    message = r"dev has no row of class 'positive' \(10 in train, 0 in dev, 5 in test\).*Choose other splits.*one table"
    with pytest.raises(DatasetError, match=message):
        split({"train": table(20), "dev": dev, "test": table(10, start=100)})


def test_a_class_that_dev_loses_to_test_is_refused_too():
    rows = table(20, start=100)
    dev = rows_of(["in test", *[f"dev {i}" for i in range(9)]], [1] + [0] * 9)
    with pytest.raises(DatasetError, match="dev has no row of class 'positive'"):
        split({"train": table(20), "dev": dev, "test": rows_of([*rows.texts, "in test"], [*rows.labels, 1])})


def test_a_class_that_official_test_lacks_is_a_note():
    test = rows_of([f"test {i}" for i in range(9)], [1] * 9)
    splits = split({"train": table(20), "dev": table(10, start=100), "test": test}, notes=["first"])
    assert set(splits.test.labels.tolist()) == {1}
    assert splits.provenance["notes"] == [
        "first",
        "Test has no row of class 'negative': scores that need every class, such as balanced accuracy, have no value there.",
    ]


def test_texts_that_all_have_two_labels_are_refused_for_that_reason():
    rows = rows_of([f"text {i // 2}" for i in range(80)], [i % 2 for i in range(80)])
    message = r"no dev row is left.*12 dev rows whose text has two labels.*Check the label column"
    with pytest.raises(DatasetError, match=message):
        split(rows)


def test_rows_of_one_group_cannot_be_divided_and_the_message_counts_what_is_whole():
    rows = rows_of([f"text {i}" for i in range(40)], [i % 2 for i in range(40)], ["one"] * 40)
    message = (
        r"no dev row is left.*rows that share a text or film stay together, so the 40 rows count as 1 .*Check the group column"
    )
    with pytest.raises(DatasetError, match=message):
        split(rows, group_word="film")


@pytest.mark.parametrize("max_examples", [1, -5])
def test_a_useless_number_of_examples_is_refused(max_examples):
    with pytest.raises(DatasetError, match=f"max_examples is {max_examples}"):
        DatasetOptions(max_examples=max_examples)


def rows_in_units(seed: int) -> tuple[LabelledTexts, LabelledTexts]:
    """Train and dev rows, some of whose texts come twice, with groups of all sizes."""
    random = np.random.default_rng(seed)
    sizes = random.integers(1, 12, size=40)
    group = np.repeat(np.arange(40), sizes)
    texts = tuple(f"text {g} {i if random.random() < 0.9 else 'again'}" for i, g in enumerate(group))
    rows = LabelledTexts(texts, random.integers(0, 2, len(group)), ("no", "yes"), group.astype(str))
    return rows.select(np.flatnonzero(group < 30)), rows.select(np.flatnonzero(group >= 30))


@pytest.mark.parametrize("seed", range(20))
def test_another_division_shares_no_text_and_no_group_and_leaves_no_row_out_but_repeats(seed):
    first, second = rows_in_units(seed)
    divisions = OtherDivisions(first, second)
    train, dev = divisions.drawn(seed)
    texts, groups = np.array([normalise_text(text) for text in divisions.rows.texts]), divisions.rows.groups
    assert not {*texts[train]} & {*texts[dev]} and not {*groups[train]} & {*groups[dev]}
    assert len({*texts[dev]}) == len(dev), "no text counts twice in dev"
    left_out = set(range(len(texts))) - {*train.tolist(), *dev.tolist()}
    dev_texts = {*texts[dev]}
    for row in left_out:
        labels = divisions.rows.labels[texts == texts[row]]
        assert texts[row] in dev_texts or len({*labels.tolist()}) == 2, "a repeat, or a text with two labels"


def test_another_division_of_single_rows_has_the_same_sizes_and_class_shares():
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    rows = LabelledTexts(tuple(f"text {i}" for i in range(1_000)), labels, ("a", "b", "c"))
    order = np.random.default_rng(0).permutation(1_000)
    divisions = OtherDivisions(rows.select(order[:820]), rows.select(order[820:]))
    for seed in range(5):
        train, dev = divisions.drawn(seed)
        assert abs(len(dev) - 180) <= 3 and len(train) + len(dev) == 1_000
        assert np.abs(np.bincount(divisions.rows.labels[dev]) - [108, 54, 18]).max() <= 1


def test_other_seeds_give_other_divisions_also_where_hardly_two_groups_are_equally_large():
    """Placed by size, 30 groups of different sizes are divided in two ways in 100 seeds; by lot, in 96 ways."""
    sizes = np.ceil(200 * 0.85 ** np.arange(30)).astype(int)
    groups = np.repeat(np.arange(30), sizes)
    labels = (np.random.default_rng(0).random(len(groups)) < 0.5).astype(np.int64)
    rows = LabelledTexts(tuple(f"text {i}" for i in range(len(groups))), labels, ("no", "yes"), groups.astype(str))
    keys, shares = [f"{i}" for i in range(len(groups))], {0: 0.85, 1: 0.15}
    by_size = {_cut(labels, groups, keys, shares, 2, seed).tobytes() for seed in range(20)}
    n_dev = int(0.15 * len(groups))
    divisions = OtherDivisions(rows.select(range(n_dev, len(groups))), rows.select(range(n_dev)))
    found = [divisions.drawn(seed)[1] for seed in range(20)]
    assert len(by_size) <= 2 and len({dev.tobytes() for dev in found}) >= 18
    assert all(abs(len(dev) - n_dev) < 0.25 * n_dev for dev in found)
    assert abs(np.mean([len(dev) for dev in found]) - n_dev) < 0.1 * n_dev


def test_a_division_that_lacks_a_class_is_drawn_again_and_refused_where_there_is_none():
    labels = np.array([0, 1] * 20 + [2] * 4)
    groups = np.array([f"of {i}" for i in range(40)] + ["one", "one", "other", "other"])
    rows = LabelledTexts(tuple(f"text {i}" for i in range(44)), labels, ("a", "b", "c"), groups)
    divisions = OtherDivisions(rows.select([*range(34), 40, 41]), rows.select([*range(34, 40), 42, 43]))
    for seed in range(10):
        train, dev = divisions.drawn(seed)
        assert all((divisions.rows.labels[part] == 2).sum() == 2 for part in (train, dev))
    whole = LabelledTexts(rows.texts, labels, rows.label_names, np.array(["of one"] * 44))
    with pytest.raises(DatasetError, match="cannot be divided again with every class in both parts"):
        OtherDivisions(whole.select(range(30)), whole.select(range(30, 44))).drawn(0)
