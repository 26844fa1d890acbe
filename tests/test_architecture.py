"""The shape of the project as tests: who may import what, and that what is shipped is what is there."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# The flow. A module imports only what stands before it; a name stands for itself and everything inside it.
FLOW = (
    "errors",
    "registry",
    "examples",
    "datasets",
    "checkpoint",
    "leakage",
    "encoder",
    "pooling",
    "activations",
    "activation_cache",
    "probes",
    "intervals",
    "scored_rows",
    "metrics",
    "layerwise",
    "study",
    "layer_calls",
    "counterfactuals",
    "ablation",
    "erasure",
    "probe_forward",
    "salience",
    "word_swaps",
    "masked_words",
    "counterfactual_rules",
    "shortcuts",
    "small_classifier",
    "selftest",
    "salient_words",
    "remembered_forward",
    "judged_texts",
    "ranking_limits",
    "erased_words",
    "faithfulness",
    "token_alignment",
    "edits",
    "small_edits",
    "stability",
    "neuron_rankings",
    "layer_comparison",
    "control_task",
    "selectivity",
    "portions",
    "neuron_stability",
    "neuron_evaluation",
    "token_states",
    "neuron_evidence",
    "top_words",
    "neuron_clusters",
    "feed_forward",
    "neuron_factors",
    "neuron_report",
    "description_length",
    "learning_curve",
    "baselines",
    "calibration",
    "agreement",
    "transfer",
    "provenance",
    "battery",
    "figures",
    "lit.messages",
    "lit.fields",
    "layouts",
    "progress_bars",
    "lit",
    "notebook",
    "cli",
)

# Heavy libraries and the only modules that may import them.
DOORS = {
    "lit_nlp": ("lit", "layouts"),
    "transformers": ("encoder",),
    "captum": ("salience",),
    "safetensors": ("activation_cache", "probes"),
    "pandas": ("datasets", "lit.notebook"),
    "datasets": ("datasets",),
    "matplotlib": ("figures",),
    "datasketch": ("leakage",),
    "concept_erasure": ("erasure",),
    "waitress": ("lit",),
    "torch": (
        "encoder",
        "pooling",
        "activations",
        "layer_calls",
        "ablation",
        "erasure",
        "probe_forward",
        "salience",
        "shortcuts",
        "small_classifier",
        "selftest",
        "salient_words",
        "token_states",
        "feed_forward",
    ),
    "absl.flags": ("cli",),
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
    """Everything a file imports, inside functions too; not what it imports for type checkers only."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, place: str) -> bool:
    return name == place or name.startswith(place + ".")


def place_in_flow(name: str) -> int:
    return max((i for i, place in enumerate(FLOW) if within(name, place)), key=lambda i: len(FLOW[i]))


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
def test_a_module_imports_only_what_stands_before_it_in_the_flow(name):
    names = set(modules())
    here = place_in_flow(name)
    for imported in own_imports(modules()[name], names) - {""}:
        there = place_in_flow(imported)
        assert there < here or (there == here and FLOW[here].split(".")[0] == name.split(".")[0]), f"{name} imports {imported}"


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
            place_in_flow(name)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import lit_probe", ("lit_nlp", "matplotlib", "torch", "transformers", "pandas", "sklearn")),
        ("import lit_probe.study", ("lit_nlp", "matplotlib", "torch", "transformers", "pandas")),
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
