"""The shape of the project as tests: who may import what, and that what is shipped is what is there."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# The flow, folder by folder: each imports only what stands in a line before its own. What shares a line stands side by side.
FLOW = (
    ("errors",),
    ("brackets", "registry", "once", "progress", "results", "figures"),
    ("data",),
    ("scores",),
    ("encoder",),
    ("probing",),
    ("checks", "salience", "neurons", "counterfactuals", "views"),
    ("report",),
    ("lit.host",),
    ("lit.generators", "lit.interpreters"),
    ("layouts", "lit.server"),
    ("lit",),
    ("care",),
    ("flags", "notebook"),
    ("cli",),
)

# Heavy libraries and the only places that may import them.
DOORS = {
    "lit_nlp": ("lit", "layouts"),
    "transformers": ("encoder.loading",),
    "captum": ("salience",),
    "safetensors": ("encoder.cache", "encoder.activation_files", "encoder.weight_shapes", "probing.probes", "probing.probe_file"),
    "pandas": ("data", "lit.notebook"),
    "datasets": ("data",),
    "matplotlib": ("figures",),
    "concept_erasure": ("neurons.effects.erasure",),
    "openTSNE": ("views",),
    "umap": ("views",),
    "ray": ("encoder.ray_extraction",),
    "waitress": ("lit.server",),
    "torch": ("encoder", "probing.layer_states", "probing.probe_forward", "salience", "neurons.effects"),
    "absl.flags": ("flags",),
    "cattrs": ("results",),
}


def modules() -> dict[str, Path]:
    """Dotted names inside lit_probe, and their files."""
    found = {}
    for package, folder in (("", ROOT / "lit_probe"), ("layouts", ROOT / "layouts")):
        for path in sorted(folder.rglob("*.py")):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            found[".".join(part for part in parts if part and part != "__init__")] = path
    return found


def imports(path: Path) -> set[str]:
    """Everything a file imports, inside functions and for type checkers too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, place: str) -> bool:
    return name == place or name.startswith(place + ".")


def folder(name: str) -> tuple[int, str]:
    """The line of a module's folder in the flow, and the folder."""
    places = [(line, place) for line, places in enumerate(FLOW) for place in places if within(name, place)]
    return max(places, key=lambda found: len(found[1]))


def own_imports(path: Path, names: set[str]) -> set[str]:
    """The lit_probe modules a file imports."""
    found = set()
    for imported in imports(path):
        if within(imported, "lit_probe"):
            inside = imported.removeprefix("lit_probe").removeprefix(".")
            while inside and inside not in names:
                inside = inside.rpartition(".")[0]
            found.add(inside)
    return found


@pytest.mark.parametrize("name", [name for name in modules() if name])
def test_a_module_imports_only_from_folders_that_stand_before_its_own(name):
    line, own = folder(name)
    for imported in own_imports(modules()[name], set(modules())) - {""}:
        there, place = folder(imported)
        assert there < line or place == own, f"{name} imports {imported}"


def test_the_import_graph_has_no_cycle():
    names = set(modules())
    graph = {name: own_imports(path, names) - {name} for name, path in modules().items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        if name not in done:
            for imported in graph[name]:
                visit(imported, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("library", DOORS)
def test_a_heavy_library_enters_by_its_named_door(library):
    for name, path in modules().items():
        if any(within(imported, library) for imported in imports(path)):
            assert any(within(name, door) for door in DOORS[library]), f"{name} imports {library}"


def test_every_module_has_its_place_in_the_flow():
    for name in modules():
        if name:
            folder(name)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import lit_probe", ("lit_nlp", "matplotlib", "torch", "transformers", "pandas", "sklearn")),
        ("import lit_probe.probing.study", ("lit_nlp", "matplotlib", "torch", "transformers", "pandas")),
        ("import lit_probe.cli", ("lit_nlp", "matplotlib", "torch", "transformers", "pandas")),
    ],
)
def test_importing_loads_no_more_than_it_must(code, absent):
    command = f"{code}; import sys; print([name for name in {absent!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True, cwd="/").stdout
    assert printed.strip() == "[]"


def test_public_names_are_all_there():
    import lit_probe

    for name in lit_probe.__all__:
        assert getattr(lit_probe, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = lit_probe.nonsense


def test_the_packages_listed_for_the_wheel_are_those_in_the_tree():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {f"lit_probe.{name}".rstrip(".") for name, path in modules().items() if path.name == "__init__.py"}
    assert set(listed) == there


def test_versions_agree():
    import lit_probe

    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == lit_probe.__version__
