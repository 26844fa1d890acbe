"""A tiny real encoder with finished probes on two data sets, made once."""

from __future__ import annotations

import pytest
from lit_nlp.api.dataset import IndexedDataset
from tiny_probing import computed, models_of, tiny_splits
from tiny_words import word_splits

from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.lit.host.model import ProbeModel


@pytest.fixture(scope="session")
def encoder(tiny_folder) -> Encoder:
    return load_encoder(str(tiny_folder()))


@pytest.fixture(scope="session")
def models(encoder) -> list[ProbeModel]:
    """Models of two data sets with the same label names; the second one's dev holds train sentences of the first one."""
    return models_of([computed(encoder, tiny_splits()), computed(encoder, tiny_splits("other", start=-70))])


@pytest.fixture(scope="session")
def model(models) -> ProbeModel:
    return models[0]


@pytest.fixture(scope="session")
def dataset(model) -> IndexedDataset:
    """The model's data set as LIT's components see it."""
    return IndexedDataset(base=model.dataset)


@pytest.fixture(scope="session")
def word_model(encoder) -> ProbeModel:
    """The model of a data set of words."""
    return models_of([computed(encoder, word_splits())])[0]


@pytest.fixture(scope="session")
def word_dataset(word_model) -> IndexedDataset:
    """Its data set as LIT's components see it."""
    return IndexedDataset(base=word_model.dataset)
