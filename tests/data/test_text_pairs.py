"""A pair is a text with a seam: put together, taken apart, and never made by accident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_probe.data.labelled_texts import normalise_text
from lit_probe.data.rows import rows_of
from lit_probe.data.text_pairs import SEPARATOR, is_pair, joined, segments, shown, without_seam

TEXTS = st.text(alphabet=st.one_of(st.characters(), st.sampled_from([SEPARATOR, " ", "\x1e", "\n"])))


@given(TEXTS, TEXTS)
def test_a_pair_is_taken_apart_as_it_was_put_together(first, second):
    pair = joined(first, second)
    assert is_pair(pair)
    assert segments(pair) == (without_seam(first), without_seam(second))
    assert len(pair) == len(first) + 1 + len(second)
    assert SEPARATOR not in shown(pair)


@given(TEXTS)
def test_a_text_without_a_seam_is_one_text(text):
    assert segments(without_seam(text)) == (without_seam(text),)
    assert len(without_seam(text)) == len(text)


@given(TEXTS, TEXTS)
def test_a_pair_is_compared_text_by_text(first, second):
    parts = [normalise_text(without_seam(first)), normalise_text(without_seam(second))]
    assert normalise_text(joined(first, second)) == (SEPARATOR.join(parts) if any(parts) else "")


@given(TEXTS, TEXTS, TEXTS)
def test_of_several_seams_the_first_counts(first, second, third):
    text = SEPARATOR.join([without_seam(first), second, third])
    assert segments(text) == (without_seam(first), without_seam(f"{second} {third}"))


@given(st.lists(TEXTS))
def test_a_sign_in_somebodys_text_makes_no_pair(texts):
    assert not any(map(is_pair, rows_of(texts, [0] * len(texts)).texts))


@given(TEXTS, TEXTS)
def test_two_strings_make_one_pair_and_an_empty_one_makes_none(first, second):
    (text,) = rows_of([(first, second)], [0]).texts
    alone = rows_of([first, second], [0, 0]).texts
    assert text == (joined(*alone) if all(alone) else "")


@pytest.mark.parametrize("strange", [("a",), ("a", "b", "c"), ("a", 1), ["a", "b"], None])
def test_anything_else_than_a_string_or_two_is_refused(strange):
    with pytest.raises(Exception, match=r"Text 1 is .*, not a string"):
        rows_of([strange], [0])
