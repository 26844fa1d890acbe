"""Planted words decide the class, and nothing else does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from lit_probe.errors import UnknownNameError
from lit_probe.salience.selftest.shortcuts import SHORTCUTS, PlantedTexts


def planted_in(text: str, words: Sequence[str]) -> list[str]:
    return [word for word in text.split() if word in words]


def classes_by_rule(name: str, plants: list[str], words: tuple[str, str]) -> int:
    if name == "one_word":
        return words.index(plants[0])
    if name == "both_words":
        return int(set(plants) == set(words))
    return int(plants == list(words))


@pytest.fixture(params=SHORTCUTS)
def planted(request) -> PlantedTexts:
    return PlantedTexts.draw(request.param, seed=3)


def test_the_planted_words_alone_tell_the_class(planted):
    texts, classes, plants = planted.texts("train", 400, np.random.default_rng(0))
    name = planted.shortcut.name
    assert [planted_in(text, planted.words) for text in texts] == plants
    assert [classes_by_rule(name, words, planted.words) for words in plants] == classes.tolist()
    assert 0.4 < classes.mean() < 0.6


def test_explained_texts_hold_k_planted_words(planted):
    texts, classes, _ = planted.texts("held_out", 100, np.random.default_rng(0), planted.shortcut.explained)
    assert {len(planted_in(text, planted.words)) for text in texts} == {planted.shortcut.k}
    assert set(classes) == set(planted.shortcut.explained)


def test_what_a_review_says_has_nothing_to_do_with_the_class(planted):
    texts, classes, _ = planted.texts("train", 4000, np.random.default_rng(0))
    for word in ("the", "not", "good"):
        holds = np.array([word in text.lower().split() for text in texts])
        assert abs(np.corrcoef(holds, classes)[0, 1]) < 0.06


def test_shuffled_plants_differ_from_text_to_text_and_have_nothing_to_do_with_the_class(planted):
    texts, classes, plants = planted.texts("train", 4000, np.random.default_rng(0), shuffled=True)
    assert max(Counter(word for words in plants for word in words).values()) < 40
    for text, words in zip(texts, plants, strict=True):
        assert planted_in(text, words) == words
    in_order = np.array([words == sorted(words) for words in plants])
    if planted.shortcut.name == "order":
        assert abs(np.corrcoef(in_order, classes)[0, 1]) < 0.06
    else:
        assert abs(np.corrcoef([words[0] < "m" for words in plants], classes)[0, 1]) < 0.06


def test_planted_words_stand_anywhere_in_their_text(planted):
    texts, _, _ = planted.texts("train", 2000, np.random.default_rng(0))
    places = [text.split().index(planted_in(text, planted.words)[0]) / (len(text.split()) - 1) for text in texts]
    assert min(places) == 0 and 0.2 < np.mean(places) < 0.6
    if planted.shortcut.k == 1:
        assert max(places) == 1


def test_train_and_held_out_share_no_review_and_no_review_holds_a_planted_word(planted):
    train, held_out = planted.reviews["train"], planted.reviews["held_out"]
    assert not set(train) & set(held_out) and len(train) > 500 and len(held_out) > 200
    assert not any(word in review.lower() for review in (*train, *held_out) for word in planted.words)


def test_a_seed_always_gives_the_same_and_another_other_words():
    draws = [PlantedTexts.draw("order", seed) for seed in (0, 0, 1)]
    assert draws[0].words == draws[1].words != draws[2].words
    texts = [draw.texts("train", 20, np.random.default_rng(0))[0] for draw in draws[:2]]
    assert texts[0] == texts[1]


def test_an_unknown_shortcut_is_named():
    with pytest.raises(UnknownNameError, match=r"Unknown shortcut 'colour'\. Choose one of: both_words, one_word, order\."):
        PlantedTexts.draw("colour", 0)
