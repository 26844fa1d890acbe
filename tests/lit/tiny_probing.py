"""Real probes on a tiny real encoder, with a concept that can be read off: film sentences with good and bad adjectives."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.encoder.encoder import Encoder
from lit_probe.lit.app import DATASETS, MODELS
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.fields import model_name
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.host.pooled_texts import PooledTexts
from lit_probe.lit.host.specs import shown_layers
from lit_probe.probing.study import probe_layers

LABELS = ("negative", "positive")
_ADJECTIVES = {"negative": ["bad", "awful", "dull", "sad"], "positive": ["good", "great", "fine", "funny"]}


def tiny_splits(name: str = "tiny", *, start: int = 0, sizes=(80, 40, 36), label_names=LABELS, **changes: Any) -> Splits:
    """Different sentences, each with the label of its adjective; `start` says where in the circle of all sentences they begin."""
    sentences = [
        (f"the {noun} {verb} {adverb} {adjective} {end}", label_names[LABELS.index(label)])
        for noun, verb, adverb, end in itertools.product(
            ("film", "movie", "story", "plot", "acting"),
            ("was", "is"),
            ("very", "more", "not"),
            ("and slow", "but fast", "in more than one scene"),
        )
        for pair in zip(_ADJECTIVES["negative"], _ADJECTIVES["positive"], strict=True)
        for label, adjective in zip(LABELS, pair, strict=True)
    ]
    order = np.roll(np.random.default_rng(5).permutation(len(sentences)), -start)[: sum(sizes)]
    texts, labels = zip(*(sentences[i] for i in order), strict=True)
    rows = LabelledTexts(
        texts,
        np.array([label_names.index(label) for label in labels], dtype=np.int64),
        tuple(label_names),
        **{key: make(texts) for key, make in changes.items()},
    )
    bounds = np.cumsum((0, *sizes))
    train, dev, test = (rows.select(range(low, high)) for low, high in itertools.pairwise(bounds))
    return Splits(name, train, dev, test, {"source": "sentences of the tests", "seed": 5, "numbered": True})


def worded_splits(name: str = "worded", seed: int = 4) -> Splits:
    """Sentences with enough different words for a control task."""
    nouns = "film movie story acting plot scene music ending director camera dialogue script cast stage light sound".split()
    sentences = [
        (f"{noun} was {adverb} {adjective}", label)
        for noun, adverb in itertools.product(nouns, ("very", "more than"))
        for label, name in enumerate(LABELS)
        for adjective in _ADJECTIVES[name]
    ]
    order = np.random.default_rng(seed).permutation(len(sentences))
    texts, labels = zip(*(sentences[i] for i in order), strict=True)
    rows = LabelledTexts(texts, np.array(labels, dtype=np.int64), LABELS)
    bounds = itertools.pairwise((0, 150, 210, len(sentences)))
    train, dev, test = (rows.select(range(low, high)) for low, high in bounds)
    return Splits(name, train, dev, test, {"source": "sentences of the tests", "seed": seed, "numbered": True})


def computed(encoder: Encoder, splits: Splits, **options: Any) -> PendingStudy:
    """The finished study."""
    study = PendingStudy(encoder, splits)
    study.compute(lambda progress: probe_layers(encoder, splits, progress=progress, **options))
    return study


def models_of(studies: list[PendingStudy], dataset: Callable[[Splits], ProbeDataset] | None = None) -> list[ProbeModel]:
    """LIT models of studies that share one encoder."""
    texts = PooledTexts(studies[0].encoder, studies)
    models = []
    for study in studies:
        shown = (dataset or DATASETS[study.splits.unit])(study.splits)
        peers = {model_name(one.encoder.name, one.splits.name): one for one in studies if one.splits is study.splits}
        models.append(
            MODELS[study.splits.unit](study, shown, texts, shown_layers(study.encoder.n_layers, len(shown)), peers=peers)
        )
    return models


def with_foreign_rows(model: ProbeModel, texts: list[str]) -> tuple[ProbeModel, ProbeDataset]:
    """The model again in one server with a data set of these texts: the last one is its train, the one before it its test."""
    rows = LabelledTexts(tuple(texts), np.arange(len(texts)) % len(model.label_names), model.label_names)
    last = len(texts) - 1
    foreign = Splits("foreign", rows.select([last]), rows.select(range(last - 1)), rows.select([last - 1]))
    again, other = models_of([model.study, PendingStudy(model.study.encoder, foreign)])
    return again, other.dataset


def edited(example: Any, **changes: Any) -> dict[str, Any]:
    """The example as LIT's editor leaves it: a copy with other fields, marked as added."""
    return {**example, **changes, "_id": "", "_meta": {"added": True, "parentId": example.get("_id"), "source": "manual"}}
