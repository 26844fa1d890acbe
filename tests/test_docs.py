"""The documentation as tests: links lead somewhere, tables are complete, the README's Python and commands run."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lit_probe import cli
from lit_probe.data import DATASETS
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.sites import FAMILIES
from lit_probe.flags import COMMANDS
from lit_probe.probing.probes import PROBES
from lit_probe.salience import SALIENCE_METHODS

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "benchmarks/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def words_in_code(page: Path) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", page.read_text("utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_local_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_names_every_data_set_probe_and_pooling():
    named = words_in_code(ROOT / "README.md")
    assert set(DATASETS) <= named
    assert {f"--probe={name}" for name in PROBES} - {"--probe=logistic"} <= named
    assert set(POOLINGS) <= words_in_code(ROOT / "docs/glossary.md")


def test_every_flag_in_the_docs_exists():
    for page in PAGES:
        for name in re.findall(r"(?<![\w-])--([a-z]+(?:_[a-z]+)*)(?==|`|\s)", page.read_text("utf-8")):
            foreign = {"threads", "workers", "editable", "constraint", "test", "config", "nodes", "time", "tiny"}
            assert name in cli.FLAGS or name in foreign, f"{page.name} names --{name}"


def test_the_readmes_commands_parse():
    commands = re.findall(r"^\.venv/bin/lit-probe (.*)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert len(commands) >= 4
    pages = [(ROOT / "docs" / name).read_text("utf-8") for name in ("activations.md", "sites.md", "kept-probes.md", "words.md")]
    others = [re.findall(r"^lit-probe (.*)$", page.replace("\\\n", " "), re.MULTILINE) for page in pages]
    assert [len(one) for one in others[:2]] == [4, 7] and all(others[2:])
    for command in itertools.chain(commands, *others):
        cli.FLAGS.unparse_flags()
        assert cli.parse(["lit-probe", *shlex.split(command)])[0] in COMMANDS


def test_the_readmes_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    for page in PAGES:
        for target in re.findall(r"\bmake ([a-z]+)\b(?=\s+#|`)", page.read_text("utf-8")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{page.name} names make {target}"


def test_the_readmes_python_runs(tiny_folder):
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    code = code.replace("sentence-transformers/all-MiniLM-L6-v2", str(tiny_folder()))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "chosen on dev" in done.stdout


def test_the_page_on_sites_names_every_family_and_its_python_runs(tiny_folder):
    page = (ROOT / "docs/sites.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(FAMILIES)
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    code = code.replace("sentence-transformers/all-MiniLM-L6-v2", str(tiny_folder()))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "\nattention 1 32\n" in done.stdout
    assert re.search(r"  mlp 3( |$)", done.stdout, re.MULTILINE)


def test_the_python_of_the_page_on_kept_probes_runs(tiny_folder, tmp_path, monkeypatch, capsys):
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/kept-probes.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(code.replace("sentence-transformers/all-MiniLM-L6-v2", str(tiny_folder())), {})
    assert capsys.readouterr().out.startswith("logistic probes of tiny-bert trained on demo ")
    assert [path.name for path in tmp_path.iterdir()] == ["probes.safetensors"]


def test_the_page_on_salience_describes_every_method():
    page = (ROOT / "docs/salience.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| (yes|no) \|", page, flags=re.MULTILINE)
    assert rows == [(method.title, "yes" if method.signed else "no") for method in SALIENCE_METHODS.values()]


# The pages on how to add something name files that the reader is to make.
@pytest.mark.parametrize("page", [page for page in PAGES if not page.name.startswith("add-a")], ids=lambda page: page.name)
def test_every_file_and_folder_that_a_page_names_is_there(page):
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    there = {f"/{path}" for path in tracked} | {f"/{folder}/" for path in tracked for folder in map(str, Path(path).parents)}
    for name in words_in_code(page):
        if re.fullmatch(r"[\w./-]*[\w-]+\.(py|js|mjs|toml|ipynb)|[\w-][\w/-]*/", name):
            assert any(path.endswith(f"/{name}") for path in there), f"{page.name} names {name}"


def test_the_way_in_names_every_folder_and_every_page_that_adds_something():
    page = (ROOT / "docs/index.md").read_text("utf-8")
    for folder in sorted({path.parent for path in (ROOT / "lit_probe").glob("*/*.py") if not path.parent.is_symlink()}):
        assert f"`lit_probe/{folder.name}/`" in page
        for inner in sorted(path.parent.name for path in folder.glob("*/__init__.py")):
            assert f"`{inner}/`" in page, f"{folder.name}/{inner}"
    for path in (ROOT / "docs").glob("add-a*.md"):
        assert f"({path.name})" in page


def test_the_ten_files_to_read_first_are_as_long_as_they_are_said_to_be():
    page = (ROOT / "docs/index.md").read_text("utf-8")
    files = re.findall(r"^\d+\. \[`[^`]+`\]\(\.\./([^)]+)\)", page, re.MULTILINE)
    n_lines = sum(len((ROOT / file).read_text("utf-8").splitlines()) for file in files)
    [said] = re.findall(r"Ten files, about ([\d,]+) lines", page)
    assert len(files) == 10 and abs(n_lines - int(said.replace(",", ""))) <= 150, n_lines


def test_each_promise_of_security_names_a_test_that_exists():
    page = (ROOT / "docs/security.md").read_text("utf-8")
    rows = page.partition("## What is promised")[2].partition("\n## ")[0].splitlines()
    promises = [row for row in rows if row.startswith("| ") and not row.startswith("| promise")]
    assert len(promises) >= 15
    for row in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert named, f"no test holds: {row}"
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text("utf-8"), f"{file} has no {test}"
