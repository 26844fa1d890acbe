"""The border to LIT: its models, interpreters, generators and server, as far as they are ours.

A program with a LIT server of its own takes from here what `_PUBLIC` names. They are looked up at first use, since LIT takes a
second to load.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lit_probe.lit.plugin import ProbeModel as ProbeModel
    from lit_probe.lit.plugin import attach as attach
    from lit_probe.lit.plugin import layouts as layouts
    from lit_probe.lit.server.serving import serve as serve

# `interpreters` is the folder of that name, which can be called.
_PUBLIC = {"ProbeModel": "plugin", "attach": "plugin", "interpreters": "", "layouts": "plugin", "serve": "server.serving"}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not _PUBLIC[name]:
        return import_module(f"{__name__}.{name}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return __all__
