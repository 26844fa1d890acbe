"""Texts are cut into batches by their lengths: each once, none too large, with little padding where a device asks for that."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lit_probe.encoder.batching import BatchRule, cut_into_batches
from lit_probe.encoder.encoder import _GPU_MAX_PADDING, _GPU_TOKEN_BUDGET, _GPU_WORTHWHILE

CPU_RULE = BatchRule(1_024)
GPU_RULE = BatchRule(_GPU_TOKEN_BUDGET, _GPU_MAX_PADDING, _GPU_WORTHWHILE)
RULES = [
    CPU_RULE,
    GPU_RULE,
    BatchRule(500, 0.1),
    BatchRule(500, 0.0, 100),
    BatchRule(64, 0.5, 64),
    BatchRule(1),
]


def many_lengths() -> list[list[int]]:
    """Lengths as they come: none, one, all alike, short and long, few very long ones."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(1, longest + 1, size=n) for longest in (1, 7, 120, 600) for n in (1, 2, 50, 1_024)]
    skewed = [np.ceil(rng.exponential(20, size=n)).astype(int) for n in (3, 300)]
    return [[], *(sorted(one.tolist(), reverse=True) for one in (*drawn, *skewed, np.full(40, 9)))]


@pytest.mark.parametrize("same_length", [False, True])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_every_text_is_in_one_batch_and_no_batch_breaks_its_rule(rule, same_length):
    for lengths in many_lengths():
        batches = cut_into_batches(lengths, rule, same_length=same_length)
        assert [length for batch in batches for length in lengths[batch]] == lengths
        assert all(before.stop == after.start for before, after in itertools.pairwise(batches))
        for batch in batches:
            own = lengths[batch]
            padded = len(own) * own[0]
            assert own and (padded <= rule.max_tokens or len(own) == 1)
            assert 1 - sum(own) / padded <= rule.max_padding or padded <= rule.worthwhile
            assert not same_length or len(set(own)) == 1


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_no_batch_is_cut_before_it_must_be(rule):
    for lengths in many_lengths():
        batches = cut_into_batches(lengths, rule)
        for batch, following in itertools.pairwise(batches):
            longest, n, next_length = lengths[batch.start], batch.stop - batch.start, lengths[following.start]
            too_large = (n + 1) * longest > rule.max_tokens
            much_shorter = next_length < (1 - rule.max_padding) * longest and (n + 1) * longest > rule.worthwhile
            assert too_large or much_shorter


def test_a_block_of_texts_of_all_lengths_has_little_padding_on_a_gpu():
    lengths = sorted(np.random.default_rng(0).integers(5, 121, size=1_024).tolist(), reverse=True)

    def padding(rule):
        batches = cut_into_batches(lengths, rule)
        return 1 - sum(lengths) / sum((one.stop - one.start) * lengths[one.start] for one in batches)

    assert padding(BatchRule(65_536)) > 0.3 and padding(GPU_RULE) < 0.12


def test_on_a_cpu_the_budget_alone_cuts(tiny_encoder):
    assert tiny_encoder.batch_rule == CPU_RULE
    encoded = tiny_encoder.encode([f"{'good ' * (i % 40)}film" for i in range(300)])
    order = sorted(range(300), key=lambda i: -len(encoded[i].ids))
    former, start = [], 0
    while start < len(order):
        former.append(order[start : start + max(1, 1_024 // len(encoded[order[start]].ids))])
        start += len(former[-1])
    assert list(tiny_encoder.batches(encoded)) == former
