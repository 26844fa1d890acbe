"""What one file hands to another: frozen dataclasses, which are written as JSON and read back from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, ClassVar, Self, get_args, get_origin

import numpy as np

from lit_probe.errors import CacheError


class Result:
    """Base of frozen dataclasses that travel as JSON: every field under its own name, arrays and tuples as lists.

    Fields are finite numbers, texts, booleans, None, tuples, mappings, arrays of numbers and further results. Type every field
    as precisely as it is: that is how `from_json` finds its way back. A name that Python keeps for itself gets an underscore at
    its end, which the JSON does not have (``in_``).

    Attributes:
      omitted_if_none: fields that are left out of the JSON where they are None.
      in_place: fields that are results themselves, whose own fields stand in the JSON in their place.
    """

    omitted_if_none: ClassVar[tuple[str, ...]] = ()
    in_place: ClassVar[tuple[str, ...]] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, texts, lists and objects, in the order of the fields."""
        found: dict[str, Any] = {}
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if field.name in self.in_place:
                found |= as_json(value)
            elif value is not None or field.name not in self.omitted_if_none:
                found[_key(field.name)] = as_json(value)
        return found

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The result that was written; fields that were left out get their default.

        Raises:
          CacheError: it does not fit, as when another version wrote it.
        """
        from cattrs import BaseValidationError

        try:
            found: Self = _converter().structure(stored, cls)
        except (BaseValidationError, TypeError, ValueError) as error:
            raise CacheError(f"The stored result is no {cls.__name__}: {error}") from error
        return found


def as_json(value: Any) -> Any:
    """The value in JSON's own kinds.

    >>> as_json({"scores": np.array([0.5, 1.0]), "layers": (1, 2)})
    {'scores': [0.5, 1.0], 'layers': [1, 2]}
    """
    match value:
        case Result():
            return value.to_json()
        case Mapping():
            return {name: as_json(one) for name, one in value.items()}
        case list() | tuple():
            return [as_json(one) for one in value]
        case np.ndarray() | np.generic():
            return value.tolist()
    return value


def _key(field: str) -> str:
    return field.removesuffix("_")


@cache
def _converter() -> Any:
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, override
    from cattrs.strategies import configure_union_passthrough

    def is_result(kind: Any) -> bool:
        return isinstance(kind, type) and issubclass(kind, Result)

    def of_fields(kind: Any) -> Any:
        keys = {field.name: override(rename=_key(field.name)) for field in fields(kind)}
        structure = make_dict_structure_fn(kind, converter, **keys)
        # What belongs to an inner result lies among the outer one's own; each takes what it knows.
        return lambda stored, _: structure({**stored, **dict.fromkeys(kind.in_place, stored)}, kind)

    def is_array(kind: Any) -> bool:
        return get_origin(kind) is np.ndarray

    def array(stored: Any, kind: Any) -> Any:
        (dtype,) = get_args(get_args(kind)[1])
        if not isinstance(stored, list):
            raise TypeError(f"{stored!r} is no list of numbers")
        return np.array(stored, dtype=dtype)

    def plain(stored: Any, kind: Any) -> Any:
        # A whole number may stand for a float, and nothing else for anything: "3" is no number, and 1.5 no count.
        if type(stored) is not kind and not (kind is float and type(stored) is int):
            raise TypeError(f"{stored!r} is no {kind.__name__}")
        return kind(stored)

    converter = Converter(prefer_attrib_converters=False)
    for kind in (bool, int, float, str):
        converter.register_structure_hook(kind, plain)
    converter.register_structure_hook_func(is_array, array)
    converter.register_structure_hook_factory(is_result, of_fields)
    configure_union_passthrough(bool | int | float | str | None, converter)
    return converter
