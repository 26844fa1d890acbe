"""From tokens to words, and to JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lit_probe.errors import UnknownNameError
from lit_probe.probing.probe_forward import Target
from lit_probe.salience import TokenScores


def scores(values, *, signed=True):
    return TokenScores(
        method="lime",
        tokens=("[CLS]", "ba", "##d", "day", "[SEP]"),
        scores=np.array(values, dtype=float),
        signed=signed,
        words=(None, 0, 0, 1, None),
        word_texts=("bad", "day"),
        words_beyond_limit=("gone",),
        explained="probe at layer 1",
        target=Target(1, "margin"),
        class_name="sad",
        value=0.5,
        diagnostics={"seed": 0, "r2": 0.9, "replace": "mask"},
    )


def test_signed_scores_add_up_over_a_word_and_sizes_make_a_norm():
    assert scores([0, 3, -4, 2, 0]).by_word()[1].tolist() == [-1, 2]
    assert scores([0, 3, 4, 2, 0], signed=False).by_word()[1].tolist() == [5, 2]
    assert scores([0, 3, -4, 2, 0]).by_word()[0] == ("bad", "day")


def test_the_way_can_be_chosen():
    assert scores([0, 3, -4, 2, 0]).by_word("sum")[1].tolist() == [-1, 2]
    assert scores([0, 3, -4, 2, 0]).by_word("l2")[1].tolist() == [5, 2]
    assert scores([0, 3, -4, 2, 0]).by_word("max")[1].tolist() == [-4, 2]
    with pytest.raises(UnknownNameError, match="mean"):
        scores([0, 0, 0, 0, 0]).by_word("mean")


def test_json_holds_everything_and_comes_back_equal():
    written = scores([0, 3, -4, 2, 0]).to_json()
    read = json.loads(json.dumps(written, allow_nan=False))
    assert read == written
    assert set(read) == set(TokenScores.__dataclass_fields__)
    assert TokenScores.from_json(read).to_json() == written
    assert read["target"] == {"class_index": 1, "scalar": "margin"}
    assert read["words"] == [None, 0, 0, 1, None]
