"""Near copies: planted ones of every kind are found, by a measure that is what it says, and unrelated texts are not."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from math import comb

import numpy as np
import pytest
from planted_copies import EDITS, planted, questions, sentences, vocabulary

from lit_probe.checks import near_copies, shingles
from lit_probe.checks.near_copies import MEASURES, Copy, copies_between
from lit_probe.data import load_dataset
from lit_probe.data.options import DatasetOptions

N_PLANTED = 50
LEAST_FOUND = 48


def copies(texts: Sequence[str], among: Sequence[str]) -> dict[int, Copy]:
    return copies_between({"texts": texts, "among": among}, [("texts", "among")])["texts", "among"]


def measure_of(text: str, other: str) -> str | None:
    found = copies([text], [other])
    return found[0].measure if found else None


def n_found(sources: Sequence[str], kind: str, seed: int) -> int:
    """How many of `N_PLANTED` copies of a kind are found, each beside the text that it was made from."""
    made = planted(sources, EDITS[kind], N_PLANTED, seed)
    found = copies(list(made.values()), sources)
    return sum(number in found and sources[found[number].copy] == sources[row] for number, row in enumerate(made))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", EDITS)
def test_planted_copies_of_sentences_are_found(kind, seed):
    """Of 200 sentences per kind, before (word sets alone) and now: one word changed 200 and 200, twins 194 and 199, two typos
    181 and 200, a suffix 71 and 200, a prefix 200 and 200, the last third cut 108 and 200, case and signs 200 and 200, order
    200 and 200."""
    assert n_found(sentences(2_000, 1), kind, seed) >= LEAST_FOUND


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["one word changed", "two typos", "suffix", "prefix", "case and signs", "order swapped"])
def test_planted_copies_of_short_questions_are_found(kind, seed):
    """Of 200 questions of 5 to 10 words, before and now: one word changed 192 and 198, two typos 15 and 198 (197 of them beside
    the question that they come from), a suffix 0 and 200, the others 200 and 200."""
    assert n_found(questions(2_000, 1), kind, seed) >= LEAST_FOUND


def test_of_short_questions_that_were_changed_much_most_are_found():
    """Two of seven words are other ones, or a third is gone and what is left asks for something else: there is nothing to tell
    such questions from others of their template. Of 200 twins 113 were found, and are 168 now."""
    assert sum(n_found(questions(2_000, 1), "twin", seed) for seed in range(4)) >= 160


@pytest.mark.parametrize(("make", "allowed"), [(sentences, 0), (questions, 90)])
def test_unrelated_texts_are_no_copies(make, allowed):
    """Sentences: 0 of 1,000. Questions of six templates share up to six words of eight: 68 of 1,000, of which 45 by words, as
    before."""
    assert len(copies(make(1_000, 2), make(2_000, 1))) <= allowed


@pytest.mark.parametrize(("split", "n_copies"), [("dev", 3), ("test", 3)])
def test_real_sentences_have_hardly_any(test_data, split, n_copies):
    """SST-2: 3 of 872 and 3 of 1,821; before what chance gives was taken off, 5 and 13."""
    splits = load_dataset("sst2_sentences", str(test_data / "sst2"), DatasetOptions(max_examples=0))
    texts = dict(splits.items())[split].texts
    assert len(copies(texts, splits.train.texts)) == n_copies < 0.01 * len(texts)


@pytest.mark.parametrize(("split", "n_copies"), [("dev", 8), ("test", 19)])
def test_in_sixty_thousand_phrases_there_are_hardly_more(test_data, split, n_copies):
    """SST-2 with its phrases: before, 26 of 872 and 56 of 1,821.

    Read one by one: in dev two differ in a full stop, the other 6 (0.7 %) share a turn of phrase; in test 9 are the same text but
    for signs, a word or "the movie" for "it", the other 10 (0.5 %) share a turn of phrase or a title.
    """
    splits = load_dataset("sst2", str(test_data / "sst2"), DatasetOptions(max_examples=0))
    texts = dict(splits.items())[split].texts
    assert len(copies(texts, splits.train.texts)) == n_copies <= 0.011 * len(texts)


@pytest.mark.parametrize("n", [1_000, 10_000, 60_000])
def test_more_texts_to_look_in_give_no_more_false_copies_and_no_fewer_true_ones(n):
    """Two typos in 50 sentences of 8 to 10 words, beside 1,000 sentences that are unrelated to those looked in."""
    among = sentences(n, 1, least=8, most=10)
    changed = planted(among[:1_000], EDITS["two typos"], N_PLANTED, seed=0)
    unrelated = sentences(1_000, 2, least=8, most=10)
    found = copies([*changed.values(), *unrelated], among)
    assert sum(row < N_PLANTED for row in found) >= LEAST_FOUND
    assert sum(row >= N_PLANTED for row in found) < 0.01 * len(unrelated)


@pytest.mark.parametrize("n_shared", [5, 16, 60])
def test_a_prompt_that_all_texts_share_makes_no_copies(n_shared):
    """Of 1,000 before, with 16 shared words and 4 others: 948."""
    prompt = " ".join(f"prompt{number}" for number in range(n_shared))
    made = [f"{prompt} {text}" for text in sentences(2_000, 1, least=4, most=12)]
    same = {frozenset(text.split()) for text in made[:1_000]}
    found = copies(made[1_000:], made[:1_000])
    assert sum(frozenset(made[1_000 + row].split()) not in same for row in found) <= 10


def few_words(n: int) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(part) for part in rng.choice(vocabulary(49), size=(n, 6))]


def template(n: int) -> list[str]:
    rng, words = np.random.default_rng(0), vocabulary(36)
    slots = [words[:12], words[:12], words[12:22], words[:12], words[22:25], words[:12], words[12:22]]
    rows = zip(*(rng.choice(slot, size=n) for slot in slots), strict=True)
    return ["the {} near the {} {} the {} {} {} {}".format(*row) for row in rows]


@pytest.mark.parametrize("make", [few_words, template])
def test_texts_of_few_words_are_no_copies_and_take_little_memory(make):
    """Of 8,000 before: 7,328 of the one kind, all of the other, and memory that grew with the square of their number."""
    made = make(16_000)
    tracemalloc.start()
    found = copies(made[8_000:], made[:8_000])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(copy.measure != "exact" and copy.similarity < 1 for copy in found.values()) < 80
    assert most < 500e6


def test_copies_among_longer_texts_of_few_words_are_found_still():
    rng, words = np.random.default_rng(0), vocabulary(200)
    made = [" ".join(rng.choice(words, size=14)) for _ in range(10_000)]
    for kind in ("one word changed", "case and signs", "order swapped"):
        assert n_found(made, kind, seed=0) >= LEAST_FOUND


def test_marks_belong_to_their_words_and_the_order_of_chinese_characters_counts():
    assert near_copies._written().findall("यह फिल्म अच्छी है") == ["यह", "फिल्म", "अच्छी", "है"]
    assert measure_of("我打了他", "他打了我") is None
    assert measure_of("人咬狗", "狗咬人") is None
    long = "这部电影的故事很好看演员的表演也非常精彩"
    assert measure_of(long.replace("故", "往"), long) == "words"
    assert measure_of(f"{long}我昨天和朋友一起去看了", long) == "contained"
    hindi = "यह फिल्म बहुत अच्छी है और मुझे बहुत पसंद आई"
    assert measure_of(hindi.replace("बहुत", "काफी"), hindi) == "words"


@pytest.mark.parametrize("kind", EDITS)
@pytest.mark.parametrize("short", [True, False])
def test_planted_copies_of_real_sentences_are_found(test_data, kind, short):
    """Sentences of 5 to 10 words (two typos: 23 of 200 before, 199 now; a suffix: 0 and 200), and of 9 or more."""
    splits = load_dataset("sst2_sentences", str(test_data / "sst2"), DatasetOptions(max_examples=0))
    lengths = [sum(word.isalnum() for word in text.split()) for text in splits.train.texts]
    fitting = [text for text, n in zip(splits.train.texts, lengths, strict=True) if (5 <= n <= 10 if short else n >= 9)]
    least = 44 if short and kind == "twin" else LEAST_FOUND
    assert n_found(fitting, kind, seed=0) >= least


def test_pairs_of_reviews_that_people_wrote_as_twins_are_found():
    """The demo's pairs differ in up to two thirds of their words. Of 548, word sets found 145 (26 %); now it is 509 (93 %)."""
    splits = load_dataset("demo", None, DatasetOptions(max_examples=0))
    pairs: dict[str, list[str]] = {}
    for _, rows in splits.items():
        for text, pair in zip(rows.texts, rows.columns["pair_id"], strict=True):
            pairs.setdefault(str(pair), []).append(text)
    texts, twins = zip(*pairs.values(), strict=True)
    found = copies(texts, twins)
    assert sum(copy.copy == row for row, copy in found.items()) >= 0.92 * len(texts)
    assert all(copy.copy == row for row, copy in found.items()), "no review is taken for the twin of another"


def brute_force(texts: Sequence[str], others: Sequence[str], measure: str) -> np.ndarray:
    """``[n_texts, n_others]`` the similarity by one measure as its definition says, -1 where it finds no copy."""

    def runs(units: Sequence[str], n: int) -> frozenset[tuple[str, ...]]:
        return frozenset(tuple(units[start : start + n]) for start in range(len(units) - n + 1))

    every = [*texts, *others]
    spelt = {text: runs(f" {text} ", 4) for text in every}
    n_with = Counter(run for text in every for run in spelt[text])
    weights = {run: np.log(0.25 / min(max(n / max(len(every), 200), 0.005), 0.25)) for run, n in n_with.items()}
    n_with_word = Counter(word for text in every for word in {*text.split()})
    surprise = {word: -np.log((max(n - 2, 0) + 0.5) / (len(every) + 8)) for word, n in n_with_word.items()}

    def similarity(text: str, other: str) -> float:
        a, b = text.split(), other.split()
        fewer, both = min(len({*a}), len({*b})), {*a} & {*b}
        if sum(surprise[word] for word in both) - np.log(comb(fewer, len(both))) < np.log(len(others)) + 2:
            return -1
        shorter, longer = sorted((a, b), key=len)
        match measure:
            case "words":
                value = len(both) / len({*a} | {*b})
                return value if value >= 0.7 else -1
            case "contained":
                if len(shorter) < 5 or (len(shorter) < 10 and len(shorter) < 0.3 * len(longer)):
                    return -1
                triples, around = runs(shorter, 3), runs(longer, 3)
                value = len(triples & around) / len(triples)
                return value if value >= 0.8 else -1
        fewer, more = sorted((len(spelt[text]), len(spelt[other])))
        if fewer < 0.75 * more or len(longer) > 40:
            return -1
        same, either = (sum(weights[run] for run in kind) for kind in (spelt[text] & spelt[other], spelt[text] | spelt[other]))
        return same / either if same / either >= 0.22 + 3.5 / fewer else -1

    return np.array([[similarity(text, other) for other in others] for text in texts])


def texts_alike(n: int, seed: int) -> list[str]:
    """Sentences made of a few dozen runs of words, so that similarities of all sizes occur by every measure."""
    rng, words = np.random.default_rng(seed), vocabulary(60, seed=7)
    parts = [words[start : start + 4] for start in range(0, 60, 2)]
    return [" ".join(word for part in rng.permutation(30)[: rng.integers(2, 6)] for word in parts[part]) for _ in range(n)]


@pytest.mark.parametrize("measure", ["words", "contained", "characters"])
def test_what_is_found_is_what_the_definition_says(monkeypatch, measure):
    monkeypatch.setattr(near_copies, "MEASURES", {measure: MEASURES[measure]})
    others = texts_alike(250, 2)
    texts = [text for text in texts_alike(150, 1) if text not in others]
    truth, found = brute_force(texts, others, measure), copies(texts, others)
    assert set(found) == set(np.flatnonzero((truth >= 0).any(axis=1)).tolist())
    assert 20 < len(found) < len(texts)
    for row, copy in found.items():
        assert copy.similarity == pytest.approx(truth[row].max()) == pytest.approx(truth[row, copy.copy])
        assert copy.measure == measure


def test_of_what_many_texts_have_only_some_are_looked_at_and_a_copy_is_found_still(monkeypatch):
    monkeypatch.setattr(shingles, "_MOST_ROWS", 5)
    frame = "the {} of this review was {} but its end was {} anyway".format
    words = vocabulary()
    rng = np.random.default_rng(0)
    made = [frame(*rng.choice(words, size=3)) for _ in range(300)]
    found = copies([f"{text} indeed" for text in made[:50]], made)
    assert len(found) == 50 and all(copy.copy == row for row, copy in found.items())


def test_the_measure_says_how_a_copy_was_found():
    text = "the old harbour of this town was painted by three sisters last summer"
    assert measure_of(text.upper(), text) == "exact"
    assert measure_of(text.replace("three", "four"), text) == "words"
    assert measure_of(f"{text} and by many other people who passed by on their way home", text) == "contained"
    assert measure_of("who pianted the harbor", "who painted the harbour") == "spelling"


HARBOUR = "the old harbour of this town was painted by three sisters"
ALBUM = "with their fourth album the band has made a step in the right direction and then three to the left and I agree"


@pytest.mark.parametrize(
    ("phrase", "around"),
    [("old harbour", HARBOUR), ("of this town was", HARBOUR), ("a step in the right direction", ALBUM)],
)
def test_a_turn_of_phrase_in_a_sentence_is_no_copy(phrase, around):
    assert measure_of(phrase, around) is None and measure_of(around, phrase) is None


@pytest.mark.parametrize("pair", list(product(["", "?!", "🙂", "one"], repeat=2)))
def test_texts_of_a_word_or_none_are_copies_where_they_are_the_same(pair):
    assert measure_of(*pair) == ("exact" if pair[0] == pair[1] else None)


def test_parts_are_compared_as_asked_and_a_part_may_be_empty():
    parts = {"a": ["the old harbour of this town", "nothing like it"], "b": ["the old harbour of that town"], "c": []}
    found = copies_between(parts, [("a", "b"), ("b", "a"), ("a", "c"), ("c", "a")])
    assert found["a", "b"] == {0: Copy(0, 0, "words", pytest.approx(5 / 7))}
    assert found["b", "a"] == {0: Copy(0, 0, "words", pytest.approx(5 / 7))}
    assert found["a", "c"] == found["c", "a"] == {}


def test_long_texts_are_not_compared_by_their_characters():
    made: Callable[[int], list[str]] = lambda seed: sentences(200, seed, least=120, most=200)  # noqa: E731
    assert copies(made(3), made(4)) == {}
    changed = planted(made(4), EDITS["two typos"], N_PLANTED, seed=0)
    assert {copy.measure for copy in copies(list(changed.values()), made(4)).values()} == {"words"}
