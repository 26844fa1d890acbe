from pathlib import Path

import pytest

from lit_probe.counterfactuals.rules import (
    CHANGE,
    EXPECTATIONS,
    KINDS,
    OPPOSITES,
    RULES,
    STAY,
    UNKNOWN,
    edits_by_rule,
    expected_label,
)

SENTIMENT = ("negative", "positive")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.kind}: {rule.name} ({rule.of})")
def test_every_rule_makes_of_its_example_what_the_table_says(rule):
    assert rule.edit(rule.before) == rule.after
    assert rule.expectation in (CHANGE, STAY) and rule.kind in KINDS


def test_the_docs_show_every_rule():
    page = (Path(__file__).parents[2] / "docs/counterfactuals.md").read_text("utf-8")
    for rule in RULES:
        should = rule.expectation.removeprefix("label expected to ")
        assert f"| {rule.kind} | {rule.name} | {rule.of or 'any text'} | {rule.before} | {rule.after} | {should} |" in page


@pytest.mark.parametrize("text", ["", " ", "?!", "...", "\U0001f600", "x", "Ça va\n\nbien <br />", "not", "is not", "I", "' - '"])
def test_odd_texts_are_edited_or_left_alone_but_never_break_a_rule(text):
    for edit in edits_by_rule(text, "positive", SENTIMENT):
        assert edit.text != text and edit.expectation in EXPECTATIONS
    if not any(character.isalnum() for character in text):
        assert not list(edits_by_rule(text, "positive", SENTIMENT))


def test_the_opposite_of_the_opposite_is_the_word_itself():
    assert len(OPPOSITES) >= 60
    assert all(OPPOSITES[OPPOSITES[word]] == word for word in OPPOSITES)


def test_every_judging_word_is_swapped_with_its_case_and_its_article():
    (made,) = [
        edit for edit in edits_by_rule("An awful, BORING mess. Great? It isn't good.", None, SENTIMENT) if "opposite" in edit.rule
    ]
    assert made.text == "A great, INTERESTING masterpiece. Awful? It isn't bad."
    assert made.expectation == CHANGE


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("A good film, but a boring one.", CHANGE),
        (f"A good film. {'It is long and slow. ' * 3}A funny one.", CHANGE),
        (f"A good film. {'It is long and slow. ' * 20}", CHANGE),
        (f"A good film. {'It is long and slow. ' * 3}Yet the end is boring.", UNKNOWN),
        ("A good film, and I love it.", UNKNOWN),
        ("I do not enjoy such boring films.", UNKNOWN),
    ],
)
def test_the_opposites_are_expected_to_change_the_label_only_where_the_text_has_one_verdict(text, expectation):
    (made,) = [edit for edit in edits_by_rule(text, "positive", SENTIMENT) if "its opposite" in edit.rule]
    assert made.expectation == expectation and made.text != text


def test_words_are_whole_words():
    assert list(edits_by_rule("The goods were badly boringly unloved.", None, SENTIMENT)) == []


def test_nothing_is_negated_where_another_judging_word_would_still_stand():
    def negated(text):
        return [edit.text for edit in edits_by_rule(text, None, SENTIMENT, ["negation"])]

    assert negated("The plot is good.") == ["The plot is not good."]
    assert negated("The plot is good but boring.") == []
    assert negated("The plot is not good.") == ["The plot is good."]
    assert negated("The history is dull, sloppy and full of errors.") == []
    assert negated("The plot is long.") == []
    assert negated("I liked it.") == ["I did not like it."]
    assert negated("The book that I liked is long.") == []
    assert negated("It is long. We didn’t enjoy it.") == ["It is long. We enjoyed it."]
    assert negated("I do not hate that I love it.") == []
    assert negated("I love it. I don't hate it.") == []
    assert negated("The plot is good, and I enjoyed it.") == []
    assert negated("The plot is good; I dislike it.") == []


def test_frames_follow_the_label_and_need_one():
    def contrast(label):
        return {edit.text: edit.expectation for edit in edits_by_rule("It was long.", label, SENTIMENT, ["contrast"])}

    assert contrast("positive")["It was long. But all in all, I did not like it."] == CHANGE
    assert contrast("negative")["It was long. But all in all, I liked it a lot."] == CHANGE
    assert contrast("positive")["I had expected to hate it. It was long."] == STAY
    assert not set(contrast("positive")) & set(contrast("negative"))
    assert contrast(None) == {}


def test_a_frame_leaves_sentences_as_sentences():
    made = [edit.text for edit in edits_by_rule(" long and slow ", "negative", SENTIMENT, ["contrast"])]
    assert "long and slow. But all in all, I liked it a lot." in made
    assert "I had expected to love it. Long and slow" in made


def test_nothing_is_expected_of_labels_that_are_not_praise_and_blame():
    made = list(edits_by_rule("The film is good.", "sport", ("politics", "sport")))
    assert [edit.text for edit in made] == ["The film is not good.", "The film is bad."]
    assert {edit.expectation for edit in made} == {UNKNOWN}
    assert {edit.expectation for edit in edits_by_rule("The film is good.", "Positive", ("Negative", "Positive"))} == {
        CHANGE,
        STAY,
    }


def test_the_expected_label_is_the_other_one_of_two():
    assert expected_label(CHANGE, "negative", SENTIMENT) == "positive"
    assert expected_label(STAY, "negative", SENTIMENT) == expected_label(UNKNOWN, "negative", SENTIMENT) == "negative"
    assert expected_label(CHANGE, "b", ("a", "b", "c")) == "b"
    assert expected_label(CHANGE, None, SENTIMENT) is None
    assert expected_label(CHANGE, "other", SENTIMENT) == "other"


def test_long_texts_are_edited_in_linear_time():
    text = "a very good " * 20_000
    assert len(list(edits_by_rule(text, "positive", SENTIMENT))) == 4
