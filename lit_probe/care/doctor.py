"""``lit-probe doctor``: what an installation needs and has, a line each, and what to do about the rest.

Nothing is fetched, loaded or written, but for a file that is made in the cache folder and taken away at once.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lit_probe.care.kept_entries import GB, kept_entries, opened, size_text
from lit_probe.encoder.cache_key import key_file, read_key
from lit_probe.errors import CacheError, LitProbeError
from lit_probe.results import Result

OK, WARNING, MISSING = "ok", "warning", "missing"
# As in pyproject.toml.
OLDEST_PYTHON, TOO_NEW_PYTHON = (3, 11), (3, 13)
_FREE_BYTES = 2 * GB
_CLIENT = Path(__file__).parent.parent / "client"
_ASSETS = Path(__file__).parent.parent / "lit" / "server" / "assets"
_FONTS = ("fonts.css", "material-icons.woff2", "material-icons-outlined.woff2")
_IMPORTED = re.compile(r"(?:from|new URL\(|import)\s*\(?'(\.{1,2}/[^']+\.js)'")


@dataclass(frozen=True)
class Finding(Result):
    """What was found out about one thing.

    Attributes:
      about: the thing.
      state: ``ok``; ``warning`` where something works less well or will be in the way; ``missing`` where it does not work.
      says: what was found.
      advice: what to do; empty where nothing is to be done.
    """

    about: str
    state: str
    says: str
    advice: str = ""


@dataclass(frozen=True)
class Asked:
    """What is examined.

    Attributes:
      cache: the cache folder; None where nothing is kept.
      shared: whether others may write to it.
      models: what ``--model`` names.
      revision: of the models on the hub.
      host: the address that ``serve`` would listen on.
      port: its port.
      token: what it would ask for; None for nothing.
    """

    cache: Path | None
    shared: bool
    models: tuple[str, ...]
    revision: str | None
    host: str
    port: int
    token: str | None = None


def examine(asked: Asked) -> list[Finding]:
    """Everything that `doctor` looks at, in the order in which it is needed."""
    return [
        python(),
        *versions(),
        compiler(),
        *cache(asked.cache, asked.shared),
        cache_key(),
        *(model(name, asked.revision) for name in asked.models),
        *browser_files(),
        port(asked.host, asked.port, asked.token),
        gpu(),
    ]


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing is missing."""
    return all(one.state != MISSING for one in findings)


def findings_table(findings: Sequence[Finding]) -> str:
    """One line for each."""
    width = max(len(one.about) for one in findings)
    lines = [f"{one.state:<7}  {one.about:<{width}}  {one.says}" + (f" {one.advice}" if one.advice else "") for one in findings]
    n_missing = sum(one.state == MISSING for one in findings)
    return "\n".join([*lines, "", "All that is needed is there." if not n_missing else f"{n_missing} of these must be mended."])


def python() -> Finding:
    """The version of Python."""
    found, supported = sys.version.split()[0], OLDEST_PYTHON <= sys.version_info[:2] < TOO_NEW_PYTHON
    advice = "" if supported else "Make the environment anew with Python 3.11 or 3.12."
    return Finding("Python", OK if supported else MISSING, f"{found}.", advice)


def versions() -> list[Finding]:
    """The libraries, in one line where all are there; those of extras are named, and not missed."""
    from packaging.requirements import Requirement

    try:
        own, required = metadata.version("lit-probe"), metadata.requires("lit-probe") or []
    except metadata.PackageNotFoundError:
        return [
            Finding("lit-probe", MISSING, "is not installed.", "Run pip install lit-probe, or pip install -e . in its folder.")
        ]
    wanted = [Requirement(one) for one in required]
    needed = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = []
    for one in needed:
        found = _version(one.name)
        if found is None:
            wrong.append(Finding(one.name, MISSING, "is not installed.", f"Run pip install '{one.name}{one.specifier}'."))
        elif not one.specifier.contains(found, prereleases=True):
            says = f"{found} is installed, and {one.specifier} is needed."
            wrong.append(Finding(one.name, MISSING, says, f"Run pip install '{one.name}{one.specifier}'."))
    extras = {
        extra: [one for one in wanted if one not in needed and one.marker and one.marker.evaluate({"extra": extra})]
        for extra in metadata.metadata("lit-probe").get_all("Provides-Extra") or []
        if extra != "test"
    }
    there = [extra for extra, ones in extras.items() if all(_version(one.name) for one in ones)]
    others = ", ".join(extra for extra in extras if extra not in there)
    says = f"{own}, with {len(needed) - len(wrong)} of {len(needed)} libraries; extras: {', '.join(there) or 'none'}"
    return [Finding("lit-probe", OK, f"{says}, without {others}." if others else f"{says}."), *wrong]


def compiler() -> Finding:
    """A C++ compiler and Python's headers, which LIT's library annoy is compiled with when it is installed."""
    found = next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), None)
    headers = Path(sysconfig.get_paths()["include"], "Python.h").is_file()
    if found and headers:
        return Finding("compiler", OK, f"{found}, with Python's headers.")
    lacks = " and ".join([*([] if found else ["C++ compiler"]), *([] if headers else ["headers of Python"])])
    if importlib.util.find_spec("annoy") is not None:
        return Finding("compiler", OK, f"no {lacks}; what had to be compiled is installed.")
    advice = "Debian: apt-get install g++ python3-dev; macOS: xcode-select --install. Then install lit-probe again."
    return Finding("compiler", MISSING, f"no {lacks}, and annoy, which LIT needs, is not installed.", advice)


def cache(folder: Path | None, shared: bool) -> list[Finding]:
    """The folder with its rights and size, and the room that is left."""
    if folder is None:
        return [Finding("cache", WARNING, "nothing is kept, so everything is computed anew.", "Name a folder with --cache_dir.")]
    try:
        root = opened(folder, shared=shared)
        place = root or next(one for one in folder.absolute().parents if one.is_dir())
        with tempfile.TemporaryFile(dir=place):
            pass
        size = sum(one.n_bytes for one in kept_entries(root)) if root else 0
        free = shutil.disk_usage(place).free
        mode = f"rights {stat.S_IMODE(root.stat().st_mode):04o}" if root else "is made at first use"
    except LitProbeError as error:
        return [Finding("cache", MISSING, str(error).replace("the option ", "--"))]
    except OSError as error:
        says = f"{folder} cannot be written ({error.strerror}), so everything is computed anew."
        return [Finding("cache", WARNING, says, "Name another folder with --cache_dir.")]
    advice = "lit-probe cache prune --max_size=5 makes room." if free < _FREE_BYTES else ""
    says = f"{root or folder}, {mode}, {size_text(size)}, {size_text(free)} free."
    return [Finding("cache", WARNING if advice else OK, says, advice)]


def cache_key() -> Finding:
    """The key by which entries are known to be the user's own."""
    file = key_file()
    try:
        read_key(file)
    except CacheError as error:
        return Finding("cache key", WARNING, f"{file}: {error}, so nothing kept is believed.", "Remove the file.")
    except FileNotFoundError:
        above = next(one for one in file.parents if one.is_dir())
        if os.access(above, os.W_OK):
            return Finding("cache key", OK, f"{file} is made at first use.")
        advice = "Let XDG_CONFIG_HOME name a folder that you can write to."
        return Finding("cache key", WARNING, f"{above} cannot be written, so nothing kept is believed later.", advice)
    except OSError as error:
        return Finding("cache key", WARNING, f"{file} cannot be read ({error.strerror}), so nothing kept is believed.")
    return Finding("cache key", OK, f"{file}.")


def model(name: str, revision: str | None) -> Finding:
    """Whether a model's files are here and complete. Those of the hub are not fetched."""
    from lit_probe.encoder.checkpoint import find_checkpoint, is_here
    from lit_probe.encoder.gguf_files import gguf_file

    about = f"model {name}"
    try:
        if (file := gguf_file(name)) is not None:
            return Finding(about, OK, f"{file} ({size_text(file.stat().st_size)}), which is converted at first use.")
        if not is_here(name, revision):
            return Finding(
                about, WARNING, "is not here.", "It is fetched from the Hugging Face hub at first use: that needs a network."
            )
        # Whether it may run code of its own is asked when it is loaded.
        found = find_checkpoint(name, revision, trust_remote_code=True)
    except (LitProbeError, OSError) as error:
        return Finding(about, MISSING, str(error))
    size = sum(file.stat().st_size for file in found.weight_files)
    return Finding(about, OK, f"{found.n_layers} layers, {size_text(size)} of weights in {found.folder}.")


def browser_files() -> list[Finding]:
    """What the page consists of: LIT's bundle, our panels with all that they import, and fonts."""
    found = []
    lit = importlib.util.find_spec("lit_nlp")
    places = [] if lit is None else [Path(one, "client/build/default/main.js") for one in lit.submodule_search_locations or ()]
    if any(_holds_something(place) for place in places):
        found.append(Finding("LIT's page", OK, "its bundle is there."))
    else:
        found.append(
            Finding("LIT's page", MISSING, "its bundle is not there.", "Run pip install --force-reinstall lit-nlp==1.3.1.")
        )
    needed = _client_files() | {_ASSETS / name for name in _FONTS}
    lost = sorted(path.name for path in needed if not _holds_something(path))
    if lost:
        says = f"{len(lost)} files are missing or empty: {', '.join(lost[:5])}{' …' if lost[5:] else ''}."
        found.append(Finding("our panels", MISSING, says, "Run pip install --force-reinstall --no-deps lit-probe."))
    else:
        found.append(Finding("our panels", OK, f"{len(needed)} files are there."))
    return found


def port(host: str, number: int, token: str | None = None) -> Finding:
    """Whether ``serve`` can listen there, and would."""
    about = f"port {number}"
    check: Callable[[str, int], None]
    try:
        from lit_probe.lit.server.access import check_reach, chosen_token
        from lit_probe.lit.server.serving import check_address as check
    except ImportError as error:
        return Finding(about, MISSING, f"{error}.", "Install lit-probe again.")
    try:
        check_reach(host, chosen_token(token))
    except LitProbeError as error:
        return Finding(about, MISSING, str(error))
    try:
        check(host, number)
    except LitProbeError as error:
        return Finding(about, WARNING, str(error))
    return Finding(about, OK, f"{host} is free to listen on.")


def gpu() -> Finding:
    """The graphics processors that torch sees."""
    from lit_probe.encoder.devices import cuda_devices

    try:
        found = cuda_devices()
    except (ImportError, OSError, RuntimeError) as error:
        return Finding("GPU", WARNING, f"torch cannot be asked: {error}.", "Install torch again.")
    return Finding("GPU", OK, f"{', '.join(found)}." if found else "none that torch can use; everything is computed on the CPU.")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _holds_something(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _client_files() -> set[Path]:
    """What the page names by itself, and what these modules import."""
    return _imported_from(_CLIENT / "index.js") | {_CLIENT / "page/before_lit.js"}


def _imported_from(first: Path) -> set[Path]:
    """A module and all that it imports, whether it is there or not."""
    found, waiting = {first}, [first]
    while waiting:
        module = waiting.pop()
        if not module.is_file():
            continue
        for name in _IMPORTED.findall(module.read_text("utf-8")):
            path = (module.parent / name).resolve()
            if path not in found:
                found.add(path)
                waiting.append(path)
    return found
