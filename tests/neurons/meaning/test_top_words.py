"""Top words and contexts of every neuron: against a slow count by hand, with planted words, and in bounded memory."""

import json
from collections import defaultdict

import numpy as np
import pytest
import torch
from tiny_encoders import DEFAULT_WORDS

from lit_probe.encoder import encoder as encoder_module
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.words import words_of
from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.neurons.meaning.top_words import ENDS, TopWords, UnitWords, top_words, with_surroundings
from lit_probe.neurons.meaning.word_gathering import Best, Gathering, Reading


def some_texts(n, seed=0):
    random = np.random.default_rng(seed)
    words = [*DEFAULT_WORDS, "Film", "zq", "don't", "."]
    return [" ".join(random.choice(words, size=random.integers(1, 25))) for _ in range(n)]


def hooks_of(encoder) -> int:
    encoder.forward(encoder.encode(["a"]))  # transformers leaves some of its own at the first pass
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in encoder.model.modules())


def by_hand(encoder, texts, layer):
    """For each word the values ``[n, d_model]`` of its occurrences; for each (text, word index) its values; text by text."""
    values, places = defaultdict(list), {}
    for number, (text, one) in enumerate(zip(texts, encoder.encode(texts, with_tokens=True), strict=True)):
        hidden, words = encoder.forward([one]).layers[layer][0].numpy(), words_of(text, one)
        for index, word in enumerate(words.texts):
            value = hidden[[i for i, of in enumerate(words.of_token) if of == index]].mean(axis=0)
            values[word.lower()].append(value)
            places[number, index] = value
    return {word: np.array(rows) for word, rows in values.items()}, places


@pytest.mark.parametrize(("architecture", "layer"), [("bert", 0), ("bert", 2), ("modernbert", 3), ("deberta-v2", 1)])
def test_words_and_contexts_of_every_neuron_are_those_counted_by_hand(tiny_folder, architecture, layer):
    encoder, texts = load_encoder(str(tiny_folder(architecture))), some_texts(60)
    found = top_words(encoder, texts, layer, top=5)
    words, places = by_hand(encoder, texts, layer)
    assert found.facts.n_words == len(words)
    assert found.facts.n_occurrences == len(places)
    everything = np.array(list(places.values()))
    np.testing.assert_allclose(found.means, everything.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.stds, everything.std(axis=0), atol=1e-5)
    for unit in range(encoder.d_model):
        answer = found.of_unit(unit)
        for name, sign, peak in (("highest", 1, np.max), ("lowest", -1, np.min)):
            listed = getattr(answer, name).words
            means = sorted((sign * rows[:, unit].mean() for rows in words.values()), reverse=True)
            np.testing.assert_allclose([sign * one.mean for one in listed], means[:5], atol=1e-5)
            for one in listed:
                rows = words[one.word][:, unit]
                assert one.count == len(rows)
                assert one.mean == pytest.approx(rows.mean(), abs=1e-5)
                assert one.peak == pytest.approx(peak(rows), abs=1e-5)
            contexts = getattr(answer, name).contexts
            best = sorted((sign * value[unit] for value in places.values()), reverse=True)
            np.testing.assert_allclose([sign * one.value for one in contexts], best[:5], atol=1e-5)
            for one in contexts:
                assert one.value == pytest.approx(places[one.text, one.word_index][unit], abs=1e-5)
            assert len({(one.text, one.word_index) for one in contexts}) == 5


def test_a_planted_word_tops_the_neuron_that_it_dominates(tiny_encoder):
    ids = tiny_encoder.tokenizer.convert_tokens_to_ids(["great", "bad"])
    with torch.no_grad():
        table = tiny_encoder.model.get_input_embeddings().weight
        table[ids[0], 7] = 50.0
        table[ids[1], 9] = -50.0
    found = top_words(tiny_encoder, some_texts(80), 0, top=8)
    high, low = found.of_unit(7).highest, found.of_unit(9).lowest
    assert high.words[0].word == "great"
    assert high.words[0].mean > 3 * high.words[1].mean
    assert {context.word for context in high.contexts} == {"great"}
    assert low.words[0].word == "bad"
    assert {context.word for context in low.contexts} == {"bad"}
    assert found.of_unit(8).highest.words[0].mean < high.words[0].mean


def test_the_order_of_texts_and_the_padding_change_nothing(tiny_encoder, monkeypatch):
    texts = some_texts(50)
    found = top_words(tiny_encoder, texts, 2, top=8)
    turned = top_words(tiny_encoder, texts[::-1], 2, top=8)
    monkeypatch.setattr(encoder_module, "_CPU_TOKEN_BUDGET", 40)
    narrow = top_words(tiny_encoder, texts, 2, top=8)
    for other in (turned, narrow):
        np.testing.assert_allclose(other.word_means, found.word_means, atol=1e-5)
        np.testing.assert_allclose(other.word_peaks, found.word_peaks, atol=1e-5)
        np.testing.assert_allclose(other.context_values, found.context_values, atol=1e-5)
    # What stands first by more than rounding is the same word in the same place.
    clear = found.context_values[0, :, 0] - found.context_values[0, :, 1] > 1e-4
    assert clear.sum() > 10
    np.testing.assert_array_equal(narrow.contexts[0, clear, 0, :2], found.contexts[0, clear, 0, :2])
    np.testing.assert_array_equal(49 - turned.contexts[0, clear, 0, 0], found.contexts[0, clear, 0, 0])
    again = top_words(tiny_encoder, texts, 2, top=8)
    np.testing.assert_array_equal(again.contexts, narrow.contexts)


def test_what_is_kept_does_not_grow_with_the_texts(tiny_encoder):
    def kept(n):
        reading = Reading(tiny_encoder, [*some_texts(n), " ".join([*DEFAULT_WORDS, "zq", "don't", "."])], 1, 20_000)
        gathering = Gathering(reading, tiny_encoder.d_model, 20)
        random = np.random.default_rng(0)
        for numbers in reading.occurrence_of_token:
            gathering.add(random.normal(size=(len(numbers), tiny_encoder.d_model)).astype(np.float32), numbers)
        return gathering.n_bytes, reading

    (small, _), (large, reading) = kept(3), kept(1_500)
    assert large == small
    assert large < reading.facts.n_occurrences * tiny_encoder.d_model * 4 / 10, "a tenth of all activations"
    assert all(not one.tokens and not one.offsets for one in reading.encoded)


def test_only_the_most_frequent_words_are_compared_when_there_are_too_many(tiny_encoder):
    texts = ["a a a film film film plot plot story", "acting a"]
    found = top_words(tiny_encoder, texts, 1, max_words=2)
    assert {one.word for end in ENDS for one in getattr(found.of_unit(3), end).words} == {"a", "film"}
    assert (found.facts.n_words, found.facts.n_words_compared) == (5, 2)
    assert {one.word for one in found.of_unit(3).highest.contexts} == {"a", "film", "plot", "story", "acting"}
    frequent = top_words(tiny_encoder, texts, 1, min_count=2)
    assert {one.word for one in frequent.of_unit(3).highest.words} == {"a", "film", "plot"}
    none = top_words(tiny_encoder, texts, 1, min_count=9)
    assert none.of_unit(3).highest.words == ()
    assert len(none.of_unit(3).highest.contexts) == 11


@pytest.mark.parametrize("n_values", [3, 1000])
def test_the_best_are_those_of_a_full_sort_and_equal_ones_come_by_number(n_values):
    random = np.random.default_rng(0)
    values = random.integers(n_values, size=(700, 11)).astype(np.float32)
    numbers = random.permutation(700)
    for n_parts in (1, 3, 60):
        best = Best(11, 6)
        for part in np.array_split(np.arange(700), n_parts):
            best.offer(values[part], numbers[part])
        for unit in range(11):
            expected = sorted(zip(-values[:, unit], numbers, strict=True))[:6]
            assert list(zip(-best.values[unit], best.numbers[unit], strict=True)) == expected


def test_lists_end_where_there_is_nothing_more(tiny_encoder):
    found = top_words(tiny_encoder, ["good film", ""], 1, top=20)
    answer = found.of_unit(0)
    assert UnitWords.from_json(json.loads(json.dumps(answer.to_json(), allow_nan=False))) == answer
    assert sorted(one.word for one in answer.highest.words) == ["film", "good"]
    assert [one.word for one in answer.lowest.words] == [one.word for one in answer.highest.words][::-1]
    assert len(answer.lowest.contexts) == 2
    assert (found.contexts[:, :, 2:] == -1).all()
    assert np.isfinite(found.word_means).all()


def test_the_text_around_a_context_is_the_text(tiny_encoder):
    texts = ["A Great, great film: zq-good!", "so \ud800 bad"]
    answer = with_surroundings(top_words(tiny_encoder, texts, 1).of_unit(5), tiny_encoder, texts, n_characters=3)
    for end in ENDS:
        for one in getattr(answer, end).contexts:
            assert one.shown.lower() == one.word
    shown = {(one.text, one.word_index): (one.before, one.shown, one.after) for one in answer.highest.contexts}
    assert shown[0, 1] == ("A ", "Great", ", g")
    assert shown[0, 6] == ("m: ", "zq-good", "!")
    assert shown[1, 0] == ("", "so", " \ufffd ")


def test_the_second_time_comes_from_the_cache(tiny_encoder, tmp_path):
    texts, cache = some_texts(20), Cache(tmp_path)
    first = top_words(tiny_encoder, texts, 1, cache=cache)

    def progress(done, total):
        raise AssertionError("computed again")

    second = top_words(tiny_encoder, texts, 1, cache=cache, progress=progress)
    plain = top_words(tiny_encoder, texts, 1)
    assert isinstance(second, TopWords)
    for unit in range(tiny_encoder.d_model):
        assert first.of_unit(unit) == second.of_unit(unit) == plain.of_unit(unit)
    with pytest.raises(AssertionError, match="computed again"):
        top_words(tiny_encoder, texts, 2, cache=cache, progress=progress)


def test_progress_ends_with_all_texts_and_can_cancel_without_a_hook_left_behind(tiny_encoder):
    calls, before = [], hooks_of(tiny_encoder)
    top_words(tiny_encoder, some_texts(90), 1, progress=lambda done, total: calls.append((done, total)))
    assert calls[0] == (0, 90)
    assert calls[-1] == (90, 90)
    assert calls == sorted(calls)
    assert len(calls) > 2

    def cancel(done, total):
        if done:
            raise CancelledError("no longer wanted")

    with pytest.raises(CancelledError):
        top_words(tiny_encoder, some_texts(90), 1, progress=cancel)
    assert hooks_of(tiny_encoder) == before


def test_bad_input_is_told(tiny_encoder):
    with pytest.raises(UnknownNameError, match="Unknown layer 9"):
        top_words(tiny_encoder, ["good"], 9)
    with pytest.raises(LitProbeError, match="no text whose words"):
        top_words(tiny_encoder, [], 1)
    with pytest.raises(LitProbeError, match="None of the 2 texts has a word"):
        top_words(tiny_encoder, ["", "  "], 1)
    with pytest.raises(LitProbeError, match="must be 1 or more; got 0, 1 and 20000"):
        top_words(tiny_encoder, ["good"], 1, top=0)
    with pytest.raises(LitProbeError, match=r"Unknown neuron 32\. Layer 1 has neurons 0 to 31"):
        top_words(tiny_encoder, ["good"], 1).of_unit(32)
    with torch.no_grad():
        tiny_encoder.model.get_input_embeddings().weight[tiny_encoder.tokenizer.convert_tokens_to_ids("good")] = float("inf")
    with pytest.raises(LitProbeError, match="hold NaN or infinity"):
        top_words(tiny_encoder, ["good"], 0)
