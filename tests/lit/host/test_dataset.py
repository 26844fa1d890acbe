import itertools

import numpy as np
import pytest
from lit_nlp.api import types
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.lib import serialize, validation
from tiny_probing import tiny_splits

from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.lit.host.dataset import ProbeDataset, probe_dataset, rows_to_show, stratified_sample


def sized_splits(n_train: int, n_dev: int, n_test: int) -> Splits:
    def rows(name: str, n: int) -> LabelledTexts:
        labels = np.arange(n) % 4 // 3  # a quarter of the rows has class 1
        return LabelledTexts(tuple(f"{name} {i}" for i in range(n)), labels, ("no", "yes"))

    return Splits("sized", rows("train", n_train), rows("dev", n_dev), rows("test", n_test))


def shown_sizes(splits: Splits, show_train: int = 500, max_shown: int = 5_000) -> dict[str, int]:
    return {name: len(rows) for name, rows in rows_to_show(splits, show_train, max_shown, seed=0).items()}


def test_a_data_set_that_fits_is_shown_with_a_sample_of_train():
    assert shown_sizes(sized_splits(6_920, 872, 1_821)) == {"dev": 872, "test": 1_821, "train": 500}


def test_where_rows_do_not_fit_all_of_dev_and_the_train_sample_stay_and_test_is_sampled():
    assert shown_sizes(sized_splits(4_250, 750, 5_000)) == {"dev": 750, "test": 3_750, "train": 500}


def test_a_dev_split_as_large_as_the_limit_leaves_room_for_the_others():
    assert shown_sizes(sized_splits(5_000, 5_000, 5_000)) == {"dev": 3_250, "test": 1_250, "train": 500}


@pytest.mark.parametrize("max_shown", [1, 7, 100, 2_000, 10_000])
@pytest.mark.parametrize("sizes", [(10, 10, 10), (4_000, 1_000, 3_000), (50, 2, 1_000)])
def test_no_more_rows_are_shown_than_allowed_and_no_fewer_than_possible(sizes, max_shown):
    splits = sized_splits(*sizes)
    shown = shown_sizes(splits, show_train=20, max_shown=max_shown)
    assert sum(shown.values()) <= max_shown
    if sum(shown.values()) < max_shown:
        assert (shown["dev"], shown["test"]) == sizes[1:]


def test_no_train_row_is_shown_when_none_is_wanted():
    assert shown_sizes(sized_splits(100, 10, 10), show_train=0)["train"] == 0


def test_a_sample_has_every_class_in_its_share_and_is_decided_by_the_seed():
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    sample = stratified_sample(labels, 50, seed=3)
    assert np.bincount(labels[sample]).tolist() == [30, 15, 5]
    assert np.array_equal(sample, np.sort(np.unique(sample)))
    assert np.array_equal(sample, stratified_sample(labels, 50, seed=3))
    assert not np.array_equal(sample, stratified_sample(labels, 50, seed=4))


@pytest.mark.parametrize("n_wanted", [0, 1, 2, 3, 9, 10, 11])
def test_a_sample_has_exactly_the_size_asked_for_or_all_rows(n_wanted):
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    assert len(stratified_sample(labels, n_wanted, seed=0)) == min(n_wanted, 10)


def test_dev_rows_stand_first_and_in_the_order_of_the_split():
    splits = tiny_splits()
    shown = ProbeDataset(splits)
    texts = [example["text"] for example in shown.examples]
    assert texts[: len(splits.dev)] == list(splits.dev.texts)
    assert [shown.position(text) for text in texts] == list(range(len(texts)))


def columned_splits() -> Splits:
    return tiny_splits(
        label_names=("no <b>", "yes & more"),
        columns=lambda texts: {
            "rating": np.arange(len(texts)),
            "score": np.array([i / 7 for i in range(len(texts))]),
            "gaps": np.array([np.nan if i % 2 else 1.0 for i in range(len(texts))]),
            "phenomenon": np.array(["plain" if i % 3 else "irony" for i in range(len(texts))]),
            "title": np.array([f"\ud800 film {i}" for i in range(len(texts))], dtype=object),
            "seen": np.array([i % 2 == 0 for i in range(len(texts))]),
            "tokens": np.array(["a", "b"] * (len(texts) // 2)),
        },
        groups=lambda texts: np.array([f"film {i // 2}" for i in range(len(texts))]),
    )


def test_every_row_passes_lits_own_validation():
    for splits in (tiny_splits(), columned_splits()):
        shown = IndexedDataset(base=ProbeDataset(splits))
        assert len(shown) > 0
        validation.validate_dataset(shown, enforce_all_fields_required=True)


def test_the_sources_own_columns_are_shown_under_names_of_their_own():
    shown = ProbeDataset(columned_splits())
    spec = shown.spec()
    assert isinstance(spec["rating"], types.Scalar) and isinstance(spec["score"], types.Scalar)
    assert isinstance(spec["gaps"], types.CategoryLabel) and isinstance(spec["seen"], types.Boolean)
    assert isinstance(spec["phenomenon"], types.CategoryLabel) and isinstance(spec["title"], types.TextSegment)
    assert "tokens" not in spec and "tokens_2" in spec, "a model's field has that name"
    columns = columned_splits().dev.columns
    assert [example["rating"] for example in shown.examples[:3]] == columns["rating"][:3].tolist()
    assert shown.examples[0]["title"].startswith("\ufffd film")


def test_rows_survive_json_with_finite_numbers_only():
    shown = ProbeDataset(columned_splits())
    sent = serialize.to_json(shown.examples, simple=True, allow_nan=False)
    assert serialize.from_json(sent) == shown.examples


def test_every_row_has_one_of_the_labels():
    shown = ProbeDataset(tiny_splits())
    assert {example["label"] for example in shown.examples} == {"negative", "positive"}
    assert {example["probe_split"] for example in shown.examples} == {"train", "dev", "test"}


def test_rows_wear_a_badge_where_probes_were_trained_on_them_or_on_a_copy():
    def rows(*texts: str) -> LabelledTexts:
        return LabelledTexts(texts, np.arange(len(texts)) % 2, ("no", "yes"))

    splits = Splits(
        "badges",
        train=rows("a fine little film about the old sea", "nothing but noise and dust"),
        dev=rows("a fine little film about the cold sea", "three sisters leave for moscow"),
        test=rows("Nothing but noise and dust", "he sang all night", "she never came back"),
    )
    elsewhere = Splits("elsewhere", train=rows("She  never came back", "another text"), dev=rows(), test=rows())
    shown = ProbeDataset(splits, others=[elsewhere])
    assert {example["text"]: example["in_train"] for example in shown.examples} == {
        "a fine little film about the cold sea": "near copy in train",
        "three sisters leave for moscow": "not in train",
        "Nothing but noise and dust": "near copy in train",
        "he sang all night": "not in train",
        "she never came back": "in train (elsewhere)",
        "a fine little film about the old sea": "in train",
        "nothing but noise and dust": "in train",
    }
    assert shown.spec()["in_train"].vocab == [
        "not in train",
        "in train",
        "in train (elsewhere)",
        "near copy in train",
    ]
    validation.validate_dataset(IndexedDataset(base=shown), enforce_all_fields_required=True)


def planted(dev, test) -> Splits:
    """Rows without a word in common, but for these, which are train rows with a word put before them."""
    sizes, words = {"train": 80, "dev": 40, "test": 36}, iter(f"word{i}" for i in range(10_000))
    texts = {name: [" ".join(itertools.islice(words, 8)) for _ in range(n)] for name, n in sizes.items()}
    for name, rows in (("dev", dev), ("test", test)):
        for row in rows:
            texts[name][row] = f"again {texts['train'][row]}"
    parts = {name: LabelledTexts(tuple(own), np.arange(len(own)) % 2, ("no", "yes")) for name, own in texts.items()}
    return Splits("planted", **parts)


def test_a_badge_stays_with_its_row_where_only_some_rows_are_shown():
    splits = planted(dev=(0, 7, 39), test=(5,))
    shown = ProbeDataset(splits, show_train=5, max_shown=60)
    assert shown.copies.result().rows == {"dev": (0, 7, 39), "test": (5,)}
    marked = {example["text"] for example in shown.examples if example["in_train"] == "near copy in train"}
    wanted = {splits.dev.texts[row] for row in (0, 7, 39)} | {splits.test.texts[5]}
    assert marked == wanted & set(shown.texts) and len(shown.texts) < 116
    assert all((example["in_train"] == "in train") == (example["probe_split"] == "train") for example in shown.examples)


def test_the_badge_stands_beside_the_label_and_a_new_text_does_not_contradict_itself():
    spec = ProbeDataset(tiny_splits()).spec()
    assert list(spec)[:4] == ["text", "label", "in_train", "probe_split"]
    # LIT's editor gives a new text the first value of each.
    assert (spec["in_train"].vocab[0], spec["probe_split"].vocab[0]) == ("not in train", "dev")


def test_rows_are_marked_that_an_encoder_reads_only_in_part():
    shown = ProbeDataset(tiny_splits(), not_read=lambda texts: [("slow" in text, 0.0) for text in texts])
    assert all(example["truncated"] == ("slow" in example["text"]) for example in shown.examples)
    assert len({example["truncated"] for example in shown.examples}) == 2


def test_the_share_of_unknown_tokens_is_a_column_where_there_are_any():
    shown = ProbeDataset(tiny_splits(), not_read=lambda texts: [(False, 1 / 3 if "slow" in text else 0.0) for text in texts])
    assert isinstance(shown.spec()["unknown_tokens"], types.Scalar)
    assert all(example["unknown_tokens"] == (0.333 if "slow" in example["text"] else 0) for example in shown.examples)
    assert "unknown_tokens" not in ProbeDataset(tiny_splits()).spec()


def test_a_row_knows_its_group_and_a_text_without_one_is_its_own():
    splits = columned_splits()
    shown = ProbeDataset(splits)
    assert shown.grouped
    assert [shown.group(text) for text in splits.dev.texts] == splits.dev.groups.tolist()
    assert shown.group("a new text") not in splits.dev.groups
    assert not ProbeDataset(tiny_splits()).grouped


def test_the_description_says_what_is_shown_of_how_many():
    first, *others = ProbeDataset(sized_splits(6_920, 872, 1_821)).description().split("\n")
    assert first == "3,193 rows shown: 500 of 6,920 train, 872 of 872 dev, 1,821 of 1,821 test."
    assert any("on edited rows never" in line for line in others)


def test_markup_in_names_and_provenance_is_shown_as_text():
    splits = columned_splits()
    provenance = {"source": "<img src=x onerror=alert(1)>", "division": "official", "dropped": {"duplicates": 3, "unlabelled": 0}}
    description = ProbeDataset(Splits("x", splits.train, splits.dev, splits.test, provenance)).description()
    assert "<" not in description and "&lt;img src=x" in description and "no &lt;b&gt;" in description
    assert "Left out: 3 duplicates." in description and "unlabelled" not in description.split("Left out")[1]


def test_our_data_set_is_found_under_lits_wrappers_and_nothing_else_is():
    ours = ProbeDataset(tiny_splits())
    assert probe_dataset(ours) is ours
    assert probe_dataset(IndexedDataset(base=Dataset(base=ours, examples=ours.examples[:3]))) is ours
    assert probe_dataset(Dataset(spec=ours.spec(), examples=ours.examples)) is None


def test_training_texts_hold_the_rows_that_are_not_shown_too():
    splits = tiny_splits()
    shown = ProbeDataset(splits, show_train=5)
    assert {text.casefold() for text in splits.train.texts} == shown.training_texts


def test_links_and_markup_in_names_are_shown_as_text():
    splits = tiny_splits()
    provenance = {"source": "[see](https://evil.example) **now**", "division": "www.evil.example", "dropped": {}}
    description = ProbeDataset(Splits("x", splits.train, splits.dev, splits.test, provenance)).description()
    assert r"Source: \[see\](https\://evil.example) \*\*now\*\*." in description and r"www\.evil.example" in description
