"""Kept probes: the same digits after the round trip, on the encoder that they were fitted on, and on no other."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load, save

import lit_probe
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.data.text_pairs import segments
from lit_probe.encoder.cache import CACHE_DTYPES, Cache
from lit_probe.encoder.encoder import encoder_of, load_encoder
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.errors import EncoderError, ProbeError, UnknownNameError
from lit_probe.probing.given_activations import probe_activations
from lit_probe.probing.kept_probe import KeptProbe, kept_probe
from lit_probe.probing.probe_file import _checksum, load_probe, probe_bytes, read_probe, save_probes
from lit_probe.probing.probes import FittedProbe
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import probe_layers
from tests.kinds_of_probe import OF_CLASSES

WORDS = {"bad": ("awful", "dull", "sad"), "good": ("great", "fine", "funny"), "so so": ("slow", "fast", "little")}


def splits_of(n_classes: int = 2, name: str = "films") -> Splits:
    """Sentences whose class is that of their adjective; rare classes come last."""
    classes = list(WORDS)[:n_classes]
    rows = [
        (f"the {noun} was {adverb} {word}", label)
        for noun in ("film", "movie", "story", "plot", "scene", "music")
        for adverb in ("very", "more", "not", "best")
        for label, kind in enumerate(classes)
        for word in WORDS[kind]
    ]
    order = np.random.default_rng(3).permutation(len(rows))
    texts, labels = zip(*(rows[i] for i in order), strict=True)
    every = LabelledTexts(texts, np.array(labels, dtype=np.int64), tuple(classes))
    third = len(rows) // 3
    parts = [every.select(range(start, start + third)) for start in (0, third, 2 * third)]
    return Splits(name, *parts, {"source": "sentences of the tests", "dropped": {}})


@pytest.fixture(scope="module")
def encoder(tiny_folder):
    return load_encoder(str(tiny_folder()))


@pytest.fixture(scope="module")
def study(encoder):
    return probe_layers(encoder, splits_of(), rules=StudyRules(decision="prior"))


@pytest.fixture
def kept(study):
    return kept_probe(study)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", OF_CLASSES)
def test_every_kind_of_probe_gives_the_digits_of_its_study_after_the_round_trip(encoder, tmp_path, kind, n_classes):
    study = probe_layers(encoder, splits_of(n_classes), probe=kind, rules=StudyRules(decision="prior"))
    file = save_probes(study, tmp_path / "new" / "probes.safetensors")
    kept = lit_probe.load_probe(file)
    expected, texts = study.probabilities("dev"), study.splits.dev.texts
    for layer in range(encoder.n_layers):
        found = kept.predict(texts, encoder, layer)
        assert np.array_equal(found.probabilities, expected[:, layer])
        assert np.array_equal(found.classes, study.decision.classes(expected[:, layer]))
    assert kept.predict(texts, encoder).layer == study.best_layer
    assert found.labels == [study.splits.label_names[index] for index in found.classes]
    assert probe_bytes(kept) == file.read_bytes() == probe_bytes(kept_probe(study))


@pytest.mark.parametrize("dtype", CACHE_DTYPES)
def test_activations_are_read_as_those_of_the_study_were_kept(encoder, tmp_path, dtype):
    study = probe_layers(encoder, splits_of(), cache=Cache(None, dtype))
    kept, texts = load_probe(save_probes(study, tmp_path / "probes.safetensors")), study.splits.dev.texts
    assert ("cache_dtype" in kept.facts.to_json()) == (dtype != "float32")
    for cache in (None, *(Cache(folder, other) for folder in (None, tmp_path / "cache") for other in CACHE_DTYPES)):
        found = kept.predict(texts, encoder, 1, cache=cache)
        assert np.array_equal(found.probabilities, study.probabilities("dev")[:, 1])


@pytest.mark.parametrize("kind", OF_CLASSES)
def test_units_that_do_not_vary_survive_it(tmp_path, kind):
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    values = rng.normal(size=(90, 2, 6)) + labels[:, None, None]
    values[:, 1, [1, 4]] = 0.5
    study = probe_activations(values, labels, probe=kind)
    kept = load_probe(save_probes(study, tmp_path / "probes"))
    assert kept.fitted(1).dead_units == [1, 4]
    for layer in (0, 1):
        rows = study.activations["test"].layer(layer)
        found = kept.predict_vectors(rows, layer)
        assert np.array_equal(found.probabilities, study.probabilities("test")[:, layer])
        assert found.truncated is None and found.in_training is None


def test_a_study_that_is_made_again_gives_the_same_bytes(study, tmp_path):
    again = probe_layers(load_encoder(study.encoder.checkpoint.model_id), splits_of(), rules=StudyRules(decision="prior"))
    assert save_probes(again, tmp_path / "other").read_bytes() == save_probes(study, tmp_path / "own").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "own"], "nothing else is left"


def test_one_layer_can_be_kept_and_others_are_refused(study, encoder, tmp_path):
    other = (study.best_layer + 1) % encoder.n_layers
    kept = load_probe(save_probes(study, tmp_path / "probes", layer=other))
    assert kept.layer == other and kept.facts.choice.layer == study.best_layer
    every = kept_probe(study).predict(["a bad film"], encoder, other)
    assert np.array_equal(kept.predict(["a bad film"], encoder).probabilities, every.probabilities)
    for layer in (study.best_layer, -1, 99):
        with pytest.raises(UnknownNameError, match=f"There is no probe of layer {layer} here. Choose one of: {other}"):
            kept.predict(["a bad film"], encoder, layer)
    with pytest.raises(UnknownNameError, match="Unknown layer 99"):
        save_probes(study, tmp_path / "probes", layer=99)


def test_it_says_what_was_truncated_and_what_it_was_trained_on(study, encoder, kept):
    train = study.splits.train.texts[0]
    found = kept.predict([train.upper() + " ", "a film that nobody has seen", "film " * 100], encoder)
    assert found.in_training.tolist() == [True, False, False]
    assert found.truncated.tolist() == [False, False, True]
    assert kept.in_training(study.splits.train.texts).all()
    assert not kept.in_training([*study.splits.dev.texts, *study.splits.test.texts]).any()


def test_it_loads_the_encoder_that_it_names(kept, encoder):
    texts = ["a good film", "the plot was dull"]
    assert np.array_equal(kept.predict(texts).probabilities, kept.predict(texts, encoder).probabilities)


def test_weights_drawn_by_a_seed_are_drawn_again(encoder):
    study = probe_layers(encoder.randomised(3), splits_of())
    kept = read_probe(probe_bytes(kept_probe(study)), "it")
    expected = study.probabilities("dev")[:, kept.layer]
    assert np.array_equal(kept.predict(study.splits.dev.texts).probabilities, expected)
    with pytest.raises(ProbeError, match="weights drawn by seed 3 there and trained weights here"):
        kept.predict(["a film"], encoder)


@pytest.mark.parametrize("settings", [{"template": "Review: {text}\nSentiment:"}, {"template": "{text}"}])
def test_probes_of_a_template_ask_under_the_same_one(tiny_folder, encoder, kept, settings):
    study = probe_layers(load_encoder(str(tiny_folder()), **settings), splits_of())
    again = read_probe(probe_bytes(kept_probe(study)), "it")
    assert again.facts.encoder.template == settings["template"]
    expected = study.probabilities("dev")[:, again.layer]
    assert np.array_equal(again.predict(study.splits.dev.texts).probabilities, expected)
    refused(again, encoder, f"template {settings['template']!r} there and none here")
    refused(kept, study.encoder, f"template none there and {settings['template']!r} here")


def test_probes_of_texts_alone_name_no_template(kept):
    assert not {"template", "chat"} & set(kept.facts.encoder.to_json())


def refused(kept, encoder, *said):
    with pytest.raises(ProbeError) as told:
        kept.predict(["a good film"], encoder)
    message = str(told.value)
    assert all(one in message for one in said), message
    assert message.startswith("These probes were fitted on 'tiny-bert' and cannot read ") and "\n" not in message


def test_another_encoder_is_refused_with_what_differs(kept, tiny_folder):
    folder = str(tiny_folder())
    refused(kept, load_encoder(str(tiny_folder("distilbert"))), "'tiny-distilbert'", "another config and weights")
    refused(kept, load_encoder(str(tiny_folder(seed=1))), ": another weights.")
    refused(kept, load_encoder(folder, max_length=32), "max_length 64 there and 32 here")
    refused(kept, load_encoder(folder, keep="tail"), "keep head there and tail here")
    refused(kept, load_encoder(folder).randomised(0), "trained weights there and weights drawn by seed 0 here")
    one = load_encoder(folder)
    refused(kept, encoder_of(one.model, one.tokenizer), "one was in a program's memory and the other in files")
    given = probe_activations(np.random.default_rng(0).normal(size=(40, 1, 32)), np.arange(40) % 2).encoder
    refused(kept, given, "other vectors")


@pytest.mark.parametrize("pooling", [name for name in POOLINGS if name != "mean"])
def test_another_pooling_is_refused(kept, encoder, pooling):
    kept.check_encoder(encoder, "mean")
    with pytest.raises(ProbeError, match=f"mean pooling there and {pooling} pooling here"):
        kept.check_encoder(encoder, pooling)


def test_a_model_in_memory_must_be_given_and_is_known_by_its_content(encoder):
    def given():
        return encoder_of(encoder.model, encoder.tokenizer)

    study = probe_layers(given(), splits_of())
    kept = read_probe(probe_bytes(kept_probe(study)), "it")
    assert np.array_equal(kept.predict(study.splits.dev.texts, given()).probabilities, study.probabilities("dev")[:, kept.layer])
    with pytest.raises(ProbeError, match=r"a model in a program's memory, .* Use predict\(texts, encoder=…\)"):
        kept.predict(["a film"])


def test_probes_of_vectors_read_vectors_of_their_width_alone():
    rng = np.random.default_rng(0)
    study = probe_activations(rng.normal(size=(40, 2, 5)), np.arange(40) % 2, name="brain")
    kept = read_probe(probe_bytes(kept_probe(study)), "it")
    # The vectors themselves are an encoder of the texts that they are of.
    assert np.array_equal(kept.predict(study.splits.dev.texts, study.encoder, 1).probabilities, study.probabilities("dev")[:, 1])
    with pytest.raises(ProbeError, match=r"vectors from elsewhere, 'brain', .* Use predict_vectors\(values\)"):
        kept.predict(["a film"])
    for values in (np.zeros((3, 4)), np.zeros(5), np.zeros((0, 5)), np.zeros((2, 2, 5)), [[1.0]]):
        with pytest.raises(ProbeError, match=r"where \[rows, 5\] is needed"):
            kept.predict_vectors(values)
    for bad in (np.nan, np.inf):
        with pytest.raises(ProbeError, match=r"no finite probabilities for 1 of 2 rows"):
            kept.predict_vectors(np.array([[0.0] * 5, [bad] * 5]))


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "There are no texts"),
        (["a film", ""], "Text 2 of 2 is empty"),
        ([" \u200b\n"], "Text 1 of 1 is empty"),
        ("a film", "as a list of strings"),
        (["a film", None], "Give a list of strings"),
    ],
)
def test_what_is_no_text_is_refused(kept, encoder, texts, said):
    with pytest.raises(ProbeError, match=said):
        kept.predict(texts, encoder)


def test_strange_texts_are_read(kept, encoder):
    found = kept.predict(["\ud800", "映画", "🙂 " * 500, "a" * 10_000], encoder)
    assert np.allclose(found.probabilities.sum(axis=1), 1)


# ---- files ----------------------------------------------------------------------------------------------------------------


def entry_of(content: bytes) -> tuple[dict, dict]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["lit_probe probes"]), load(content)


def forged(content: bytes, change, *, sealed: bool = True) -> bytes:
    """The file with other facts or arrays, with a checksum that fits."""
    entry, arrays = entry_of(content)
    change(entry, arrays)
    if sealed:
        entry["sha256"] = _checksum(entry["facts"], arrays)
    return save(arrays, {"lit_probe probes": json.dumps(entry)})


def set_in(place: str, value, *path):
    def change(entry, arrays):
        inner = entry["facts"]
        *to, last = [place, *path]
        for key in to:
            inner = inner[key]
        inner[last] = value

    return change


def array(name, value):
    return lambda entry, arrays: arrays.__setitem__(name, value)


def without(name):
    return lambda entry, arrays: arrays.pop(name)


SAVED_ANEW = (
    r"does not say all that a file of probes must say|is not as lit_probe has saved it|holds probes that cannot be used\."
)
FORGERIES = {
    "NaN in a weight": (array("layer_001.weight_0", np.full((2, 32), np.nan)), "must be finite"),
    "an infinite bias": (array("layer_001.bias_0", np.array([np.inf, 0])), "must be finite"),
    "NaN in a scale": (array("layer_001.scale", np.full(32, np.nan)), "scale positive"),
    "a scale of 0": (array("layer_001.scale", np.zeros(32)), "scale positive"),
    "a narrower weight": (array("layer_001.weight_0", np.zeros((2, 31))), r"A weight \[d_out, 32\]"),
    "a wider probe": (array("layer_001.mean", np.zeros(33)), "one shape"),
    "more classes": (array("layer_001.classes", np.arange(3)), "3 classes"),
    "classes in another order": (array("layer_001.classes", np.array([1, 0])), "in order"),
    "no mean": (without("layer_001.mean"), SAVED_ANEW),
    "no weights": (without("layer_001.weight_0"), SAVED_ANEW),
    "no marks": (without("train_texts"), SAVED_ANEW),
    "marks of another kind": (array("train_texts", np.zeros(3)), "no list"),
    "another array": (array("layer_001.weights", np.zeros(3)), "arrays that no probe has"),
    "an array of no layer": (array("layer_009.mean", np.zeros(3)), "arrays of no layer"),
    "float32": (array("layer_001.mean", np.zeros(32, np.float32)), SAVED_ANEW),
    "a layer that is not there": (set_in("layers", [0, 1, 2, 9]), SAVED_ANEW),
    "layers twice": (set_in("layers", [0, 1, 1, 3]), SAVED_ANEW),
    "no layers": (set_in("layers", []), SAVED_ANEW),
    "a layer too few": (set_in("layers", [0, 1, 2]), SAVED_ANEW),
    "a chosen layer that is not there": (set_in("choice", 77, "layer"), "chosen layer is 77"),
    "one name for two classes": (set_in("label_names", ["bad", "bad"]), "a name and a share"),
    "a class too many": (set_in("label_names", ["a", "b", "c"]), SAVED_ANEW),
    "names that are no texts": (set_in("label_names", [1, 2]), "does not say all"),
    "an unknown rule": (set_in("decision", "magic", "rule"), "does not say all"),
    "shares of other classes": (set_in("decision", [0.2, 0.3, 0.5], "shares"), "a name and a share"),
    "a share of 0": (set_in("decision", [0.0, 1.0], "shares"), "does not say all"),
    "another width": (set_in("encoder", 31, "d_model"), "reads 32 numbers"),
    "no encoder": (set_in("encoder", None), "does not say all"),
    "settings that are none": (set_in("fits", [1, 2, 3, 4]), "does not say all"),
    "a list for facts": (lambda entry, arrays: entry.__setitem__("facts", []), SAVED_ANEW),
    "no format": (lambda entry, arrays: entry.pop("format"), SAVED_ANEW),
    "a format in words": (lambda entry, arrays: entry.__setitem__("format", "2"), SAVED_ANEW),
    "an unknown dtype of the cache": (set_in("cache_dtype", "float16"), "Unknown dtype of the cache 'float16'"),
    "a dtype that is no name": (set_in("cache_dtype", 7), "does not say all"),
    "an unknown headline": (set_in("headline", "magic"), "Unknown metric 'magic'"),
    "a seed below 0": (set_in("seed", -1), "Its seed is -1"),
    "a newer format": (lambda entry, arrays: entry.__setitem__("format", 2), "saved by a newer lit_probe, in format 2"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_file_that_somebody_made_is_refused_in_one_sentence(kept, what):
    change, said = FORGERIES[what]
    with pytest.raises(ProbeError, match=said) as told:
        read_probe(forged(probe_bytes(kept), change), "It")
    assert str(told.value).startswith("It ") and "\n" not in str(told.value) and len(str(told.value)) < 400


def test_a_file_that_claims_another_encoders_fingerprint_is_not_read_beyond_its_layers(kept, encoder):
    names, d_model = ["embeddings", *(f"block {block}" for block in range(1, 10))], 3
    probe = FittedProbe("logistic", [0, 1], np.zeros(d_model), np.ones(d_model), ((np.zeros((2, d_model)), np.zeros(2)),), True)
    deeper = replace(kept.facts.encoder, layer_names=tuple(names))
    facts = replace(kept.facts, encoder=deeper, layers=(9,), fits=kept.facts.fits[:1])
    narrower = replace(kept.facts, encoder=replace(kept.facts.encoder, d_model=d_model), layers=(1,), fits=kept.facts.fits[:1])
    refused(KeptProbe(facts, kept.probes[:1], kept.train_texts), encoder, "layers: 10 there and 4 here")
    refused(KeptProbe(narrower, (probe,), kept.train_texts), encoder, "width: 3 there and 32 here")


def test_a_file_of_many_layers_is_read_or_refused_soon(kept):
    n_layers = 6_000
    arrays = {"train_texts": kept.train_texts}
    for layer in range(n_layers):
        own = {
            "classes": np.arange(2),
            "mean": np.zeros(0),
            "scale": np.zeros(0),
            "weight_0": np.zeros((2, 0)),
            "bias_0": np.zeros(2),
        }
        arrays |= {f"layer_{layer:03d}.{name}": values for name, values in own.items()}
    entry, _ = entry_of(probe_bytes(kept))
    entry["facts"] |= {"layers": list(range(n_layers)), "fits": entry["facts"]["fits"][:1] * n_layers}
    entry["facts"]["encoder"] |= {"layer_names": [""] * n_layers, "d_model": 0}
    entry["sha256"] = _checksum(entry["facts"], arrays)
    content = save(arrays, {"lit_probe probes": json.dumps(entry)})
    started = time.monotonic()
    read_probe(content, "It")
    # Searching all arrays anew for each layer took 16 s.
    assert time.monotonic() - started < 6


def test_what_is_sealed_anew_without_a_change_is_read(kept):
    assert probe_bytes(read_probe(forged(probe_bytes(kept), lambda entry, arrays: None), "It")) == probe_bytes(kept)


def test_a_changed_byte_anywhere_is_noticed(kept):
    content = probe_bytes(kept)
    for at in [*range(0, 300, 7), *np.random.default_rng(0).integers(300, len(content), 60).tolist(), len(content) - 1]:
        changed = bytearray(content)
        changed[at] ^= 1
        with pytest.raises(ProbeError) as told:
            read_probe(bytes(changed), "It")
        assert str(told.value).count("It ") == 1, "one thing is said, once"


def test_a_torn_file_is_noticed(kept):
    content = probe_bytes(kept)
    for length in (1, 7, 8, 20, len(content) // 2, len(content) - 1):
        with pytest.raises(ProbeError, match=r"is no safetensors file, or not all of it|is not as lit_probe has saved it"):
            read_probe(content[:length], "It")
    with pytest.raises(ProbeError, match="is not as lit_probe has saved it"):
        read_probe(content + b"\0", "It")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"text,label\na,b\n", "is no safetensors file"),
        ((10**9).to_bytes(8, "little") + b"{}", "is no safetensors file"),
        ((2**64 - 1).to_bytes(8, "little") + b"{}", "is no safetensors file"),
        ((2).to_bytes(8, "little") + b"[]", "is not as lit_probe has saved it"),
        ((200_000).to_bytes(8, "little") + b"[" * 200_000, "is not as lit_probe has saved it"),
        (save({"layer 1": np.zeros((3, 4), np.float32)}), "holds no probes that lit_probe has saved"),
        (save({"bert.weight": np.zeros(4, np.float32)}, {"format": "pt"}), "holds no probes that lit_probe has saved"),
        (save({"a": np.zeros(4)}, {"lit_probe probes": "{}"}), "is not as lit_probe has saved it"),
        (save({"a": np.zeros(4)}, {"lit_probe probes": '{"format": NaN}'}), "is not as lit_probe has saved it"),
    ],
)
def test_what_is_something_else_is_refused(tmp_path, content, said):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ProbeError, match=said) as told:
        load_probe(tmp_path / "file")
    assert str(told.value).startswith(repr(str(tmp_path / "file")))


def test_places_that_cannot_be_read_or_written_are_told(study, tmp_path):
    for path, said in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ProbeError, match=f"cannot be read: {said}"):
            load_probe(path)
    for path in (tmp_path, "/dev/null/probes"):
        with pytest.raises(ProbeError, match="cannot be written"):
            save_probes(study, path)
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_that_is_gone_is_told(kept, tmp_path):
    def change(entry, arrays):
        entry["facts"]["encoder"]["model"]["id"] = str(tmp_path / "gone")

    moved = read_probe(forged(probe_bytes(kept), change), "It")
    with pytest.raises(EncoderError, match="gone"):
        moved.predict(["a film"])


def test_probes_of_pairs_read_pairs_alone(encoder, tmp_path):
    films, parts = ("it", "this", "the film", "a plot", "that story"), "music acting ending scene plot story start cast".split()
    rows = [(film, part, word) for film in films for part in parts for word in ("good", "bad")]
    pairs = [(f"{film} was {word}", f"the {part} is {word}") for film, part, word in rows]
    splits = lit_probe.split_texts(pairs, [word for *_, word in rows])
    study = probe_layers(encoder, splits)
    kept = load_probe(save_probes(study, tmp_path / "pairs.safetensors"))
    assert kept.facts.pair == splits.pair and kept.facts.pair is not None
    expected = study.layerwise.predict_proba(study.activations["dev"])[:, study.best_layer]
    two = [segments(text) for text in splits.dev.texts]
    assert np.array_equal(kept.predict(two, encoder).probabilities, expected)
    assert np.array_equal(kept.predict(splits.dev.texts, encoder).probabilities, expected)
    for texts in (["it was good"], [("it was good",)], [("it", 1)], [*two, "it"]):
        with pytest.raises(
            ProbeError, match=r"trained on pairs, first and second\. Give a list of pairs of two strings, or name two columns"
        ):
            kept.predict(texts, encoder)


def test_probes_of_single_texts_read_no_pairs(kept, encoder):
    with pytest.raises(ProbeError, match=r"trained on single texts\. Give a list of strings, or name one column of texts\.$"):
        kept.predict([("it was good", "it was bad")], encoder)
    one, two = kept.predict(["it was good\x1fbad", "it was good bad"], encoder).probabilities
    assert np.array_equal(one, two)
