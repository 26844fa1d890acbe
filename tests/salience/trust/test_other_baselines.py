"""How much a map depends on its baseline, where the baselines are known to differ."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest
import torch

import lit_probe
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.probing.probe_forward import Target, forward_of_probe
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain
from lit_probe.salience.trust.other_baselines import BaselineComparison, OtherBaseline, compare_baselines
from lit_probe.salience.trust.stability import spearman

TEXT = "the plot was slow but great we loved it"
WITH_BASELINE = [name for name, method in SALIENCE_METHODS.items() if method.baseline]
QUICK = SalienceOptions(samples=40)


@pytest.fixture(scope="module")
def forward(tiny_folder, planted):
    """A probe for "the text holds the word ``great``" of an encoder to which padding and unknown words look like ``great``."""
    encoder = load_encoder(str(tiny_folder()))
    tokenizer = encoder.tokenizer

    def change():
        table = encoder.model.get_input_embeddings().weight
        with torch.no_grad():
            for token_id in (tokenizer.pad_token_id, tokenizer.unk_token_id):
                table[token_id] = table[tokenizer.convert_tokens_to_ids("great")]

    on_encoder_thread(change)
    return forward_of_probe(encoder, "mean", 1, planted.probes[1], ("without", "with"))


def test_a_baseline_that_is_the_deciding_word_changes_the_map_and_is_told(forward):
    """From padding to the text, ``great`` does not change and scores exactly 0; from every other baseline it decides."""
    target = Target(1)
    words, scores = explain(forward, TEXT, "integrated_gradients", target, SalienceOptions(baseline="pad")).by_word()
    assert scores[words.index("great")] == 0
    from_pad = compare_baselines(forward, TEXT, "integrated_gradients", target, SalienceOptions(baseline="pad"))
    assert [one.name for one in from_pad.others] == ["mask", "zero", "mean"]
    assert not any(one.same_top_word for one in from_pad.others)
    assert (from_pad.baseline_class, from_pad.same_class) == ("with", True)
    assert from_pad.sentence().endswith(
        "same top word with 0 of 3. The baseline itself (pad) is classed “with”, the explained class: "
        "what already speaks for it there gets no score."
    )
    from_mean = compare_baselines(forward, TEXT, "integrated_gradients", target, SalienceOptions(baseline="mean"))
    same = {one.name: one.same_top_word for one in from_mean.others}
    assert same == {"pad": False, "mask": True, "zero": True}
    assert (from_mean.baseline_class, from_mean.same_class) == ("without", False)
    assert from_mean.sentence().endswith("same top word with 2 of 3. The baseline itself (mean) is classed “without”.")


@pytest.mark.parametrize("method", [name for name, one in SALIENCE_METHODS.items() if one.baseline == "replace"])
def test_ways_to_take_words_out_are_compared_too(forward, method):
    found = compare_baselines(forward, TEXT, method, Target(1), replace(QUICK, replace="unk"))
    assert [one.name for one in found.others] == ["mask", "delete"]
    assert not any(one.same_top_word for one in found.others) and found.same_class
    assert found.sentence().startswith("With words taken out in other ways (mask, delete): Spearman ")
    without_words = "The text with all its words taken out (unk) is classed “with”, the explained class"
    # Occlusion takes out one word at a time and never sees that text.
    assert (without_words in found.sentence()) == (method != "occlusion")
    assert found.sentence().endswith(".") and found.sentence().count("..") == 0


@pytest.mark.parametrize("method", WITH_BASELINE)
def test_each_number_is_that_of_the_two_maps(forward, method):
    found = compare_baselines(forward, TEXT, method, Target(0), QUICK)
    option = SALIENCE_METHODS[method].baseline
    chosen = explain(forward, TEXT, method, Target(0), QUICK).by_word()[1]
    assert found.chosen == getattr(QUICK, option) and len(found.others) >= 2
    for one in found.others:
        other = explain(forward, TEXT, method, Target(0), replace(QUICK, **{option: one.name})).by_word()[1]
        assert one.spearman == spearman(chosen, other)
        assert one.same_top_word == (abs(chosen).argmax() == abs(other).argmax())
    assert json.loads(json.dumps(found.to_json())) == found.to_json()
    assert BaselineComparison.from_json(found.to_json()) == found


@pytest.mark.parametrize("method", [name for name in SALIENCE_METHODS if name not in WITH_BASELINE])
def test_a_method_without_a_baseline_has_no_line(forward, method):
    assert compare_baselines(forward, TEXT, method, options=QUICK) is None


def test_the_methods_that_read_a_baseline_say_so():
    """The reverse: no method reads such an option without being compared."""
    for name, method in SALIENCE_METHODS.items():
        assert (name in WITH_BASELINE) == bool({"baseline", "replace"} & set(method.uses))


def test_a_token_that_the_tokenizer_lacks_is_left_out(tiny_folder, planted):
    encoder = load_encoder(str(tiny_folder()))
    encoder.tokenizer.mask_token = None
    forward = forward_of_probe(encoder, "mean", 1, planted.probes[1])
    assert [one.name for one in compare_baselines(forward, TEXT, "integrated_gradients").others] == ["zero", "mean"]
    options = SalienceOptions(replace="unk")
    assert [one.name for one in compare_baselines(forward, TEXT, "occlusion", options=options).others] == ["delete"]
    usual = compare_baselines(forward, TEXT, "occlusion")
    assert (usual.chosen, [one.name for one in usual.others]) == ("unk", ["delete"])


def test_maps_that_are_there_are_not_made_again_and_a_check_can_end_it(forward):
    asked = []

    def make(options):
        asked.append(options.baseline)
        return explain(forward, TEXT, "integrated_gradients", options=options)

    compare_baselines(forward, TEXT, "integrated_gradients", make=make)
    assert asked == ["pad", "mask", "zero", "mean"]

    def stop():
        raise CancelledError("enough")

    with pytest.raises(CancelledError, match="enough"):
        compare_baselines(forward, TEXT, "integrated_gradients", check=stop)


def test_it_stands_beside_explain():
    assert lit_probe.compare_baselines is compare_baselines


@pytest.mark.parametrize("method", SALIENCE_METHODS)
@pytest.mark.parametrize(
    ("text", "target", "said"), [("", None, "no word"), ("  ", None, "no word"), (TEXT, Target(9), "no class 9")]
)
def test_what_no_map_can_be_made_of_is_an_error_for_every_method(forward, method, text, target, said):
    with pytest.raises(LitProbeError, match=said):
        compare_baselines(forward, text, method, target, QUICK)


@pytest.mark.parametrize("method", WITH_BASELINE)
@pytest.mark.parametrize("text", ["great", "the"])
def test_of_a_text_of_one_word_no_agreement_is_told(forward, method, text):
    """Its one word is the top word of every map, and a rank correlation of one word there is not."""
    found = compare_baselines(forward, text, method, Target(1), QUICK)
    assert found.n_words == 1 and "): the text has one word, so there is no order to compare." in found.sentence()
    assert "Spearman" not in found.sentence() and "top word" not in found.sentence()


def test_the_sentence_copes_with_one_with_none_and_with_flat_maps():
    found = BaselineComparison("lime", "replace", "delete", 5, (), "yes", "no", False)
    assert found.sentence() == (
        "With words taken out in other ways: this tokenizer has no others. "
        "The text with all its words taken out (delete) is classed “no”."
    )
    occluded = dataclasses.replace(found, method="occlusion")
    assert occluded.sentence() == "With words taken out in other ways: this tokenizer has no others."
    one = dataclasses.replace(found, others=(OtherBaseline("mask", -0.5, True),))
    assert "(mask): Spearman −0.50, same top word with 1 of 1." in one.sentence()
    flat = dataclasses.replace(found, others=(OtherBaseline("mask", None, True),))
    assert "Spearman not defined" in flat.sentence()
