"""Top words where rows are words: the lists are those of the vectors that the probes read, by tag and where planted."""

import dataclasses
import json

import numpy as np
import pytest
from planted_tags import TAGS, UNIT, tagged_sentences, with_planted_neuron

from lit_probe.data import split_texts, split_words
from lit_probe.encoder.activations import Activations, extract_activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.joining import JOININGS
from lit_probe.errors import CancelledError, LitProbeError, UnservedError
from lit_probe.neurons.meaning.top_words import UnitWords, top_words_of_rows, with_tags
from lit_probe.probing.study import probe_layers


@pytest.fixture(scope="module")
def splits():
    return tagged_sentences()


@pytest.fixture(scope="module")
def study(splits, tiny_folder):
    return probe_layers(with_planted_neuron(str(tiny_folder())), splits, pooling="mean")


def in_order(rows):
    """[n_rows] (text, place of the word in it)."""
    texts = list(rows.whole_texts)
    return [(texts.index(text), row - rows.texts.index(text)) for row, text in enumerate(rows.texts)]


@pytest.mark.parametrize("joining", JOININGS)
@pytest.mark.parametrize("layer", [0, 2])
def test_the_lists_of_every_neuron_are_those_of_the_words_vectors(splits, tiny_folder, joining, layer):
    dev = splits.dev
    made = extract_activations(load_encoder(str(tiny_folder()), device="cpu"), dev.texts, joining, spans=dev.spans)
    found, values, places = top_words_of_rows(dev, made, layer, top=6), made.layer(layer), in_order(dev)
    assert found.facts.n_occurrences == len(dev) and found.facts.n_texts == len(dev.whole_texts)
    np.testing.assert_allclose(found.means, values.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(found.stds, values.std(axis=0), atol=1e-5)
    for unit in range(values.shape[1]):
        answer = found.of_unit(unit)
        for end, sign in ((answer.highest, 1), (answer.lowest, -1)):
            best = np.argsort(-sign * values[:, unit], kind="stable")[:6]
            assert [(one.text, one.word_index) for one in end.contexts] == [places[row] for row in best]
            assert [one.value for one in end.contexts] == values[best, unit].tolist()
            means = {word: values[[w == word for w in dev.words], unit].mean() for word in set(dev.words)}
            expected = sorted((sign * mean for mean in means.values()), reverse=True)[:6]
            np.testing.assert_allclose([sign * one.mean for one in end.words], expected, atol=1e-5)
            assert all(one.mean == pytest.approx(means[one.word], abs=1e-5) for one in end.words)


def test_a_planted_neuron_fires_on_the_words_of_its_tag_and_its_contexts_say_which(study):
    dev = study.splits.dev
    answer = with_tags(top_words_of_rows(dev, study.activations["dev"], 0, top=4).of_unit(UNIT), dev)
    for end, tag in ((answer.highest, "NOUN"), (answer.lowest, "VERB")):
        assert {one.tag for one in (*end.words, *end.contexts)} == {tag}
        assert {one.word for one in end.words} <= set(TAGS[tag])
        for one in end.contexts:
            assert one.shown == one.word and f"{one.before}{one.shown}{one.after}" in dev.whole_texts[one.text]
    other = with_tags(top_words_of_rows(dev, study.activations["dev"], 0, top=9).of_unit(UNIT + 1), dev)
    assert {one.tag for one in other.highest.words} == {"NOUN", "VERB"}, "the twin: another neuron knows no tag"
    assert UnitWords.from_json(json.loads(json.dumps(answer.to_json(), allow_nan=False))) == answer


@pytest.mark.parametrize("tag", [0, 1])
def test_the_words_of_one_tag_are_those_of_its_rows_alone(study, tag):
    dev, made = study.splits.dev, study.activations["dev"]
    rows = np.flatnonzero(dev.labels == tag)
    alone, places = top_words_of_rows(dev.select(rows), made.take(rows), 1, top=5), in_order(dev)
    found = top_words_of_rows(dev, made, 1, top=5, tag=tag)
    assert found.vocabulary == alone.vocabulary and (found.context_values == alone.context_values).all()
    assert found.facts.n_occurrences == len(rows)
    values = made.layer(1)
    for unit in (0, UNIT):
        best = rows[np.argsort(-values[rows, unit], kind="stable")[:5]]
        answer = with_tags(found.of_unit(unit), dev)
        assert [(one.text, one.word_index) for one in answer.highest.contexts] == [places[row] for row in best]
        assert {one.tag for one in answer.highest.contexts} == {dev.label_names[tag]}


def test_a_word_of_several_tags_is_told_by_the_most_frequent_one():
    splits = split_words(
        [["film", "film", "was"]] + [["film", f"was{i}"] for i in range(40)], [["V", "N", "V"]] + [["N", "V"]] * 40
    )
    train = splits.train
    made = Activations.from_array(np.ones((len(train), 1, 1), dtype=np.float32))
    [film] = [one for one in with_tags(top_words_of_rows(train, made, 0).of_unit(0), train).highest.words if one.word == "film"]
    assert film.tag == "N"


def test_words_of_one_written_form_and_words_that_were_cut_are_counted_as_rows(splits, tiny_folder):
    short = probe_layers(load_encoder(str(tiny_folder()), device="cpu", max_length=6), splits)
    facts = top_words_of_rows(short.splits.dev, short.activations["dev"], 1).facts
    assert facts.n_occurrences == len(short.splits.dev) < len(splits.dev) and 0 < facts.n_truncated <= facts.n_texts


def test_what_cannot_be_listed_is_a_sentence(study, splits):
    dev, made = splits.dev, study.activations["dev"]
    texts = split_texts([f"film {i}" for i in range(40)], [0, 1] * 20).dev
    bad = Activations.from_array(np.full((len(dev), 1, 3), np.nan, dtype=np.float32))
    for refused, said in (
        (lambda: top_words_of_rows(dev, made, 9), "Unknown layer 9"),
        (lambda: top_words_of_rows(dev, made, 1, top=0), "must be 1 or more"),
        (lambda: top_words_of_rows(dev, made, 1, tag=7), "None of these words has this tag"),
        (lambda: top_words_of_rows(dev, bad, 0), "NaN or infinity"),
        (lambda: top_words_of_rows(dev.select([]), made, 0), "There is no word"),
    ):
        with pytest.raises(LitProbeError, match=said):
            refused()
    with pytest.raises(UnservedError, match="is about words; the rows of this data set are texts"):
        top_words_of_rows(texts, Activations.from_array(np.zeros((len(texts), 1, 2), dtype=np.float32)), 0)


def test_it_can_be_ended(study):
    def stop(done, total):
        raise CancelledError("stop")

    with pytest.raises(CancelledError):
        top_words_of_rows(study.splits.dev, study.activations["dev"], 0, progress=stop)
    assert dataclasses.is_dataclass(top_words_of_rows(study.splits.dev, study.activations["dev"], 0))
