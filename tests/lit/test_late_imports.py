"""What LIT imports and our server hardly uses is imported when somebody asks for it, once, and is then the real thing."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from lit_probe.lit.late_imports import import_late

SLOW = ("numba", "matplotlib", "nltk", "pynndescent", "shap.explainers")


def printed(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_lit_is_imported_without_them_and_finds_them_where_it_asks():
    code = f"""
from lit_probe.lit.late_imports import import_late
import_late()
import inspect, sys
from importlib.util import find_spec
from lit_probe.lit import app
from lit_nlp.components import core
inspect.getmodule(import_late)
assert core._SHAP_AVAILABLE and core._UMAP_AVAILABLE and find_spec("umap")
print([name for name in {SLOW!r} if name in sys.modules])
fitted = core.umap.UmapModel(n_components=2)
from umap import UMAP
import umap
assert type(fitted._umap) is UMAP is umap.UMAP is core.umap.umap.UMAP
print("numba" in sys.modules)
"""
    assert printed(code).splitlines() == ["[]", "True"]


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that says how often it was imported, by its name."""
    name = "asked_for_late"
    (tmp_path / f"{name}.py").write_text("import time, counted_imports\ncounted_imports.n += 1\ntime.sleep(0.2)\nanswer = 42\n")
    (tmp_path / "counted_imports.py").write_text("n = 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    for one in (name, "counted_imports"):
        sys.modules.pop(one, None)


def test_several_threads_that_ask_first_import_it_once(module):
    import_late([module])
    late, heard = __import__(module), []
    assert "counted_imports" not in sys.modules
    assert not hasattr(late, "__wrapped__") and "counted_imports" not in sys.modules
    threads = [threading.Thread(target=lambda: heard.append(late.answer)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [42] * 8 and sys.modules["counted_imports"].n == 1
    assert sys.modules[module] is not late and __import__(module).answer == late.answer
    with pytest.raises(AttributeError):
        _ = late.nothing


def test_what_cannot_be_imported_says_so_each_time_it_is_asked(module, tmp_path):
    (tmp_path / f"{module}.py").write_text("raise RuntimeError('broken')\n")
    import_late([module])
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            _ = __import__(module).answer


def test_what_is_there_stays_and_what_is_absent_stays_absent():
    before = sys.modules["threading"]
    import_late(["threading", "no_such_package", "no_such_package.part"])
    assert sys.modules["threading"] is before
    with pytest.raises(ModuleNotFoundError):
        __import__("no_such_package")
