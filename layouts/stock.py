"""LIT's own layouts without its Scalars and Dive panels, under their own names so that they replace them."""

from collections.abc import Mapping, Sequence

import attr
from lit_nlp.api.layout import DEFAULT_LAYOUTS, LitCanonicalLayout, LitModuleName, ModuleConfig

_LEFT_OUT = frozenset({LitModuleName.ScalarModule, LitModuleName.DiveModule})


def _thinned(
    tabs: Mapping[str, Sequence[str | LitModuleName | ModuleConfig]],
) -> dict[str, list[str | LitModuleName | ModuleConfig]]:
    kept = {name: [panel for panel in panels if _name(panel) not in _LEFT_OUT] for name, panels in tabs.items()}
    return {name: panels for name, panels in kept.items() if panels}


def _name(panel: str | LitModuleName | ModuleConfig) -> str | LitModuleName:
    if isinstance(panel, ModuleConfig):
        return LitModuleName(panel.module)
    return panel


STOCK: dict[str, LitCanonicalLayout] = {
    name: attr.evolve(layout, upper=_thinned(layout.upper), lower=_thinned(layout.lower), left=_thinned(layout.left))
    for name, layout in DEFAULT_LAYOUTS.items()
}
