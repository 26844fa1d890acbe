"""The names of `lit_probe` itself: each is what it says, whatever else has been imported before."""

from importlib import import_module
from types import ModuleType

import lit_probe


def test_no_public_name_is_hidden_by_a_module_of_that_name():
    for name in lit_probe._PUBLIC:
        import_module(f"lit_probe.{lit_probe._PUBLIC[name]}")
        assert not isinstance(getattr(lit_probe, name), ModuleType), name
