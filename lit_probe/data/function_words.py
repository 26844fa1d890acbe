"""Which words of a text say something by themselves: all but the closed classes of English."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from functools import cache

# What stands for an apostrophe on keyboards and in fonts.
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘‛`´ʼ′＇", "'"))
# "&#39;" and "&quot;", also with the & lost or set apart, as some collections of news have them.
_AMPERSAND = re.compile(r"&(?:\s?amp\s?;)+")
_ENTITY = re.compile(r"&?\s?(#x?[0-9a-f]+|amp|apos|quot|lt|gt|nbsp)\s?;")
# "don 't" and "don ' t", as tokenized corpora and word pieces write "don't".
_APART = re.compile(r"(?<=n)\s*'\s*t\b")
# "don t", where a cleaned corpus has lost the apostrophe. "Won" and "don" alone are a word and a name, and "t" after them is not.
_LOST = re.compile(
    r"\b((?:ai|are|ca|could|dare|did|do|does|had|has|have|is|may|might|must|need|ought|sha|should|was|were|wo|would)n)\s+t\b"
)
# How tokenized corpora write brackets: -LRB- and -RRB-.
_BRACKETS = "lrb rrb"

# English's closed classes, by the names of Universal Dependencies; whoever adds a word adds it to its class.
_CLOSED_CLASSES = {
    "AUX": """
        am are be been being ca can cannot could did do does doing done had has have having is may might must ought sha
        shall should was were will wo would re ve ll get gets getting got gotten
    """,
    "DET": """
        a an the this that these those all another any both each either every half many much neither no some such what which
        whatever whichever
    """,
    "PRON": """
        i me my mine myself we us our ours ourself ourselves you your yours yourself yourselves he him his himself she her
        hers herself it its itself they them their theirs themself themselves one ones oneself em ya ye thee thou thy thine
        who whom whose what which whoever whomever whichever whatever whosoever whatsoever whatnot anybody anyone anything
        everybody everyone everything nobody none nothing somebody someone something
    """,
    "ADP": """
        aboard about above according across after against ago along alongside amid amidst among amongst around as at atop away
        before behind below beneath beside besides between beyond by concerning despite down during except for from in including
        inside into like minus near notwithstanding of off on onto opposite out outside over past per plus qua regarding
        round since than through throughout till to toward towards under underneath unlike until unto up upon versus via vs
        with within without
    """,
    "CCONJ": "and but either neither nor or plus yet",
    "SCONJ": """
        albeit although as because if lest once since so than that though till unless until whereas whether while
    """,
    "PART": "not to nt",
    "NUM": """
        zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
        eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion first
        second third
    """,
    # Adverbs are an open class. These ask, point or grade, and say nothing by themselves.
    "ADV": """
        how when where why however whenever wherever whereby wherein here there then also else instead just maybe quite too very
        yes
    """,
    # One word where an apostrophe was left out; what is left where "t" was, too ("haven", "won" and "don" are words and names).
    "contractions": """
        aint arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt mightnt mustnt neednt shouldnt wasnt werent wont
        wouldnt im ive youre youve youll youd hes shes theyre theyve theyll weve thats whats whos wheres hows theres heres
        lets tis twas ain aren couldn didn doesn hadn hasn isn mightn mustn needn oughtn shouldn wasn weren wouldn
        gonna gotta wanna dunno gimme lemme
    """,
}


@cache
def function_words() -> frozenset[str]:
    """Words that are no content words, case-folded: scikit-learn's list of English stop words, and all closed classes of English.

    scikit-learn's list (318 words, of the Glasgow Information Retrieval Group) is incomplete and inconsistent (Nothman, Qin &
    Yurchak 2018, https://doi.org/10.18653/v1/W18-2502): it has *do* and *has*, but neither *did*, *does* nor *having*, and so
    16 % of TREC's questions were of the type *did* or *does*. It is therefore completed by class: auxiliaries, determiners,
    pronouns, adpositions, conjunctions, particles and numerals, as Universal Dependencies tells them apart
    (https://universaldependencies.org/u/pos/), with what tokenized corpora make of contractions (*ca* n't, *wo* n't, *'ll*). The
    few content words on scikit-learn's list (*system*, *fire*, *bill*) are no types either: a word too few costs the control a
    type, a word too many its meaning.

    >>> {"did", "does", "what", "whose", "theirs", "unless"} <= function_words(), "film" in function_words()
    (True, False)
    """
    # scikit-learn takes a second to import, and a start from the cache computes nothing.
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    own = (word for words in (*_CLOSED_CLASSES.values(), _BRACKETS) for word in words.split())
    return frozenset((*own, *ENGLISH_STOP_WORDS))


def function_words_hash() -> str:
    """The first 12 digits of the sha256 of `function_words`: other words, other control labels."""
    return hashlib.sha256("\n".join(sorted(function_words())).encode()).hexdigest()[:12]


@cache
def _word() -> re.Pattern[str]:
    """Letters with their marks, such as the vowels of Hindi, which are no letters to ``\\w``; apostrophes stand within."""
    codes = (*range(0x20000), *range(0xE0100, 0xE01F0))
    marks = "".join(character for character in map(chr, codes) if unicodedata.category(character) in ("Mn", "Mc"))
    letters = rf"[^\W\d_](?:[^\W\d_]|[{marks}])*"
    return re.compile(rf"{letters}(?:'{letters})*")


def words_of(text: str) -> list[str]:
    """The words of a normalised text in their order; numbers are none, and HTML entities are what they stand for.

    >>> words_of("what don’t we do in 1999? &quot;यह फिल्म&quot;")
    ['what', "don't", 'we', 'do', 'in', 'यह', 'फिल्म']
    """
    return _word().findall(_plain(text))


def _plain(text: str) -> str:
    """The text without HTML entities, with one kind of apostrophe and whole contractions.

    >>> _plain("i`m sure they don &#39; t, and we didn t &amp;amp; won t")
    "i'm sure they don't, and we didn't & won't"
    """
    # First of all, since "&amp;quot;" is "&quot;".
    text = _ENTITY.sub(lambda found: html.unescape(f"&{found[1]};"), _AMPERSAND.sub("&", text))
    return _LOST.sub(r"\1't", _APART.sub("'t", text.translate(_APOSTROPHES)))


def content_words(text: str) -> set[str]:
    """The words of a normalised text that are no `function_words`, without those of a single letter; ``film's`` is a film.

    >>> sorted(content_words("what does the film's ending mean, and didn't they know, or don 't they?"))
    ['ending', 'film', 'know', 'mean']
    """
    found = {_without_apostrophe(word) for word in words_of(text)}
    return {word for word in found - function_words() if len(word) > 1}


def _without_apostrophe(word: str) -> str:
    """``film's`` is a film; ``don't``, ``we'll`` and their like are no content words.

    >>> _without_apostrophe("film's"), _without_apostrophe("don't")
    ('film', '')
    """
    stem, _, ending = word.partition("'")
    return stem if ending in ("", "s") else ""
