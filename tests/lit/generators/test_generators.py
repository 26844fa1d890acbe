import json
import re
from pathlib import Path

import numpy as np
import pytest
import tiny_encoders
import transformers
from lit_nlp.api import types
from lit_nlp.api.dataset import IndexedDataset, input_hash
from lit_nlp.lib import caching
from test_app import Browser
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.counterfactuals.rules import CHANGE, STAY, UNKNOWN
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.app import AppOptions, build
from lit_probe.lit.generators import generators_for
from lit_probe.probing.probe_forward import forward_of_model
from lit_probe.probing.study import probe_layers

NAMES = list(generators_for(()))
# As LIT's form sends them.
ABLATION = {
    "model_name": "tiny-bert-on-tiny",
    "dataset_name": "tiny",
    "Max number of counterfacuals to generate": "3",
    "Max number of token ablations": "2",
    "Comma-separated list of tokens to never flip": [],
    "Prediction key": "probe",
    "Fields to ablate": ["text"],
}
SCRAMBLE = {"Fields to scramble": ["text"]}
REPLACE = {"Substitutions": "great -> awful", "Fields to replace": ["text"]}
CONFIGS = {"Ablation Flip": ABLATION, "Scrambler": SCRAMBLE, "Word Replacer": REPLACE}


@pytest.fixture(scope="module")
def generators(models):
    return generators_for(models)


@pytest.fixture
def wrapped(model):
    """The model as LIT calls it: behind its cache, with strict ids."""
    return caching.CachingModelWrapper(model, model.name, strict_id_validation=True, id_hash_fn=input_hash)


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    """A model whose checkpoint is a masked language model, and its data set."""
    folder = tmp_path_factory.mktemp("masked") / "tiny-masked"
    tiny_encoders.build(folder)
    transformers.AutoModelForMaskedLM.from_config(transformers.AutoConfig.from_pretrained(folder)).save_pretrained(folder)
    (model,) = models_of([computed(load_encoder(str(folder)), tiny_splits())])
    return model, IndexedDataset(base=model.dataset)


def probe_class(model, text, layer):
    return int(model.predictions(model.pooled([text]))[0, layer].argmax())


# ---- all of them ---------------------------------------------------------------------------------------------------------


def test_every_generator_says_which_models_it_is_for(generators, wrapped, dataset, masked):
    assert list(generators) == NAMES == sorted(NAMES)
    assert {"Ablation Flip", "HotFlip", "Masked Words", "Negation and Contrast", "Scrambler", "Word Replacer"} <= set(NAMES)
    assert [name for name in NAMES if not generators[name].is_compatible(wrapped, dataset)] == ["Masked Words"]
    assert all(generator.is_compatible(*masked) for generator in generators.values())


def test_the_docs_have_a_row_for_every_generator():
    page = (Path(__file__).parents[3] / "docs" / "counterfactuals.md").read_text("utf-8")
    assert set(re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)) >= set(NAMES)


def test_a_model_that_cannot_is_told_why_in_the_panel(generators, masked):
    assert (
        "tiny-bert has no masked-language-model head: its config.json names BertModel" in generators["Masked Words"].description()
    )
    assert "config.json" not in generators_for([masked[0]])["Masked Words"].description()
    assert all(generator.description() and "Args:" not in generator.description() for generator in generators.values())


@pytest.mark.parametrize("name", [name for name in NAMES if name != "Masked Words"])
def test_an_edit_carries_parent_rule_and_expectation(generators, wrapped, dataset, name):
    rows = [row for row in dataset.examples if "great" in row["text"]][:5]
    made = generators[name].generate_all(rows, wrapped, dataset, CONFIGS.get(name))
    assert len(made) == len(rows) and any(made)
    for row, edits in zip(rows, made, strict=True):
        for edit in edits:
            assert edit.keys() == {*dataset.spec(), "rule", "expectation", "_meta"}
            meta = edit["_meta"]
            assert (meta["parentId"], meta["added"]) == (row["_id"], True)
            assert meta["rule"] == edit["rule"] and meta["expectation"] == edit["expectation"] in (CHANGE, STAY, UNKNOWN)
            assert edit["text"] != row["text"] and edit["rule"]
            assert (edit["label"] == row["label"]) == (edit["expectation"] != CHANGE)
            assert {key: edit[key] for key in ("probe_split", "in_train")} == {
                key: row[key] for key in ("probe_split", "in_train")
            }
        indexed = dataset.index_inputs(edits)
        assert all(one["id"] != row["_id"] for one in indexed)
        assert len({one["id"] for one in indexed}) == len(edits)


def test_an_edit_of_an_edit_has_its_own_rule(generators, wrapped, dataset):
    row = edited(dataset.examples[0], text="the film was great", rule="of its parent", expectation="of its parent")
    (made,) = generators["Word Replacer"].generate(row, wrapped, dataset, REPLACE)
    assert (made["rule"], made["expectation"]) == ("great → awful", UNKNOWN)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "Masked Words"])
@pytest.mark.parametrize("text", ["", " ", "great", "great great great", "\U0001f600", "?!", "great \ud800", "great " * 200])
def test_odd_texts_are_edited_or_left_alone(generators, wrapped, dataset, name, text):
    row = edited(dataset.examples[0], text=text)
    try:
        made = generators[name].generate(row, wrapped, dataset, CONFIGS.get(name))
    except LitProbeError as error:
        assert "No edit is left" in str(error)
    else:
        assert all(edit["text"] != text and json.dumps(edit["text"]) for edit in made)
    assert generators[name].generate_all([], wrapped, dataset, CONFIGS.get(name)) == []


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("Ablation Flip", {"Prediction key": "zzz"}, "Unknown Prediction key 'zzz'. Choose one of: probe"),
        ("Ablation Flip", {"Prediction key": ["probe"]}, "Choose one of: probe"),
        ("Ablation Flip", {"Prediction key": "tokens"}, "Unknown Prediction key 'tokens'"),
        ("Ablation Flip", {"Max number of token ablations": "many"}, "must be a whole number from 1 to 10"),
        ("Ablation Flip", {"Max number of counterfacuals to generate": "-1"}, "must be a whole number from 1 to 100"),
        ("Ablation Flip", {"Comma-separated list of tokens to never flip": 3}, "must be words with commas"),
        ("Ablation Flip", {"Fields to ablate": []}, "must be the list"),
        ("Scrambler", {"Fields to scramble": "text"}, "must be the list"),
        ("Scrambler", {"Fields to scramble": ["label"]}, "must be the list"),
        ("Word Replacer", {"Fields to replace": [1]}, "must be the list"),
        ("Word Replacer", {"Substitutions": ""}, "must be pairs with commas between them"),
        ("Word Replacer", {"Substitutions": "great terrible"}, "must be pairs"),
        ("Word Replacer", {"Substitutions": " -> terrible"}, "must be pairs"),
        ("Word Replacer", {"Substitutions": "a -> b -> c"}, "must be pairs"),
        ("Word Replacer", {"Substitutions": ["a -> b"]}, "must be pairs"),
        ("HotFlip", {"Layer": "99"}, "Unknown layer 99"),
        ("HotFlip", {"Layer": "first"}, "'layer' must be a whole number"),
        ("HotFlip", {"Layer": None}, "'layer' must be a whole number"),
        ("HotFlip", {"Max number of token flips": 1.5}, "must be a whole number from 1 to 5"),
        ("HotFlip", {"Comma-separated list of tokens to never flip": [1]}, "must be words with commas"),
        ("Negation and Contrast", {"Rules": "irony"}, "Unknown Rules 'irony'. Choose one of: contrast, negation"),
        ("Masked Words", {"Replacements per word": "x"}, "must be a whole number from 1 to 20"),
    ],
)
def test_wrong_values_are_answered_with_what_is_allowed(generators, wrapped, dataset, name, wrong, message):
    with pytest.raises(LitProbeError, match=message):
        generators[name].generate_all(dataset.examples[:1], wrapped, dataset, CONFIGS.get(name, {}) | wrong)


@pytest.mark.parametrize("name", NAMES)
def test_a_configuration_that_is_none_and_an_example_without_text_are_refused(generators, wrapped, dataset, name):
    with pytest.raises(LitProbeError, match="configuration must be an object"):
        generators[name].generate_all(dataset.examples[:1], wrapped, dataset, [1])
    with pytest.raises(LitProbeError, match="needs a string in its field 'text'"):
        generators[name].generate_all([{"label": "positive"}], wrapped, dataset, CONFIGS.get(name))


@pytest.mark.parametrize(("name", "most"), [("Ablation Flip", 5), ("HotFlip", 20), ("Masked Words", 20)])
def test_what_asks_the_model_often_takes_no_whole_data_set(generators, wrapped, dataset, name, most):
    with pytest.raises(LitProbeError, match=f"at most {most} examples at a time"):
        generators[name].generate_all(dataset.examples[: most + 1], wrapped, dataset, CONFIGS.get(name))


def test_an_edit_that_the_encoder_reads_as_the_original_is_left_out_and_said(generators, wrapped, dataset):
    same = edited(dataset.examples[0], text="a great film")
    with pytest.raises(LitProbeError, match=r"No edit is left: 1 was made\. The encoder reads the same tokens"):
        generators["Word Replacer"].generate_all([same], wrapped, dataset, REPLACE | {"Substitutions": "great -> GREAT"})
    beyond = edited(dataset.examples[0], text="film " * 100 + "great")
    with pytest.raises(LitProbeError, match="The edit lies beyond the 64 tokens"):
        generators["Word Replacer"].generate_all([beyond], wrapped, dataset, REPLACE)
    some = generators["Word Replacer"].generate_all([same], wrapped, dataset, REPLACE | {"Substitutions": "great -> GREAT | bad"})
    assert [edit["text"] for edit in some[0]] == ["a bad film"]
    # Where another example has an edit, nothing stands in its way.
    both = generators["Word Replacer"].generate_all([same, beyond], wrapped, dataset, REPLACE)
    assert [len(edits) for edits in both] == [1, 0]


def test_a_column_of_the_data_set_with_our_names_keeps_its_values(encoder):
    splits = tiny_splits(columns=lambda texts: {"rule": np.array([f"rule of {text}" for text in texts])})
    (model,) = models_of([computed(encoder, splits)])
    dataset = IndexedDataset(base=model.dataset)
    row = next(row for row in dataset.examples if "great" in row["text"])
    (made,) = generators_for([model])["Word Replacer"].generate(row, model, dataset, REPLACE)
    assert made["rule"] == row["rule"] and made["rule_2"] == made["_meta"]["rule"] == "great → awful"


# ---- LIT's own -----------------------------------------------------------------------------------------------------------


def test_ablation_flip_finds_words_whose_loss_flips_the_probe(generators, wrapped, dataset):
    flip = generators["Ablation Flip"]
    rows = [*dataset.examples[:4], edited(dataset.examples[0], text="the film was bad but good")]
    made = flip.generate_all(rows, wrapped, dataset, ABLATION)
    assert any(made)
    for row, shortened in zip(rows, made, strict=True):
        original = wrapped.predict([row])[0]["probe"].argmax()
        for new in shortened:
            assert len(new["text"].split()) < len(row["text"].split()) and new["rule"].startswith("without: ")
            plain = {name: value for name, value in new.items() if not name.startswith("_")}
            assert wrapped.predict([plain])[0]["probe"].argmax() != original
            names = wrapped.output_spec()["probe"].vocab
            assert new["rule"].endswith(f": {names[original]} → {names[1 - original]})") and new["label"] == row["label"]


@pytest.mark.parametrize(("key", "layer"), [("probe_layer_00", 0), ("probe_layer_02", 2)])
def test_ablation_flip_flips_the_prediction_that_is_named(generators, model, wrapped, dataset, key, layer):
    rows = dataset.examples[:5]
    made = generators["Ablation Flip"].generate_all(rows, wrapped, dataset, ABLATION | {"Prediction key": key})
    assert any(made)
    for row, edits in zip(rows, made, strict=True):
        for edit in edits:
            assert probe_class(model, edit["text"], layer) != probe_class(model, row["text"], layer)
            assert f"(probe at layer {layer}: " in edit["rule"]


def test_ablation_flip_flips_the_checkpoints_own_head(tmp_path):
    folder, splits = tiny_encoders.build(tmp_path / "head", n_classes=2), tiny_splits()
    # A random head gives all texts one class; moved by its mean, it tells them apart.
    encoder = load_encoder(str(folder))
    mean = forward_of_model(encoder).logits_of(encoder.encode(splits.dev.texts)).mean(axis=0)
    centred = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    centred.classifier.bias.data -= centred.classifier.bias.new_tensor(mean)
    centred.save_pretrained(folder)
    (model,) = models_of([computed(load_encoder(str(folder)), splits)])
    dataset = IndexedDataset(base=model.dataset)
    rows = dataset.examples[:5]
    made = generators_for([model])["Ablation Flip"].generate_all(rows, model, dataset, ABLATION | {"Prediction key": "model"})
    assert any(made)
    for row, edits in zip(rows, made, strict=True):
        for edit in edits:
            own = [model.predict([{"text": text}])[0]["model"].argmax() for text in (row["text"], edit["text"])]
            assert own[0] != own[1] and "(model: class" in edit["rule"]


def test_ablation_flip_spares_the_words_that_are_named(generators, wrapped, dataset):
    rows = dataset.examples[:5]
    spared = ABLATION | {"Comma-separated list of tokens to never flip": ["very", "more", "not"]}
    for row, made in zip(rows, generators["Ablation Flip"].generate_all(rows, wrapped, dataset, spared), strict=True):
        for new in made:
            assert [word for word in row["text"].split() if word in ("very", "more", "not")] == [
                word for word in new["text"].split() if word in ("very", "more", "not")
            ]


@pytest.mark.parametrize("text", ["", "fine", "fine fine fine", " "])
def test_the_scrambler_comes_back_from_texts_with_one_order(generators, wrapped, dataset, text):
    assert generators["Scrambler"].generate(edited(dataset.examples[0], text=text), wrapped, dataset, SCRAMBLE) == []


def test_the_scrambler_keeps_the_words_and_changes_their_order(generators, wrapped, dataset):
    example = dataset.examples[0]
    (made,) = generators["Scrambler"].generate(example, wrapped, dataset, SCRAMBLE)
    assert made["text"] != example["text"] and sorted(made["text"].split()) == sorted(example["text"].split())


def test_the_word_replacer_makes_one_text_for_each_place_and_replacement(generators, wrapped, dataset):
    example = edited(dataset.examples[0], text="Great film, great plot")
    config = REPLACE | {"Substitutions": "great -> awful | dull, plot -> story"}
    made = generators["Word Replacer"].generate(example, wrapped, dataset, config)
    assert [edit["text"] for edit in made] == [
        "awful film, great plot",
        "dull film, great plot",
        "Great film, awful plot",
        "Great film, dull plot",
        "Great film, great story",
    ]


def test_a_letter_that_lit_finds_and_cannot_look_up_is_refused_with_a_word(generators, wrapped, dataset):
    example = edited(dataset.examples[0], text="\u017ft")
    with pytest.raises(LitProbeError, match="without regard to capitals"):
        generators["Word Replacer"].generate(example, wrapped, dataset, REPLACE | {"Substitutions": "st -> x"})


# ---- HotFlip -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["dev-chosen", "0", "2"])
def test_hotflip_flips_the_probe_of_the_layer_with_a_text_that_can_be_read(generators, model, wrapped, dataset, layer):
    number = model.study.result().best_layer if layer == "dev-chosen" else int(layer)
    rows = dataset.examples[:8]
    made = generators["HotFlip"].generate_all(rows, wrapped, dataset, {"Layer": layer, "Max number of token flips": "2"})
    assert sum(map(bool, made)) >= 4
    for row, edits in zip(rows, made, strict=True):
        before = probe_class(model, row["text"], number)
        for edit in edits:
            after = probe_class(model, edit["text"], number)
            assert after != before
            names = model.label_names
            assert edit["rule"].endswith(f"(probe at layer {number}: {names[before]} → {names[after]})")
            words, others = row["text"].split(), edit["text"].split()
            assert 1 <= sum(one != other for one, other in zip(words, others, strict=True)) <= 2
            assert not {"[CLS]", "[SEP]"} & set(others) and "##" not in edit["text"]
            assert edit["label"] == row["label"] and edit["expectation"] == UNKNOWN


def test_hotflip_leaves_punctuation_capitals_and_spaces_as_they_are(generators, wrapped, dataset):
    row = edited(dataset.examples[0], text="The film,  was GREAT!  (1 more scene…)")
    made = generators["HotFlip"].generate(row, wrapped, dataset, {"Max number of counterfactuals to generate": 5})
    assert made
    for edit in made:
        assert [c for c in edit["text"] if not c.isalpha()] == [c for c in row["text"] if not c.isalpha()]
        assert edit["text"][0].isupper()


def test_hotflip_spares_the_words_that_are_named_whatever_their_case(generators, wrapped, dataset):
    row = edited(dataset.examples[0], text="The film was GREAT")
    config = {"Comma-separated list of tokens to never flip": ["great", "the"]}
    for edit in generators["HotFlip"].generate(row, wrapped, dataset, config):
        assert edit["text"].startswith("The ") and edit["text"].endswith(" GREAT")


def test_hotflip_finds_in_few_trials_what_random_swaps_need_more_for(generators, model, wrapped, dataset):
    """One swap by the gradient flips more texts than one random swap of the same words does."""
    rows = dataset.examples[:20]
    layer = model.study.result().best_layer
    config = {"Max number of token flips": 1, "Max number of counterfactuals to generate": 1}
    found = sum(map(bool, generators["HotFlip"].generate_all(rows, wrapped, dataset, config)))
    rng = np.random.default_rng(0)
    vocabulary = "a film story acting plot very good bad great awful fine dull never always best worst scene music".split()
    random = 0
    for row in rows:
        words = row["text"].split()
        words[rng.integers(len(words))] = vocabulary[rng.integers(len(vocabulary))]
        random += probe_class(model, " ".join(words), layer) != probe_class(model, row["text"], layer)
    assert found > 2 * random and found >= 10


def test_hotflips_layers_are_those_of_the_loaded_encoders(generators):
    assert generators["HotFlip"].config_spec()["Layer"].vocab == ["dev-chosen", "0", "1", "2", "3"]


# ---- ours ----------------------------------------------------------------------------------------------------------------


def test_templates_set_the_other_label_where_it_should_change(generators, wrapped, dataset):
    row = edited(dataset.examples[0], text="The film is great.", label="positive")
    made = {edit["text"]: edit for edit in generators["Negation and Contrast"].generate(row, wrapped, dataset)}
    opposite, negated = made["The film is awful."], made["The film is not great."]
    assert (opposite["label"], opposite["expectation"]) == ("negative", CHANGE)
    assert (negated["label"], negated["expectation"]) == ("positive", UNKNOWN)
    framed = made["I had expected to hate it. The film is great."]
    assert (framed["label"], framed["expectation"]) == ("positive", STAY)
    only = generators["Negation and Contrast"].generate(row, wrapped, dataset, {"Rules": "negation"})
    assert [edit["text"] for edit in only] == ["The film is not great."]


def test_templates_expect_nothing_where_nothing_is_known_of_the_label_that_they_start_from(generators, wrapped, dataset):
    row = edited(dataset.examples[0], text="The film is great.", label="positive")
    row["_meta"] |= {"source": "Masked Words", "rule": "awful → great", "expectation": UNKNOWN}
    made = generators["Negation and Contrast"].generate(row, wrapped, dataset)
    assert len(made) == 5
    assert {(edit["expectation"], edit["_meta"]["expectation"], edit["label"]) for edit in made} == {
        (UNKNOWN, UNKNOWN, "positive")
    }


def test_templates_expect_nothing_of_other_classes(encoder):
    (model,) = models_of([computed(encoder, tiny_splits(label_names=("politics", "sport")))])
    dataset = IndexedDataset(base=model.dataset)
    row = edited(dataset.examples[0], text="The film is great.")
    made = generators_for([model])["Negation and Contrast"].generate(row, model, dataset)
    assert made and {edit["expectation"] for edit in made} == {UNKNOWN} and {edit["label"] for edit in made} == {row["label"]}


def test_masked_words_are_those_of_the_checkpoints_head(masked):
    model, dataset = masked
    config = {"Max number of counterfactuals to generate": "4", "Replacements per word": "2"}
    made = generators_for([model])["Masked Words"].generate_all(dataset.examples[:3], model, dataset, config)
    assert [len(edits) for edits in made] == [4, 4, 4]
    for row, edits in zip(dataset.examples, made, strict=False):
        for edit in edits:
            changed = [pair for pair in zip(row["text"].split(), edit["text"].split(), strict=True) if pair[0] != pair[1]]
            assert len(changed) == 1 and edit["rule"].startswith(f"{changed[0][0]} → {changed[0][1]} (probability ")
    only = {"Words to replace (all if empty)": ["the"]}
    for edit in generators_for([model])["Masked Words"].generate(dataset.examples[0], model, dataset, only):
        assert edit["rule"].startswith("the → ")


def test_controls_are_of_types_that_lits_form_draws(generators):
    drawn = (types.CategoryLabel, types.Scalar, types.Tokens, types.TextSegment, types.FieldMatcher)
    for generator in generators.values():
        assert all(isinstance(type_, drawn) for type_ in generator.config_spec().values())


# ---- over HTTP -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(encoder):
    app = build(
        [encoder], [tiny_splits()], AppOptions(), lambda one, splits, progress: probe_layers(one, splits, progress=progress)
    )
    browser = Browser(app)
    browser.wait_for("tiny-bert-on-tiny")
    return browser


def generated(browser, generator, inputs, config=None, ask="ask"):
    body = {"inputs": inputs} | ({} if config is None else {"config": config})
    return getattr(browser, ask)("/get_generated", body, model="tiny-bert-on-tiny", dataset_name="tiny", generator=generator)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "Masked Words"])
def test_what_lit_shows_and_adds_keeps_parent_rule_and_expectation(browser, name):
    rows = [row for row in browser.rows("tiny") if "great" in row["data"]["text"]][:4]
    made = generated(browser, name, [row["id"] for row in rows], CONFIGS.get(name))
    parent, edit = next((row, edits[0]) for row, edits in zip(rows, made, strict=True) if edits)
    assert edit["meta"]["parentId"] == parent["id"] and edit["meta"]["source"] == name and edit["meta"]["rule"]
    # As LIT's "Add" does.
    (added,) = browser.ask("/annotate_new_data", {"inputs": [edit]}, dataset_name="tiny")
    for meta in (added["meta"], added["data"]["_meta"]):
        assert (meta["parentId"], meta["rule"], meta["expectation"]) == tuple(
            edit["meta"][key] for key in ("parentId", "rule", "expectation")
        )
    answer = browser.interpret("layer_predictions", [added])
    assert answer["examples"][0]["edited"]
    assert generated(browser, "Scrambler", [added], SCRAMBLE)[0][0]["meta"]["parentId"] == added["id"]


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("Ablation Flip", ABLATION | {"Prediction key": "zzz"}),
        ("Ablation Flip", ABLATION | {"Max number of token ablations": "1e9"}),
        ("Scrambler", {"Fields to scramble": 7}),
        ("Word Replacer", REPLACE | {"Substitutions": 5}),
        ("HotFlip", {"Layer": {"a": 1}}),
        ("Negation and Contrast", {"Rules": []}),
    ],
)
def test_a_wrong_value_is_a_bad_request_and_not_a_failure(browser, name, config):
    response = generated(browser, name, [browser.rows("tiny")[0]["id"]], config, ask="post")
    assert response.status_code == 400 and re.search("must be|Choose one of", response.text)
    assert "Traceback" not in response.text


def test_a_generator_that_does_not_fit_the_model_is_not_offered(browser):
    assert "Masked Words" not in browser.ask("/get_info")["models"]["tiny-bert-on-tiny"]["generators"]
    assert "no masked-language-model head" in browser.ask("/get_info")["generators"]["Masked Words"]["description"]
    response = generated(browser, "Masked Words", [browser.rows("tiny")[0]["id"]], ask="post")
    assert response.status_code == 404
