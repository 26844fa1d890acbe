import re

import pytest

from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields


@pytest.mark.parametrize("meta", [{"added": True}, {"added": 1, "parentId": "abc", "source": "Word Replacer"}])
def test_an_example_that_lit_marks_as_added_is_edited_whatever_its_split_says(meta):
    assert fields.is_edited({"text": "Fine.", "probe_split": "train", "_meta": meta})


@pytest.mark.parametrize("meta", [{"added": None, "parentId": None, "source": None}, {"added": False}, {}, None, "added", 1])
def test_every_other_example_is_not_edited(meta):
    assert not fields.is_edited({"text": "Fine.", "_meta": meta})
    assert not fields.is_edited({"text": "Fine."})


@pytest.mark.parametrize("text", [None, 3, 2.5, ["a"], {"a": 1}, True, b"bytes"])
def test_a_text_that_is_no_string_is_refused_with_its_field_and_type(text):
    with pytest.raises(LitProbeError, match=r"string in its field 'text'"):
        fields.text_of({"text": text})


def test_a_missing_text_is_refused():
    with pytest.raises(LitProbeError, match="is missing"):
        fields.text_of({"label": "positive"})


def test_a_lone_surrogate_is_replaced_and_other_text_is_kept():
    assert fields.text_of({"text": "a\ud800b"}) == "a\ufffdb"
    assert fields.text_of({"text": "\U0001f600 \u202eabc\x00"}) == "\U0001f600 \u202eabc\x00"


@pytest.mark.parametrize("label", [None, "", "neutral", 1, True, ["positive"]])
def test_a_label_that_the_probes_do_not_know_counts_as_none(label):
    assert fields.label_of({"label": label}, ("negative", "positive")) is None


def test_a_known_label_and_a_known_split_are_read():
    assert fields.label_of({"label": "positive"}, ("negative", "positive")) == "positive"
    assert fields.split_of({"probe_split": "dev"}) == "dev"


@pytest.mark.parametrize("split", [None, "validation", 3, ["dev"], ""])
def test_an_unknown_split_counts_as_none(split):
    assert fields.split_of({"probe_split": split}) is None


@pytest.mark.parametrize("name", ["a/b", "a:b", "a,b", "a&b", "a#b", "a+b", "a=b", "a b", "ä", "", "///"])
def test_names_hold_nothing_that_breaks_lit(name):
    assert re.fullmatch(r"[A-Za-z0-9._-]+", fields.safe_name(name))
    assert re.fullmatch(r"[A-Za-z0-9._-]+", fields.model_name(name, name))
    assert re.fullmatch(r"[A-Za-z0-9._-]+ \(cls mlp\)-on-[A-Za-z0-9._-]+", fields.model_name(f"{name} (cls mlp)", name))


@pytest.mark.parametrize("column", ["_id", "_meta", "a:b", "a,b", "", "text", "film title", "__class__"])
def test_column_fields_are_new_and_clear_of_what_lit_reserves(column):
    field = fields.column_field(column, {"text", "label"})
    assert field not in {"text", "label"}
    assert re.fullmatch(r"[^\W_][\w.-]*", field)


def test_two_columns_that_become_one_name_stay_two_fields():
    first = fields.column_field("a b", set())
    assert fields.column_field("a:b", {first}) != first
