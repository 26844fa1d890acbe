import pytest
from lit_nlp.api.dataset import IndexedDataset, input_hash
from lit_nlp.lib import caching
from tiny_probing import edited

from lit_probe.lit.generators import GENERATORS

ABLATION = {
    "Max number of counterfacuals to generate": "3",
    "Max number of token ablations": "2",
    "Comma-separated list of tokens to never flip": [],
    "Prediction key": "probe",
    "Regression threshold": "1.0",
    "Fields to ablate": ["text"],
}


@pytest.fixture
def wrapped(model):
    """The model as LIT calls it: behind its cache, with strict ids."""
    return caching.CachingModelWrapper(model, model.name, strict_id_validation=True, id_hash_fn=input_hash)


def test_every_generator_offers_itself_for_our_models(wrapped, dataset):
    assert list(GENERATORS) == ["Ablation Flip", "Scrambler", "Word Replacer"]
    assert all(generator.is_compatible(wrapped, dataset) for generator in GENERATORS.values())


def test_ablation_flip_finds_words_whose_loss_flips_the_probe(wrapped, dataset):
    example = next(one for one in dataset.examples if "but fast" in one["text"] and one["label"] == "negative")
    example = edited(example, text=example["text"] + " bad but good")
    found = GENERATORS["Ablation Flip"].generate(example, wrapped, dataset, ABLATION)
    everything = [GENERATORS["Ablation Flip"].generate(row, wrapped, dataset, ABLATION) for row in dataset.examples[:10]]
    assert any(everything) or found
    for row, shortened in [(example, found), *zip(dataset.examples, everything, strict=False)]:
        original = wrapped.predict([row])[0]["probe"].argmax()
        for new in shortened:
            assert new.keys() == dataset.spec().keys()
            assert len(new["text"].split()) < len(row["text"].split())
            assert wrapped.predict([new])[0]["probe"].argmax() != original


def test_generated_rows_are_indexed_by_lit_as_rows_of_their_own(wrapped, dataset):
    for row in dataset.examples[:10]:
        new = dataset.index_inputs(GENERATORS["Ablation Flip"].generate(row, wrapped, dataset, ABLATION))
        assert all(one["id"] != row["_id"] for one in new)
    assert isinstance(dataset, IndexedDataset)


@pytest.mark.parametrize("text", ["", "fine", "fine fine fine", " "])
def test_the_scrambler_comes_back_from_texts_with_one_order(wrapped, dataset, text):
    example = edited(dataset.examples[0], text=text)
    made = GENERATORS["Scrambler"].generate(example, wrapped, dataset, {"Fields to scramble": ["text"]})
    assert made == []


def test_the_scrambler_keeps_the_words_and_changes_their_order(wrapped, dataset):
    example = dataset.examples[0]
    (made,) = GENERATORS["Scrambler"].generate(example, wrapped, dataset, {"Fields to scramble": ["text"]})
    assert made["text"] != example["text"] and sorted(made["text"].split()) == sorted(example["text"].split())


def test_the_word_replacer_replaces_a_word(wrapped, dataset):
    example = edited(dataset.examples[0], text="a great film")
    config = {"Substitutions": "great -> awful", "Fields to replace": ["text"]}
    ((made,),) = GENERATORS["Word Replacer"].generate_all([example], wrapped, dataset, config)
    assert made["text"] == "a awful film"
