"""A checkpoint with a head of its own, really trained on the demo: its layers are probed and its answer is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_encoders
import torch
import transformers

from lit_probe.data import load_dataset
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.lit.app import AppOptions, assemble
from lit_probe.lit.host import fields
from lit_probe.probing.study import LayerStudy, probe_layers

EPOCHS = 8


@pytest.fixture(scope="module")
def demo() -> Splits:
    return load_dataset("demo")


@pytest.fixture(scope="module")
def fine_tuned(demo, tmp_path_factory) -> Path:
    """A tiny bert fitted to the demo's train labels, saved as people save theirs."""
    folder = tmp_path_factory.mktemp("fine-tuned") / "tiny-tuned"
    tiny_encoders.build(folder, words=tuple(tiny_encoders.words_of(demo.train.texts)), n_classes=2)

    def train() -> None:
        torch.manual_seed(0)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
        model.config.id2label = dict(enumerate(demo.label_names))
        model.config.label2id = {name: i for i, name in enumerate(demo.label_names)}
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        batch = tokenizer(list(demo.train.texts), padding=True, truncation=True, max_length=64, return_tensors="pt")
        labels = torch.from_numpy(demo.train.labels)
        model.train()
        for _ in range(EPOCHS):
            for rows in torch.randperm(len(labels)).split(32):
                longest = int(batch["attention_mask"][rows].sum(dim=1).max())
                inputs = {name: values[rows, :longest] for name, values in batch.items()}
                loss = model(**inputs, labels=labels[rows]).loss
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        model.save_pretrained(folder)

    on_encoder_thread(train)
    return folder


@pytest.fixture(scope="module")
def study(fine_tuned, demo) -> LayerStudy:
    return probe_layers(load_encoder(str(fine_tuned)), demo)


def test_the_fit_is_real_and_the_checkpoints_own_answer_comes_with_the_activations(study, demo):
    assert study.encoder.head_label_names == ("negative", "positive")
    own = study.activations["train"].head_probabilities
    assert (own.argmax(axis=1) == demo.train.labels).mean() > 0.95


def test_its_own_answer_is_what_transformers_gives(study, fine_tuned, demo):
    texts = list(demo.dev.texts[:20])

    def by_hand() -> np.ndarray:
        pipe = transformers.pipeline("text-classification", model=str(fine_tuned), device="cpu", top_k=None)
        return np.array(
            [
                [one["score"] for one in sorted(answer, key=lambda one: one["label"])]
                for answer in pipe(texts, truncation=True, max_length=64)
            ]
        )

    np.testing.assert_allclose(study.activations["dev"].head_probabilities[:20], on_encoder_thread(by_hand), atol=1e-5)


def test_fine_tuning_makes_the_label_decodable_in_its_last_layer(study, demo):
    train = study.metrics("train").scores["accuracy"]
    assert train[-1].value > 0.95
    assert train[-1].value > train[0].value


def test_lit_shows_its_prediction_beside_the_probes(study, demo):
    assembled = assemble([study.encoder], [demo], AppOptions())
    application, [pending] = assembled.application, assembled.studies
    pending.compute(lambda progress: study)
    [model] = application._models.values()
    spec = model.output_spec()
    assert spec[fields.HEAD].vocab == ("negative", "positive") or list(spec[fields.HEAD].vocab) == ["negative", "positive"]
    assert spec[fields.HEAD].parent == fields.LABEL
    text = "a film that nobody has reviewed yet"
    [prediction] = model.predict([{"text": text, "label": "positive"}])
    np.testing.assert_allclose(np.sum(prediction[fields.HEAD]), 1, atol=1e-5)
