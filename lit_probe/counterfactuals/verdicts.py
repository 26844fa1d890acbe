"""Which words of an English text praise or blame, and whether a few of them make up the whole of its verdict.

There is no parser and no model here: words and signs are looked up in lists, so that anybody can say why a text was passed over.
The lists are wide on purpose. A text that is passed over for nothing costs one expectation; one that is not costs a wrong one.
"""

from __future__ import annotations

import re
from typing import Literal

Polarity = Literal["praise", "blame"]
"""What a text, or a word of it, says of a thing."""

# Adjectives that judge, praise first, each with its opposite. Left out are words that often mean something else (like, moving,
# fine, original) and "perfect", which has no opposite of its own.
_PLAIN_PAIRS = (
    "good bad, great awful, funny unfunny, interesting boring, exciting dull, clever stupid, smart dumb, enjoyable tedious, "
    "entertaining tiresome, engaging dreary, charming annoying, lively lifeless, memorable forgettable, "
    "delightful irritating, likable unlikable, reliable unreliable, useful useless, comfortable uncomfortable, sturdy flimsy, "
    "pleasant unpleasant"
)
# The ends of the scale. To deny one is not to say its opposite, what is not superb may still be good (Horn 1989, A Natural
# History of Negation), so these are swapped and never negated, and so are love and hate.
_EXTREME_PAIRS = (
    "excellent terrible, wonderful horrible, brilliant dreadful, superb atrocious, amazing appalling, fantastic lousy, "
    "beautiful ugly, best worst, masterpiece mess, triumph failure, joy chore"
)
_VERB_PAIRS = "love hate, loved hated, liked disliked"


def _pairs(*lists: str) -> list[tuple[str, str]]:
    found = [pair.split() for one in lists for pair in one.split(", ")]
    return [(praise, blame) for praise, blame in found]


_ADJECTIVES = [word for pair in _pairs(_PLAIN_PAIRS) for word in pair]
_PAIRS = _pairs(_PLAIN_PAIRS, _EXTREME_PAIRS, _VERB_PAIRS)
OPPOSITES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
# Verbs that praise and can be denied: the form after "not", and that of the past.
VERBS = (("like", "liked"), ("enjoy", "enjoyed"), ("recommend", "recommended"))
_PRAISING = frozenset(praise for praise, _ in _PAIRS) | {form for forms in VERBS for form in forms}

# No part of a compound (feel-good, whip-smart); of verbs that look like adjectives neither (to dull the pain, to dumb down).
_NO_VERB = r"(?! (?:the|an?|its|his|her|their|our|your|my|this|that|us|me|them|him|you|down)\b)"
PLAIN = rf"(?:{'|'.join(_ADJECTIVES)})(?![\w-]){_NO_VERB}"
_OTHERS = "|".join(word for pair in _pairs(_EXTREME_PAIRS, _VERB_PAIRS) for word in pair if word not in ("love", "hate"))
# A love story judges nothing.
_LOVE = r"(?:(?<=\bI )|(?<=\bwe )|(?<=\breally ))(?:love|hate)"
_JUDGING = re.compile(rf"(?<![\w-])(?:{PLAIN}|(?:{_OTHERS}|{_LOVE})(?![\w-]))", re.IGNORECASE)

# Words that judge and have no opposite here: whatever becomes of the others, they still stand.
_STANDING = """
    abhorrent abortion absorbing abuse abysmal accident accomplished achievement admirable adorable affecting afraid alas
    angry annoy annoyed annoys apologies apology appalled appeal appealing astonishing atrocity avoid awesome awfully awkward
    badly banal barf beautifully beauty better blame blamed blames bland bleak bloated bloody bogs bogus bomb bored boredom
    botch botched bother bothered boy brave bravo bravura breathtaking brilliance buoyant burn butcher butchered captivating
    celebrate chaotic charm charms cheap cheat cheated cheesy classic cliche cliched cliches cliché clichéd clichés clumsy
    cold compelling complain complaint confused confusing congratulations contempt contrived convincing cool cop-out corny
    corpse crap crass creaky creepy crime crimes cringe crisp crude cruel cry curse cute damn daring dated dazzling death
    decline deep deeply degrading delicious delight delighted delights depressing derivative deserve deserves despicable
    devoid die died dire dirty disappoint disappointed disappointing disappointment disaster disgusting dislike dismal
    dismally distasteful doomed drag drags dreadfully dreck drivel dubious dud easy effective elegant embarrassing
    embarrassingly embarrassment emotional empty endearing enemy enjoy enjoyed enjoying enjoys enthralling enthusiastic error
    errors evil excel excellence excels excess excruciating excuse exhilarating exquisite eye-opening fail failed fails fake
    fantastical fascinating fault faults favorite favourite favourites feeble fine finest flat flawed flawless flaws flop
    fraud fresh frustrating fun garbage gem generic gentle genuine ghastly gifted glad glorious godawful gore gorgeous
    graceful grateful grating greatest greatness grim gripping gross guilty hackneyed haphazard hard harmless hate hates
    hating hatred haunting heart heartbreaking heartfelt heartwarming heavy-handed hell hideous hilarious hollow honest hooray
    hopeless hopelessly horrendous horribly humor humour hurt idiotic ignorant illogical imaginative impressive inane
    incoherent inept inferior infuriating insane insightful inspired inspiring insult insulting intelligence intelligent
    intense intriguing inventive irrelevant irresistible jerk joyful joyless joyous junk kill killed kudos lack lacking lacks
    lame laughable laughs lazy leaden legendary lie lies likability likeable likes liking limp loser losers lost love
    loveliest lovely loves loving lovingly luckily lucky ludicrous mad magical magnificent manipulative mar marred mars
    marvellous marvelous masterclass masterful masterly mediocre mesmerizing mindless miscast miserable misfire miss mistake
    mistakes mock mockery moronic moving muddled mundane murder murders must-see nasty nice nifty nightmare nonsense obnoxious
    obvious odd offensive ordinary outdated outrageous outstanding overacting overdone overlong overrated overwrought pain
    painful painfully passable pathetic perfect perfectly phony pity plain plausible pleasing pleasurable pleasure plodding
    plotless poignant pointless poor poorly powerful predictable predictably pretentious priceless problem problems profound
    provocative puke quality questionable racism racist rape rare recommend recommendable recommended recommends refreshing
    refreshingly regret remarkable repellent repetitive rich richly ridiculous rip-off riveting romantic rotten rough rubbish
    ruin ruined ruins sad sappy satisfied satisfying savor savour scary sensitive sentimental serious seriously shallow shame
    shoddy sick silly sin skilful skillful sleek slick sloppy slow smile smiles smug solid sophisticated sorry soul soulful
    sour spectacular spirited splendid spoil spoiled stale startling stellar stereotype stereotypes stiff stilted stink stinks
    stolen strange strong stunning stupidly stylish sublime subtle success successful suck sucked sucks suffer suffers
    superbly superficial superior suspenseful sweet sympathetic tacky talent talented tasteless tender terribly terrific
    terrifying terror thankful thanks thin thoughtful thrill thrilling thrills thumbs timeless tired tiring torture touching
    tough tragedy tragic trash treasure trite trivial troubled ugliness unappealing unbeatable uneven unforgettable uninspired
    uninteresting unique unoriginal unwatchable upset upsetting vapid vibrant victim victims vile violence violent virtue
    virtues visionary vivid vulgar war warm warmth warped waste wasted weak weird winner winning wise wit witless witty
    wonderfully worn worry worse worth worthless worthwhile worthy wow wreck wrong yawn
"""

# What joins a second clause to the first, or sets one thing against another: connectives of one word as the Penn Discourse
# Treebank has them, without those that are prepositions more often (for, by, in), and with relative words and words that add
# ("with" also brings what the text says on its own account: "a good film with warped logic").
_JOINING = """
    accordingly after afterward afterwards also although and as because before besides beyond but consequently conversely
    despite else except finally furthermore hence how however if indeed instead later lest like likewise meanwhile minus
    moreover nevertheless nonetheless nor notwithstanding once only or otherwise overall plus rather regardless separately
    since so still that then thereby therefore though thus till ultimately unless unlike until what whatever when whenever
    where whereas whether which while who whom whose why with without yet
"""
# What denies, doubts or wishes: a judging word beside it need not be the text's own.
_DENYING = """
    'd 'll according almost barely ca call called calls can cannot could expect expected expects hardly hope hoped hopes may
    maybe might must n't nearly neither never no nobody none not nothing nowhere ought perhaps possibly potentially pretend
    pretends probably promise promised promises rarely sadly said say says scarcely seem seemed seems seldom shall should
    suppose supposed think thinks thought tried tries try trying unfortunately unlikely want wanted wants will wish wishes wo
    would
"""
# What counts, compares or measures: "more interesting than", "too funny", "half as good", "a good deal".
_MEASURING = """
    all always another any bit bits both deal each either enough even ever every everyone everything feel feels felt few first
    friend friends guy guys half intermittently just kind kinds least less little mainly moment moments more most mostly
    number occasionally ol old original other others part partly parts some sometimes somewhat sort sorts than times too twice
    way ways
"""
# Adverbs that only strengthen what they stand beside. Many others judge (dismally, effectively, interminably), as do most words
# that end in -less or -ful, or begin with dis-, mis- or un-.
_STRENGTHENING = """
    absolutely actually certainly clearly completely consistently definitely easily enormously entirely especially exceedingly
    exceptionally extraordinarily extremely fairly family genuinely highly hugely immensely incredibly obviously particularly
    really simply surprisingly thoroughly totally truly undoubtedly uniformly unusually utterly wholly
"""


def _any_of(listed: str) -> str:
    return "|".join(listed.split())


_ENDINGS = rf"(?!(?:{_any_of(_STRENGTHENING)})\b)\w+ly|\w{{3,}}(?:less|ful)(?:ly|ness)?|(?:dis|mis|un)\w{{3,}}"
_NOT_ALONE = re.compile(
    rf"(?<![\w'’])(?:{_any_of(_STANDING + _JOINING + _DENYING + _MEASURING)}|{_ENDINGS})(?!\w)|n['’]t\b|['’](?:d|ll)\b",
    re.IGNORECASE,
)
# A sign inside a sentence begins another clause or a quotation. A question asks; who puts a verdict into it need not give it. A
# number may be a mark (8/10) or a time (funny in 1972).
_SIGNS = re.compile(r"[,;:()\[\]?…\"“”`*/]|''|--|[–—]|\d|\s-\s|-[lr]rb-|\.\.|[.!]\s*\w|<", re.IGNORECASE)
_LONG = 15  # words


def judging_words(text: str) -> list[re.Match[str]]:
    """The places of the words that judge. One with a capital inside a sentence is part of a name, as in The Great Gatsby.

    >>> [found[0] for found in judging_words("A good film by the Great Director, and a whip-smart, BORING one.")]
    ['good', 'BORING']
    """
    return [found for found in _JUDGING.finditer(text) if not _in_name(text, found)]


def _in_name(text: str, found: re.Match[str]) -> bool:
    inside = text[max(found.start() - 2, 0) : found.start()]
    return found[0].istitle() and len(inside) == 2 and inside[1] == " " and (inside[0].isalnum() or inside[0] in ",;:'’")


def polarity_of(word: str) -> Polarity:
    """What one of `OPPOSITES` or `VERBS` says.

    >>> polarity_of("Boring")
    'blame'
    """
    return "praise" if word.lower() in _PRAISING else "blame"


def leaves_the_verdict(rest: str) -> bool:
    """Whether the rest of a text, all but its edited words, leaves the verdict to these: one clause, and no second judgement.

    False where the rest holds a word that judges, a second clause or sentence, a word of contrast (but, although, until, yet), a
    condition (if, unless, would), a denial (not, never, hardly), a comparison or a measure (too, more than, half), a question or
    a quotation; and of a long text, of which the lists may know too little. The joining words are modelled on the connectives of
    the Penn Discourse Treebank (Prasad et al. 2008, https://aclanthology.org/L08-1093); all lists were written for this purpose.

    >>> leaves_the_verdict("It was a … film."), leaves_the_verdict("I … it until it broke.")
    (False, False)
    """
    return not (judging_words(rest) or _NOT_ALONE.search(rest) or _SIGNS.search(rest) or len(rest.split()) > _LONG)
