"""What is told of memory, and what is refused, before weights are loaded."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
import transformers
from tiny_encoders import D_MODEL, N_BLOCKS

from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import encoder_of, load_encoder
from lit_probe.encoder.memory import MemoryBudget, check_weights
from lit_probe.errors import EncoderError, LitProbeError
from lit_probe.probing.memory_need import check_need, memory_need

NOTHING_KEPT = Cache(None)
PER_TEXT = (N_BLOCKS + 1) * D_MODEL * 4


def n_parameters(folder) -> int:
    return sum(parameter.numel() for parameter in transformers.AutoModel.from_pretrained(folder).parameters())


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("bfloat16", 2), ("float16", 2)])
def test_weights_count_by_their_headers_and_activations_by_their_shape(tiny_folder, dtype, size):
    encoder = load_encoder(str(tiny_folder()), dtype=dtype)
    need = memory_need([(encoder, "mean")], 10, NOTHING_KEPT)
    assert need.weights == size * n_parameters(tiny_folder())
    assert need.activations == 10 * PER_TEXT
    assert need.held == need.weights + need.activations
    assert encoder._loaded.model is None


def test_weights_in_torchs_own_files_count_by_their_size(tiny_folder, tmp_path):
    model = transformers.AutoModel.from_pretrained(tiny_folder(), dtype=torch.float16)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    model.config.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny_folder()).save_pretrained(tmp_path)
    counted = load_encoder(str(tmp_path)).checkpoint.n_parameters
    assert counted == pytest.approx(n_parameters(tiny_folder()), rel=0.5)


def test_what_is_shared_counts_once_and_what_is_in_memory_not_at_all(tiny_folder, tmp_path):
    encoder = load_encoder(str(tiny_folder()))
    one = memory_need([(encoder, "mean")], 10, NOTHING_KEPT)
    assert memory_need([(encoder, "mean"), (encoder.named("again"), "mean")], 10, NOTHING_KEPT) == one
    two = memory_need([(encoder, "mean"), (encoder, "cls")], 10, NOTHING_KEPT)
    assert (two.weights, two.activations) == (one.weights, 2 * one.activations)
    drawn = memory_need([(encoder, "mean"), (encoder.randomised(1), "mean")], 10, NOTHING_KEPT)
    assert drawn.weights == 2 * one.weights
    model, tokenizer = (kind.from_pretrained(tiny_folder()) for kind in (transformers.AutoModel, transformers.AutoTokenizer))
    held = encoder_of(model, tokenizer)
    assert memory_need([(held, "mean")], 0).weights == 0
    assert memory_need([(held.randomised(1), "mean")], 0).weights == one.weights
    assert memory_need([(encoder, "mean")], 10, Cache(tmp_path)).held == one.weights


def test_it_is_told_with_what_there_is(tiny_folder, tmp_path):
    encoder = load_encoder(str(tiny_folder()), dtype="bfloat16")
    need = memory_need([(encoder, "mean")], 1_000, Cache(tmp_path))
    told = need.told(MemoryBudget.of(2))
    assert told.startswith("Memory: 0.0") and " (in the cache); the memory budget is 2 GB. The cache's disk has " in told
    assert told.endswith(" free.") and need.disk_free is not None
    full = replace(need, disk_free=need.activations - 1).told(MemoryBudget.of(2))
    assert "The cache's disk has 0.51 MB free: what is not kept there yet may not fit" in full
    assert " disk " not in memory_need([(encoder, "mean")], 0, Cache(tmp_path)).told(MemoryBudget.of(2))
    assert "MB of weights in bfloat16 and 0.51 MB of activations of 1,000 texts" in told
    assert "no cache" in memory_need([(encoder, "mean")], 1, NOTHING_KEPT).told(MemoryBudget.of(2))
    assert memory_need([(encoder, "mean")], 0).told(MemoryBudget(math.inf, given=False)).endswith("weights in bfloat16.")


def test_above_the_budget_it_says_what_would_fit(tiny_folder, tmp_path):
    encoder = load_encoder(str(tiny_folder()))
    weights = encoder.n_weight_bytes

    def budget(n_bytes: float) -> MemoryBudget:
        return MemoryBudget.of(n_bytes / 1e9)

    need = memory_need([(encoder, "mean")], 300, NOTHING_KEPT)
    check_need(need, [encoder], budget(need.held + 1))
    with pytest.raises(
        LitProbeError, match=r"Would fit: the option max_examples=(\d+), or a folder for the option cache_dir"
    ) as told:
        check_need(need, [encoder], budget(need.held - 1))
    most = int(str(told.value).split("max_examples=")[1].split(",")[0])
    check_need(memory_need([(encoder, "mean")], 3 * most, NOTHING_KEPT), [encoder], budget(need.held - 1))
    cached = memory_need([(encoder, "mean")], 300, Cache(tmp_path))
    check_need(cached, [encoder], budget(weights + 1))
    with pytest.raises(EncoderError, match=r"in float32, and the memory budget is .* the option dtype=bfloat16 \(.*or .*float16"):
        check_need(cached, [encoder], budget(weights - 1))
    with pytest.raises(EncoderError, match=r"Give a smaller model\.$"):
        check_need(cached, [encoder], budget(weights / 3))
    both = memory_need([(encoder, "mean"), (encoder.randomised(1), "mean")], 0, NOTHING_KEPT)
    with pytest.raises(LitProbeError, match="fewer encoders at a time"):
        check_need(both, [encoder, encoder.randomised(1)], budget(1.5 * weights))


def test_without_a_budget_a_run_from_the_cache_is_let_pass_and_loading_asks(tiny_folder, tmp_path):
    encoder = load_encoder(str(tiny_folder()))
    small = MemoryBudget(10, given=False)
    check_need(memory_need([(encoder, "mean")], 5, Cache(tmp_path)), [encoder], small)
    with pytest.raises(EncoderError, match="this machine has 1e-05 MB of memory free"):
        check_weights(encoder.checkpoint, "float32", small)


@pytest.mark.parametrize("budget", [0, -0.5, math.nan, -math.inf])
def test_a_budget_is_a_positive_number(budget):
    with pytest.raises(LitProbeError, match="Give a positive number"):
        MemoryBudget.of(budget)
    assert MemoryBudget.of(math.inf).given


def test_what_has_a_vector_each_is_told(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    need = memory_need([(encoder, "last")], 10, NOTHING_KEPT, "words")
    assert "activations of 10 words" in need.words
    need = memory_need([(encoder, "last")], 30_000, NOTHING_KEPT, "words")
    with pytest.raises(LitProbeError, match=r"max_words=\d+"):
        check_need(need, [encoder], MemoryBudget(need.held - 1, given=True))
