import numpy as np
import pytest
from tiny_probing import computed, tiny_splits

from lit_probe.encoder.activations import extract_activations, narrowed, widened
from lit_probe.encoder.cache import CACHE_DTYPES, Cache
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.host.pooled_texts import PooledTexts
from lit_probe.probing.study import probe_layers


@pytest.fixture(scope="module")
def studies(encoder):
    return [computed(encoder, tiny_splits()), computed(encoder, tiny_splits("other", start=-70))]


def test_texts_come_back_in_the_order_they_were_asked_for_known_and_new_mixed(encoder, studies):
    texts = PooledTexts(encoder, studies)
    dev = studies[0].splits.dev.texts
    asked = ["unheard of", dev[3], "the plot was new", dev[0], "unheard of"]
    batch = texts.pooled(asked, "tiny", "mean")
    assert (len(batch), batch.n_layers, batch.widths) == (5, encoder.n_layers, encoder.widths)
    np.testing.assert_allclose(batch.layer(2), extract_activations(encoder, asked).layer(2), atol=1e-5)
    assert batch.layer(2).flags.c_contiguous


def test_a_text_of_two_data_sets_is_looked_up_in_the_one_named_first(encoder, studies):
    texts = PooledTexts(encoder, studies)
    shared = next(iter(set(studies[0].splits.train.texts) & set(studies[1].splits.dev.texts)))
    assert texts.place(shared, "tiny")[:2] == (studies[0], "train")
    assert texts.place(shared, "other")[:2] == (studies[1], "dev")
    assert texts.place("unheard of", "tiny") is None


def test_every_row_is_found_where_it_stands(encoder, studies):
    texts = PooledTexts(encoder, studies)
    for split, rows in studies[1].splits.items():
        expected = studies[1].result().activations[split]
        batch = texts.pooled(rows.texts, "other", "mean")
        for layer in range(encoder.n_layers):
            assert np.array_equal(batch.layer(layer), expected.layer(layer))


@pytest.mark.parametrize("dtype", CACHE_DTYPES)
def test_an_edit_that_the_encoder_reads_alike_differs_in_nothing_however_activations_are_kept(encoder, dtype):
    splits = tiny_splits()
    study = PendingStudy(encoder, splits)
    study.compute(lambda progress: probe_layers(encoder, splits, cache=Cache(None, dtype)))
    text = splits.dev.texts[0]
    row, edit = PooledTexts(encoder, [study]).pooled([text, text.upper()], "tiny", "mean", study.result().kept_as).texts
    rounded = [widened(narrowed(vector)).tobytes() != vector.tobytes() for vector in edit.values]
    assert any(rounded) == (dtype == "float32")
    for one, other in zip(row.values, edit.values, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6 if dtype == "float32" else 1e-2)
        if dtype != "float32":
            # Batches of another shape round otherwise, now and then over the middle between two numbers.
            assert (one == other).mean() > 0.9


def test_no_texts_make_an_empty_batch_of_the_right_width(encoder, studies):
    batch = PooledTexts(encoder, studies).pooled([], "tiny", "mean")
    assert len(batch) == 0 and batch.layer(0).shape == (0, encoder.d_model)


def test_another_pooling_of_a_new_text_is_another_vector(encoder, studies):
    texts = PooledTexts(encoder, studies)
    mean, cls = (texts.pooled(["unheard of"], "tiny", pooling).layer(1) for pooling in ("mean", "cls"))
    assert not np.allclose(mean, cls)
