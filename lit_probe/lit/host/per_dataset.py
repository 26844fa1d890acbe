"""What is kept for each LIT model on each data set, as long as both are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from lit_nlp.api import dataset as lit_dataset
from lit_nlp.api import model as lit_model

from lit_probe.once import once_per_object

T = TypeVar("T")


def per_dataset(make: Callable[[], T]) -> Callable[[lit_model.Model], Callable[[lit_dataset.Dataset], T]]:
    """``of(model)(dataset)``: what ``make`` gives, made once, and forgotten with the model or the data set.

    So no name that a browser sends decides how much is kept, and a model that takes another one's name has things of its own.
    """

    def of_model(model: lit_model.Model) -> Callable[[lit_dataset.Dataset], T]:
        return once_per_object(lambda dataset: make())

    return once_per_object(of_model)
