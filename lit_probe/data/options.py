"""What a user can ask of every data set."""

from dataclasses import dataclass

from lit_probe.errors import DatasetError


@dataclass(frozen=True)
class DatasetOptions:
    """Options that every loader gets.

    Attributes:
      max_examples: at most this many rows per split, chosen by class and seed; 0 means all rows.
      seed: decides which rows are chosen and, where a source has no official split, which split a row goes to.
      text_column: the column of a table file (csv, tsv, jsonl) that holds the texts.
      label_column: the column of a table file that holds the labels.
      group_column: the column of a table file that names what must not be split across train and test (an author, a film,
        a pair), or None.
      missing: further words in the label column of a table that stand for no label.

    Raises:
      DatasetError: ``max_examples`` is negative or 1.

    >>> DatasetOptions(max_examples=1)
    Traceback (most recent call last):
    ...
    lit_probe.errors.DatasetError: max_examples is 1. Give at least two rows per split, or 0 for all rows.
    """

    max_examples: int = 5000
    seed: int = 0
    text_column: str = "text"
    label_column: str = "label"
    group_column: str | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_examples < 0 or self.max_examples == 1:
            raise DatasetError(f"max_examples is {self.max_examples}. Give at least two rows per split, or 0 for all rows.")
