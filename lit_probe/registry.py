"""One lookup for every registry, and one for layers: the same words for every unknown name; titles in sentences."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from lit_probe.errors import UnknownNameError

T = TypeVar("T")


def check_layer(layer: int, n_layers: int, name: str, layer_names: Sequence[str] | None = None) -> None:
    """That there is such a layer.

    Args:
      layer: the number that was asked for.
      n_layers: the number of layers, the embeddings included.
      name: the encoder's, for the message.
      layer_names: ``[n_layers]`` what the layers are called where their numbers alone do not say which they are.

    Raises:
      UnknownNameError: there is none; the message says which ones there are.
    """
    if not 0 <= layer < n_layers and layer_names is not None:
        last = n_layers - 1
        raise UnknownNameError(f"Unknown layer {layer}. {name} is read at 0 ({layer_names[0]}) to {last} ({layer_names[last]}).")
    if not 0 <= layer < n_layers:
        raise UnknownNameError(f"Unknown layer {layer}. {name} has layers 0 (embeddings) to {n_layers - 1}.")


def lookup(registry: Mapping[str, T], name: str, what: str) -> T:
    """Returns ``registry[name]``.

    Args:
      registry: names to entries, in reading order.
      name: the name that was asked for.
      what: the noun for the message, such as ``"pooling"``.

    Raises:
      UnknownNameError: names the allowed choices in alphabetical order.

    >>> lookup({"mean": 1, "cls": 2}, "avg", "pooling")
    Traceback (most recent call last):
    ...
    lit_probe.errors.UnknownNameError: Unknown pooling 'avg'. Choose one of: cls, mean.
    """
    try:
        return registry[name]
    except KeyError:
        choices = ", ".join(sorted(registry))
        raise UnknownNameError(f"Unknown {what} {name!r}. Choose one of: {choices}.") from None


def within_sentence(title: str) -> str:
    """A title in the middle of a sentence; abbreviations stay as they are.

    >>> within_sentence("Bag of words"), within_sentence("TF-IDF"), within_sentence("R²")
    ('bag of words', 'TF-IDF', 'R²')
    """
    return title if title[:2].isupper() else title[:1].lower() + title[1:]
