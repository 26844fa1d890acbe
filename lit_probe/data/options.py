"""What a user can ask of a data set."""

from dataclasses import dataclass, fields

from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.data.seeds import checked_seed
from lit_probe.errors import DatasetError
from lit_probe.registry import lookup

AUTO = "auto"
TARGETS = (AUTO, CLASSES, NUMBER)
"""What the labels of a data set can be taken as; ``auto`` looks at them."""

TABLE_OPTIONS = ("text_column", "label_column", "group_column", "missing", "target", "annotate", "multilabel")
"""The options of a table with named columns."""

WORD_OPTIONS = ("label_column", "missing", "max_words", "annotate")
"""The options of a file of words with tags."""

LIST_OPTIONS = (*TABLE_OPTIONS, "max_words")
"""The options of a table whose columns may hold lists, of words and of their tags."""

HUB_OPTIONS = (*LIST_OPTIONS, "data_config", "data_revision")
"""The options of a data set that the library ``datasets`` reads."""

TEXT_OPTIONS = ("annotate",)
"""The options of a data set of texts that knows its own columns."""

_EVERYWHERE = ("max_examples", "seed")


@dataclass(frozen=True)
class DatasetOptions:
    """Options of one data set. Every source uses the first two; which of the others it uses stands beside it in ``DATASETS``.

    Attributes:
      max_examples: at most this many rows per split, chosen by class and seed; 0 means all rows.
      seed: decides which rows are chosen and, where a source has no official split, which split a row goes to.
      text_column: the column of a table that holds the texts; or two columns that make pairs, ``"premise,hypothesis"``, with
        a plus sign in place of the comma, or as two strings. A column that is called so itself goes before.
      label_column: the column of a table that holds the labels.
      group_column: the column of a table that names what must not be split across train and test (an author, a film,
        a pair), or None.
      target: what the labels are: ``"classes"``, or a ``"number"``. ``"auto"`` takes them as classes, unless all of them are
        numbers and there are fewer than three rows for each.
      missing: further words in the label column of a table that stand for no label.
      data_config: which of its configs (also called subsets) is meant, where a data set of the hub has several.
      data_revision: the branch, tag or commit of a data set of the hub; None is its main branch.
      max_words: at most this many words of train, as whole sentences with the tags in proportion, where rows are words; 0 means
        all. Dev and test keep all of theirs, and ``max_examples`` says nothing of words.
      annotate: a rule that is asked of each word in place of the labels, ``"regex:PATTERN"`` or ``"words:FILE"``, with
        ``"balanced:"`` before it where yes and no are to be equally frequent; see ``annotate``.
      multilabel: whether a label may have several values, parted by ``|`` or in a list, each of which is asked for by itself.

    Raises:
      DatasetError: ``max_examples`` is negative or 1, or ``max_words`` is negative.
      UnknownNameError: there is no such target.

    >>> DatasetOptions(max_examples=1)
    Traceback (most recent call last):
    ...
    lit_probe.errors.DatasetError: max_examples is 1. Give at least two rows per split, or 0 for all rows.
    """

    max_examples: int = 5000
    seed: int = 0
    text_column: str | tuple[str, str] = "text"
    label_column: str = "label"
    group_column: str | None = None
    missing: tuple[str, ...] = ()
    target: str = AUTO
    data_config: str | None = None
    data_revision: str | None = None
    max_words: int = 20_000
    annotate: str | None = None
    multilabel: bool = False

    def __post_init__(self) -> None:
        lookup(dict.fromkeys(TARGETS), self.target, "target")
        object.__setattr__(self, "seed", checked_seed(self.seed))
        if self.max_examples < 0 or self.max_examples == 1:
            raise DatasetError(f"max_examples is {self.max_examples}. Give at least two rows per split, or 0 for all rows.")
        if self.max_words < 0:
            raise DatasetError(f"max_words is {self.max_words}. Give a number of words of train, or 0 for all.")

    def given(self) -> list[str]:
        """The options that are not as usual, and that some sources do not use.

        >>> DatasetOptions(seed=1, label_column="stars", data_config="sst2").given()
        ['label_column', 'data_config']
        """
        own = [field for field in fields(self) if field.name not in _EVERYWHERE]
        return [field.name for field in own if getattr(self, field.name) != field.default]


def word_in_brackets(option: str) -> str:
    """What an option is called in the brackets after a data set.

    >>> [word_in_brackets(option) for option in HUB_OPTIONS]
    ['text', 'label', 'group', 'missing', 'target', 'annotate', 'multilabel', 'max_words', 'config', 'revision']
    """
    return option.removesuffix("_column").removeprefix("data_")
