"""What the rules make of a text, and what they expect of its label."""

import re
from pathlib import Path

import pytest

from lit_probe.counterfactuals.rules import (
    CHANGE,
    EXPECTATIONS,
    KINDS,
    MIN_READ,
    MIN_RIGHT,
    RULES,
    STAY,
    UNKNOWN,
    Reading,
    edits_by_rule,
    expected_label,
)
from lit_probe.counterfactuals.verdicts import OPPOSITES, polarity_of
from lit_probe.data import load_dataset
from lit_probe.data.options import DatasetOptions
from lit_probe.scores.intervals import wilson_interval

SENTIMENT = ("negative", "positive")
PAGE = (Path(__file__).parents[2] / "docs/counterfactuals.md").read_text("utf-8")
LABELS = {"praise": "positive", "blame": "negative"}


def expectations(text, label, kinds=KINDS):
    return {edit.text: edit.expectation for edit in edits_by_rule(text, label, SENTIMENT, kinds)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.kind}: {rule.name} ({rule.of})")
def test_every_rule_makes_of_its_example_what_the_table_says(rule):
    made = rule.edit(rule.before)
    assert made.text == rule.after and made.says in rule.read
    assert rule.expectation in (CHANGE, STAY) and rule.kind in KINDS
    for polarity, label in LABELS.items():
        sure = made.says == polarity and rule.expects(polarity)
        if rule.of in (None, polarity):
            assert expectations(rule.before, label)[rule.after] == (rule.expectation if sure else UNKNOWN)


def test_the_docs_show_every_rule_and_what_reading_its_edits_has_found():
    for rule in RULES:
        assert f"| {rule.kind} | {rule.name} | {rule.of or 'any text'} | {rule.before} | {rule.after} |" in PAGE
        for polarity, found in rule.read.items():
            should = rule.expectation.removeprefix("label expected to ") if rule.expects(polarity) else "nothing expected"
            counts = f"{found.n} | {found.grammatical} | {found.right} | {found.doubtful} | {found.wrong}"
            share = interval = "–"
            if found.n:
                low, high = wilson_interval(found.right / found.n, found.n)
                share, interval = f"{100 * found.right / found.n:.0f} %", f"{100 * low:.0f}–{100 * high:.0f} %"
            assert f"| {rule.name} | {polarity} | {counts} | {share} | {interval} | {should} |" in PAGE


def test_a_rule_expects_something_once_enough_was_read_and_nine_of_ten_were_right():
    rule = RULES[0]

    def expects(right, doubtful, wrong):
        read = {"praise": Reading(right + doubtful + wrong, right, doubtful, wrong)}
        return type(rule)(**{**vars(rule), "read": read}).expects("praise")

    assert (MIN_READ, MIN_RIGHT) == (10, 0.9)
    assert expects(9, 1, 0) and expects(18, 0, 2) and expects(10, 0, 0)
    assert not expects(8, 1, 1) and not expects(17, 3, 0) and not expects(9, 0, 0)
    assert not type(rule)(**{**vars(rule), "read": {}}).expects("praise")


def test_at_least_200_edits_were_read_of_rules_that_expect_something():
    read = [found for rule in RULES for polarity, found in rule.read.items() if rule.expects(polarity)]
    assert sum(found.n for found in read) >= 200
    assert sum(found.right for found in read) >= MIN_RIGHT * sum(found.n for found in read)


def said(text):
    """What a text's words say of it, as anybody would count them: no rule is asked."""
    words = set(re.findall(r"n['’]t|\w+", text.lower()))
    found = {polarity_of(word) for word in words & {*OPPOSITES, "like", "enjoy", "enjoyed", "recommend", "recommended"}}
    opposite = {"praise": "blame", "blame": "praise"}
    return {opposite[polarity] for polarity in found} if words & {"not", "n't", "n’t"} else found


def test_no_expectation_contradicts_its_label_on_held_out_film_sentences(test_data):
    """Dev and test of SST-2, 2,693 sentences, edits of a word of theirs.

    Before, 636 of these edits were expected to change the label, since their text was short or its judging words were all of one
    kind. 155 of them (24 %; 27 % in the test file) began from words that say something else than the label. Among all that are
    made the share is still 28 %, so rules that did not look at the label would be found out here.
    """
    splits = load_dataset("sst2_sentences", str(test_data / "sst2"), DatasetOptions(max_examples=0))
    every, expected = [], []
    for texts in (splits.dev, splits.test):
        for text, number in zip(texts.texts, texts.labels, strict=True):
            label = texts.label_names[number]
            for edit in edits_by_rule(text, label, texts.label_names):
                if edit.rule.startswith("negation") or "judging word" in edit.rule:
                    contradicts = said(text) != {polarity for polarity, name in LABELS.items() if name == label}
                    every.append(contradicts)
                    if edit.expectation == CHANGE:
                        expected.append(contradicts)
    assert len(every) > 500 and 0.2 < sum(every) / len(every) < 0.5
    assert len(expected) >= 25 and sum(expected) == 0


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I loved it until it broke.", "negative"),
        ("I liked it until it broke.", "negative"),
        ("I liked it until it broke.", "positive"),
        ("It is funny.", "negative"),
        ("It is boring.", "positive"),
        ("The film is good, but the end is too long.", "positive"),
        ("If it was good, I slept.", "positive"),
        ("Is it good? The film is good.", "positive"),
        ("They said the film is good.", "positive"),
        ("Racism is not good.", "negative"),
        ("It would be a good film.", "positive"),
        ("It is too good.", "positive"),
        ("It is more interesting than the book.", "positive"),
        ("It is a good film full of tasteless jokes.", "positive"),
        ("I do not hate that I love it.", "positive"),
        ("A good film.", None),
    ],
)
def test_nothing_is_expected_of_an_edited_word_that_is_not_the_texts_verdict(text, label):
    word_edits = [edit for edit in edits_by_rule(text, label, SENTIMENT) if "the text" not in edit.rule]
    assert word_edits and {edit.expectation for edit in word_edits} == {UNKNOWN}


@pytest.mark.parametrize(
    ("text", "label", "after"),
    [
        ("The plot is very good.", "positive", "The plot is very bad."),
        ("I love this film.", "positive", "I hate this film."),
        ("An AWFUL film.", "negative", "A GREAT film."),
        ("This is one of the worst films of the year .", "negative", "This is one of the best films of the year ."),
        ("The reliable charger is useful.", "positive", "The unreliable charger is useless."),
    ],
)
def test_a_change_is_expected_where_the_edited_words_are_the_verdict_and_say_what_the_label_says(text, label, after):
    other = {"positive": "negative", "negative": "positive"}[label]
    assert expectations(text, label)[after] == CHANGE
    assert expectations(text, other)[after] == UNKNOWN


@pytest.mark.parametrize(
    ("text", "label", "after"),
    [
        ("The plot is very good.", "positive", "The plot is not very good."),
        ("it 's not funny .", "negative", "it 's funny ."),
        ("The acting isn't good!", "negative", "The acting is good!"),
        ("We really enjoyed the show.", "positive", "We did not really enjoy the show."),
        ("I recommend it!", "positive", "I do not recommend it!"),
        ("We did n't really like it.", "negative", "We really liked it."),
    ],
)
def test_negations_are_made_and_nothing_is_expected_since_too_few_were_read_or_right(text, label, after):
    assert expectations(text, label, ["negation"]) == {after: UNKNOWN}
    [made] = [made for rule in RULES if rule.kind == "negation" and (made := rule.edit(text))]
    assert LABELS[made.says] == label, "the words say so; it is what reading has found that rules it out"


def test_what_a_sentence_says_only_with_not_is_not_left_over():
    def negated(text):
        return [edit.text for edit in edits_by_rule(text, "negative", SENTIMENT, ["negation"])]

    for rest in (", either", " at all", " any more", " anymore", ", nor is it short", " yet", ", let alone clever"):
        assert negated(f"It is not funny{rest}.") == []
        assert negated(f"I don't like it{rest}.") == []
    assert negated("It is not funny. We have not seen any.") == ["It is funny. We have not seen any."]
    assert negated("It is funny too.") == negated("I liked it as well.") == []
    assert negated("It is not funny but sad.") == negated("It is good and funny.") == negated("It is dull , sloppy .") == []
    assert negated("This is A Beautiful Mind, and that is A Good Day.") == []
    assert negated("It is superb.") == negated("I love it.") == []


@pytest.mark.parametrize("text", ["", " ", "?!", "...", "\U0001f600", "x", "Ça va\n\nbien <br />", "not", "is not", "I", "' - '"])
def test_odd_texts_are_edited_or_left_alone_but_never_break_a_rule(text):
    for edit in edits_by_rule(text, "positive", SENTIMENT):
        assert edit.text != text and edit.expectation in EXPECTATIONS
    if not any(character.isalnum() for character in text):
        assert not list(edits_by_rule(text, "positive", SENTIMENT))


def test_every_judging_word_is_swapped_with_its_case_and_its_article():
    (made,) = [
        edit for edit in edits_by_rule("An awful, BORING mess. Great? It isn't good.", None, SENTIMENT) if "opposite" in edit.rule
    ]
    assert made.text == "A great, INTERESTING masterpiece. Awful? It isn't bad."
    (made,) = edits_by_rule("a useful tool, and a tedious one by Sir Good", None, SENTIMENT)
    assert made.text == "a useless tool, and an enjoyable one by Sir Good"


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
        UNKNOWN,
    }
    for names in (("negative", "neutral", "positive"), ("bad", "good"), ("0", "1")):
        assert {edit.expectation for edit in edits_by_rule("The film is good.", names[-1], names)} == {UNKNOWN}


def test_the_expected_label_is_the_other_one_of_two():
    assert expected_label(CHANGE, "negative", SENTIMENT) == "positive"
    assert expected_label(STAY, "negative", SENTIMENT) == expected_label(UNKNOWN, "negative", SENTIMENT) == "negative"
    assert expected_label(CHANGE, "b", ("a", "b", "c")) == "b"
    assert expected_label(CHANGE, None, SENTIMENT) is None
    assert expected_label(CHANGE, "other", SENTIMENT) == "other"


def test_long_texts_are_edited_in_linear_time():
    text = "a very good " * 20_000
    assert len(list(edits_by_rule(text, "positive", SENTIMENT))) == 4
