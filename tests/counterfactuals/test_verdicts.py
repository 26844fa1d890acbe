"""Which words judge, and which texts leave their verdict to them."""

import pytest

from lit_probe.counterfactuals.verdicts import OPPOSITES, judging_words, leaves_the_verdict, polarity_of


def words(text):
    return [found[0] for found in judging_words(text)]


def test_the_opposite_of_the_opposite_is_the_word_itself_and_says_the_opposite():
    assert len(OPPOSITES) >= 60
    assert all(OPPOSITES[OPPOSITES[word]] == word for word in OPPOSITES)
    assert all({polarity_of(word), polarity_of(other)} == {"praise", "blame"} for word, other in OPPOSITES.items())


def test_judging_words_are_whole_words_and_no_parts_of_compounds_or_names():
    assert words("The goods were badly boringly unloved.") == []
    assert words("a feel-good, whip-smart near-masterpiece") == []
    assert words("By the Great Director, and GREAT. Great?") == ["GREAT", "Great"]
    assert words("It will dull the pain; they dumb down a dull, engaging film.") == ["dull", "engaging"]
    assert words("A love story. I love it, we really hate it.") == ["love", "hate"]


@pytest.mark.parametrize("rest", ["The film is a …", "It was …!", "the cast of this show is extremely …", "", "I … it."])
def test_a_clause_in_which_nothing_else_judges_leaves_the_verdict_to_its_edited_words(rest):
    assert leaves_the_verdict(rest.replace("…", " "))


@pytest.mark.parametrize(
    "rest",
    [
        "I _ it until it broke.",
        "a _ film but long",
        "_ although long",
        "it would be _",
        "it is _ if you wait",
        "despite the cast it is _",
        "it is _, either",
        "it is not _",
        "it isn't _",
        "it is n't _",
        "never _",
        "not the _ film",
        "it's too _",
        "more _ than the book",
        "half as _",
        "is it _?",
        "he said it was _",
        "a _ “film”",
        "a _ film. The cast is here.",
        "a _ film; the cast is here",
        "a _ film -- so the cast says",
        "a _ , warm film",
        "a _ heartwarming film",
        "a _ film full of purposeless talk",
        "a dismally _ film",
        "a _ misunderstanding",
        "a _ film, 3/10",
        "a _ film that has a boring end",
        "_ " + "film " * 20,
    ],
)
def test_a_second_clause_or_judgement_a_contrast_a_condition_a_denial_or_a_measure_does_not(rest):
    assert not leaves_the_verdict(rest.replace("_", " "))
