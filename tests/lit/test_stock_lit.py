"""The page of stock LIT's components says of each what is seen when it runs on a model of ours."""

from __future__ import annotations

import importlib.util

import pytest
from stock_components import NOT, WITH_TOKEN_FIELDS, WORKS, Reviews, StockServer, registered, stock_model, told


@pytest.fixture(scope="module")
def servers(tiny_folder) -> dict[bool, StockServer]:
    """Without and with token fields."""
    return {fields: StockServer(stock_model(tiny_folder(), fields), Reviews()) for fields in (False, True)}


@pytest.mark.parametrize("kind", ["interpreters", "generators", "metrics"])
def test_the_page_says_of_every_stock_component_whether_it_works(servers, kind):
    page = told(kind.capitalize())
    assert list(page) == registered()[kind], "LIT has other components now"
    found = {}
    for name in page:
        if name == "umap" and importlib.util.find_spec("umap") is None:
            found[name] = page[name]  # nothing to be seen where it is not installed
        elif servers[False].works(kind, name):
            assert servers[True].works(kind, name), name
            found[name] = WORKS
        else:
            found[name] = WITH_TOKEN_FIELDS if servers[True].works(kind, name) else NOT
    assert page == found
