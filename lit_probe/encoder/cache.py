"""Results on disk, keyed by the content of everything that decided them.

A second identical run makes no forward pass and no fit. Every entry is written under another name and then moved into place,
signed with the user's own key (`encoder/cache_entries`); anything torn, foreign, changed or planted is no entry: it is reported
and computed again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import asdict, dataclass, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

import numpy as np
import platformdirs
from absl import logging
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lit_probe.data.asked import TEXT, WORD
from lit_probe.encoder.activations import (
    Activations,
    Block,
    Rows,
    check_pooling,
    default_pooling,
    extract_block,
    split_rows,
)
from lit_probe.encoder.ahead import made_ahead
from lit_probe.encoder.cache_entries import UnsignedError, verify, write
from lit_probe.encoder.cache_files import check_closed, sweep
from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.encoder import Encoder
from lit_probe.encoder.joining import Spans, unread_words
from lit_probe.encoder.site_search import SITES_MADE_BY, sites_of
from lit_probe.encoder.sites import Site
from lit_probe.errors import CacheError, LitProbeError
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result

T = TypeVar("T")
R = TypeVar("R", bound=Result)

CACHE_DTYPES = (FLOAT32, "bfloat16")
# By the name of a dtype in a safetensors file. NumPy has no bfloat16, so its bits are kept as whole numbers.
_READ_AS: dict[str, type] = {"F32": np.float32, "U16": np.uint16}

# The folder of blocks of activations, and the file in an entry of it.
ACTIVATIONS = "activations"
BLOCK_FILE = "block.safetensors"
# Part of every key: to be raised when the same inputs would give other numbers or files. Activations are as they were.
_FORMAT = 3
_FORMAT_OF_KIND = {ACTIVATIONS: 1}
_RESULT = "result.json"
# So many blocks are checked at a time: hashing leaves Python's lock alone, and threads beyond the cores wait for the disk.
BLOCKS_CHECKED_AT_ONCE = 8
# Libraries whose version can change a number. A result of another version of one of them is not the result.
LIBRARIES = (
    "captum",
    "concept-erasure",
    "lit-probe",
    "numpy",
    "scikit-learn",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
)
# What only these read is not computed again when the others change: reading all texts takes longest.
_OF_KIND = {ACTIVATIONS: ("numpy", "tokenizers", "torch", "transformers")}


@dataclass(frozen=True)
class LookedUp(Generic[T]):
    """What stands in the place of a result.

    Attributes:
      folder: the folder of the cache; None without one.
      entry: the result's place in it.
      key: the name of the entry.
      facts: what decides it, versions of libraries among them.
      found: the result, where there is one that can be trusted.
      fault: why what stands there cannot be.
    """

    folder: Path | None
    entry: Path
    key: str
    facts: Mapping[str, Any]
    found: T | None = None
    fault: Exception | None = None


class Cache:
    """A folder of results, or nothing at all where the folder cannot be written.

    A folder that is made here is closed to other users, and so are the folders and files in it. Remains of killed writers that
    are older than a day are taken away.

    Args:
      folder: the folder; None when nothing is to be kept.
      dtype: as what activations are kept: ``float32``, or ``bfloat16``, which takes half the room and rounds them to three
        digits. They are rounded whether they are kept or not, so that a run gives the same numbers with and without a folder.
      shared: go on where others may write to the folder. Entries must be signed all the same, but somebody who changes one at
        the very moment when it is read is not kept out.

    Attributes:
      folder: the folder of the results; None when there is no cache.
      dtype: see above.

    Raises:
      UnknownNameError: there is no such dtype.
      CacheError: others may write to the folder.
    """

    def __init__(self, folder: Path | None, dtype: str = FLOAT32, *, shared: bool = False):
        self.folder = folder
        self.dtype = lookup({name: name for name in CACHE_DTYPES}, dtype, "dtype of the cache")
        # Without a folder, what somebody still uses is not made again: two kinds of probe on the same activations.
        self._in_use: WeakValueDictionary[str, Block] = WeakValueDictionary()
        self._told_unsigned = False
        if folder is not None:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not shared:
                    _close_usual(folder)
                    check_closed(folder)
                with tempfile.TemporaryFile(dir=folder):
                    pass
                sweep(folder)
            except OSError as error:
                self._go_on_without(error)

    def size(self) -> int:
        """Bytes on disk."""
        if self.folder is None:
            return 0
        # os.walk passes over what another process removes meanwhile.
        sizes = (_size(Path(folder, name)) for folder, _, names in os.walk(self.folder) for name in names)
        return sum(sizes)

    def get_or_make(
        self,
        kind: str,
        facts: Mapping[str, Any],
        make: Callable[[], T],
        save: Callable[[T, Path], None],
        load: Callable[[Path], T],
    ) -> T:
        """The stored result for ``facts``, or ``make()`` saved for the next time.

        Args:
          kind: folder of results of one kind, such as ``activations``.
          facts: JSON-ready; everything that decides the result, contents by their hash. Versions of libraries join them here.
          make: computes the result.
          save: writes the result's files into an empty folder.
          load: reads them again. Raises a ``LitProbeError`` when they do not hold what they should.
        """
        return self.found_or_made(self.look_up(kind, facts, load), make, save, load)

    def look_up(self, kind: str, facts: Mapping[str, Any], load: Callable[[Path], T]) -> LookedUp[T]:
        """What stands in the place of a result, checked and read; arguments as of `get_or_make`. Nothing is computed or told."""
        facts = _with_versions(kind, facts)
        key = _key(kind, facts)
        folder = self.folder  # another thread may have to go on without it meanwhile
        if folder is None:
            return LookedUp(None, Path(), key, facts)
        entry = folder / kind / key
        if not os.path.lexists(entry):
            return LookedUp(folder, entry, key, facts)
        try:
            verify(folder, entry, key)
            found = load(entry)
            os.utime(entry)  # when it was last of use, for who prunes
        except (LitProbeError, OSError, RecursionError) as error:
            return LookedUp(folder, entry, key, facts, fault=error)
        return LookedUp(folder, entry, key, facts, found)

    def found_or_made(
        self, place: LookedUp[T], make: Callable[[], T], save: Callable[[T, Path], None], load: Callable[[Path], T]
    ) -> T:
        """What was found, else ``make()`` saved in its place; arguments as of `get_or_make`."""
        if place.found is not None:
            return place.found
        if isinstance(place.fault, UnsignedError):
            self._tell_unsigned(place.entry, place.fault)
        elif place.fault is not None:
            logging.warning("The cache entry %s cannot be trusted and is computed again: %s", place.entry, place.fault)
        result = make()
        if place.folder is None or self.folder is None:  # where another one could not be written meanwhile
            return result
        try:
            write(place.folder, place.entry, place.key, place.facts, lambda into: save(result, into))
            # Read back, so that fresh and stored results are one and the same thing and memory is given back.
            return load(place.entry)
        except (CacheError, OSError) as error:
            self._go_on_without(error)
            return result

    def has(self, kind: str, facts: Mapping[str, Any], of_kind: type[R] | None = None) -> bool:
        """Whether there is an entry of these facts. It is not looked into: who reads it may find that it cannot be trusted.

        Args:
          kind: folder of results of one kind.
          facts: as `get_or_make` or `result` is asked.
          of_kind: what `result` is asked for; None for an entry of `get_or_make`.
        """
        facts = facts if of_kind is None else _with_fields(facts, of_kind)
        return self._is_there(kind, _key(kind, _with_versions(kind, facts)))

    def _is_there(self, kind: str, key: str) -> bool:
        return self.folder is not None and os.path.lexists(self.folder / kind / key)

    def json_result(self, kind: str, facts: Mapping[str, Any], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """``get_or_make`` for a result that is a JSON object: finite numbers or None, lists, texts."""
        return self.get_or_make(kind, facts, make, _save_json, _load_json)

    def result(self, kind: str, facts: Mapping[str, Any], make: Callable[[], R], of_kind: type[R]) -> R:
        """``get_or_make`` for a `Result`. One with other fields is another result."""
        return self.get_or_make(
            kind,
            _with_fields(facts, of_kind),
            make,
            lambda made, folder: _save_json(made.to_json(), folder),
            lambda folder: of_kind.from_json(_load_json(folder)),
        )

    def kept_result(self, kind: str, facts: Mapping[str, Any], of_kind: type[R]) -> R | None:
        """What `result` has kept, or None: nothing is computed."""
        return self.look_up(kind, _with_fields(facts, of_kind), lambda folder: of_kind.from_json(_load_json(folder))).found

    def activations(
        self,
        encoder: Encoder,
        texts: Sequence[str],
        pooling: str | None = None,
        *,
        spans: Spans | None = None,
        progress: Progress = no_progress,
    ) -> Activations:
        """``extract_activations``, with blocks that are already on disk mapped from there instead of computed.

        Args:
          encoder: the frozen encoder; its weights load only if a block is missing.
          texts: any strings; of words the text that each stands in.
          pooling: a name in ``POOLINGS``, of words in ``JOININGS``; by default as of ``extract_activations``.
          spans: ``[n_words, 2]`` where each word begins and ends in its text; None for whole texts.
          progress: hears how many of the texts are done, be they computed or found.
        """
        unit = TEXT if spans is None else WORD
        pooling = pooling or default_pooling(encoder, unit)
        check_pooling(encoder, pooling, unit)
        fingerprint = encoder.fingerprint

        def load(rows: Rows) -> Callable[[Path], Block]:
            return lambda folder: _load_block(folder, len(rows.texts), encoder.widths)

        def look_up(part: tuple[Rows, Progress], _: Progress) -> tuple[tuple[Rows, LookedUp[Block]], Progress]:
            rows, report = part
            place = self.look_up(ACTIVATIONS, self._block_facts(fingerprint, rows.texts, pooling, rows.spans), load(rows))
            if place.folder is None:
                place = replace(place, found=self._in_use.get(place.key))
            return (rows, place), report

        def block(part: tuple[Rows, LookedUp[Block]], report: Progress) -> Block:
            rows, place = part
            result = self.found_or_made(
                place,
                lambda: extract_block(encoder, rows.texts, pooling, report, rows.spans).kept_as(self.dtype),
                _save_block,
                load(rows),
            )
            if self.folder is None:
                self._in_use[place.key] = result
            report(len(rows.texts), len(rows.texts))
            return result

        asked = ((part, no_progress) for part in split_rows(texts, spans, progress))
        # Many are checked at a time; what is missing or cannot be trusted is computed in its turn.
        with closing(made_ahead(asked, look_up, lambda: BLOCKS_CHECKED_AT_ONCE)) as looked_up:
            blocks = tuple(made_ahead(looked_up, block, lambda: encoder.blocks_at_once))
        return Activations(blocks, pooling, fingerprint, self.dtype)

    def n_missing(self, encoder: Encoder, texts: Sequence[str], pooling: str, spans: Spans | None = None) -> int:
        """How many of the rows are in blocks that `activations` would compute; arguments as there."""
        fingerprint, n_rows = encoder.fingerprint, 0
        for part, _ in split_rows(texts, spans):
            key, _ = self.block_entry(fingerprint, part.texts, pooling, part.spans)
            if key not in self._in_use and not self._is_there(ACTIVATIONS, key):
                n_rows += len(part.texts)
        return n_rows

    def _block_facts(self, fingerprint: str, part: Sequence[str], pooling: str, spans: Spans | None = None) -> dict[str, Any]:
        # Blocks of an earlier version that lack an array are other results.
        holds = [field.name for field in fields(Block)]
        facts = {"encoder": fingerprint, "pooling": pooling, "texts": text_hash(part), "n_texts": len(part), "holds": holds}
        facts |= {} if spans is None else {"spans": array_hash(spans)}
        return facts | self.facts()

    def block_entry(
        self, fingerprint: str, part: Sequence[str], pooling: str, spans: Spans | None = None
    ) -> tuple[str, dict[str, Any]]:
        """The name of the entry of one block, and what decides it, for who writes it elsewhere; see `block_content`.

        Args:
          fingerprint: of the encoder.
          part: the texts of the block, as `split_rows` cuts them.
          pooling: a name in ``POOLINGS``, of words in ``JOININGS``.
          spans: where each word begins and ends in its text; None for whole texts.
        """
        facts = _with_versions(ACTIVATIONS, self._block_facts(fingerprint, part, pooling, spans))
        return _key(ACTIVATIONS, facts), facts

    def unread_words(self, encoder: Encoder, texts: Sequence[str], spans: Spans) -> NDArray[np.bool_]:
        """`joining.unread_words`, which need not load the tokenizer where it was asked before; arguments as there."""
        facts = {"encoder": encoder.fingerprint, "texts": text_hash(texts), "spans": array_hash(spans)}

        def make() -> dict[str, Any]:
            return {"rows": np.flatnonzero(unread_words(encoder, texts, spans)).tolist()}

        found = np.zeros(len(texts), dtype=bool)
        found[self.json_result("unread_words", facts, make)["rows"]] = True
        return found

    def facts(self) -> dict[str, str]:
        """What of the cache decides the activations, for the keys of what is computed from them; nothing where it is usual."""
        return {} if self.dtype == FLOAT32 else {"cache_dtype": self.dtype}

    def keeping(self, dtype: str) -> Cache:
        """The same folder, with activations kept as this dtype.

        Raises:
          UnknownNameError: there is no such dtype.
        """
        if dtype == self.dtype:
            return self
        other = copy(self)
        other.dtype = lookup({name: name for name in CACHE_DTYPES}, dtype, "dtype of the cache")
        other._in_use = WeakValueDictionary()
        return other

    def sites(self, encoder: Encoder, wanted: Sequence[str], depths: Collection[int] | None = None) -> tuple[Site, ...]:
        """`sites_of`, which need not load the weights where they were looked for before; arguments and errors as there."""
        chosen = None if depths is None else sorted(depths)
        facts = {"encoder": encoder.fingerprint, "wanted": list(wanted), "depths": chosen, "made_by": SITES_MADE_BY}
        found = self.json_result("sites", facts, lambda: {"sites": [asdict(site) for site in sites_of(encoder, wanted, depths)]})
        return tuple(Site(**site) for site in found["sites"])

    def _tell_unsigned(self, entry: Path, error: UnsignedError) -> None:
        # Once: after an upgrade, or with a new key, all entries are like this.
        if not self._told_unsigned:
            logging.warning("The cache entry %s cannot be trusted (%s). It and others like it are computed again.", entry, error)
        self._told_unsigned = True

    def _go_on_without(self, error: Exception) -> None:
        reason = getattr(error, "strerror", None) or error
        logging.warning("The cache folder %s cannot be used (%s). Going on without it.", self.folder, reason)
        self.folder = None


def _close_usual(folder: Path) -> None:
    """The usual folder is nobody's but ours, and earlier versions left it as open as the system makes folders."""
    if folder == platformdirs.user_cache_path("lit_probe") and not folder.is_symlink() and folder.stat().st_uid == os.geteuid():
        folder.chmod(0o700)


def library_versions(names: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """The installed version of each library."""
    return {name: _version(name) for name in names}


@functools.cache
def _version(name: str) -> str:
    # Looking one up takes milliseconds.
    return version(name)


def text_hash(texts: Sequence[str]) -> str:
    """sha256 of a list of texts, its order included."""
    digest = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def array_hash(values: NDArray[Any]) -> str:
    """sha256 of an array's numbers, in their order."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def _with_fields(facts: Mapping[str, Any], of_kind: type[Result]) -> dict[str, Any]:
    return {**facts, "fields": [field.name for field in fields(of_kind)]}  # type: ignore[arg-type]


def _with_versions(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {**facts, "versions": library_versions(_OF_KIND.get(kind, LIBRARIES))}


def _key(kind: str, facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(
        json.dumps({"format": _FORMAT_OF_KIND.get(kind, _FORMAT), "kind": kind, **facts}, sort_keys=True).encode()
    ).hexdigest()[:40]


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _save_json(result: dict[str, Any], folder: Path) -> None:
    (folder / _RESULT).write_text(json.dumps(result, allow_nan=False), "utf-8")


def _load_json(folder: Path) -> dict[str, Any]:
    try:
        result: dict[str, Any] = json.loads((folder / _RESULT).read_text("utf-8"))
    except ValueError as error:
        raise CacheError(f"{_RESULT} is not JSON") from error
    return result


def block_content(block: Block) -> bytes:
    """What the file ``BLOCK_FILE`` of a block's entry holds."""
    alike = len({values.shape for values in block.values}) == 1
    whole = np.stack(block.values) if alike else np.concatenate([values.ravel() for values in block.values])
    arrays = {
        "values": whole,
        "truncated": block.truncated,
        "unknown": block.unknown,
        "head_probabilities": block.head_probabilities,
    }
    return save(arrays)


def _save_block(block: Block, folder: Path) -> None:
    # Not save_file, whose errors on a full disk are none of OSError's.
    (folder / BLOCK_FILE).write_bytes(block_content(block))


@dataclass(frozen=True)
class KeptBlock(Block):
    """A block whose values are mapped from its entry. To another process it travels as the name of the entry.

    Attributes:
      folder: the entry.
    """

    folder: Path

    def __reduce__(self) -> tuple[Any, ...]:
        return _load_block, (self.folder, len(self), [values.shape[1] for values in self.values])


def _load_block(folder: Path, n_block: int, widths: Sequence[int]) -> KeptBlock:
    """The stored block of ``n_block`` texts at sites of these widths."""
    path = folder / BLOCK_FILE
    try:
        # The small arrays are copied; the values, which may be gigabytes over all blocks, stay on disk until they are read.
        with safe_open(path, "np") as file:
            truncated, unknown, head = (file.get_tensor(name) for name in ("truncated", "unknown", "head_probabilities"))
            flat = _map(path, "values").reshape(-1)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CacheError(f"{path.name} is no block of activations: {error}") from error
    if len(flat) != n_block * sum(widths) or len(truncated) != n_block or len(head) != n_block:
        raise CacheError(f"{path.name} has {len(flat):,} values, not those of {n_block:,} texts and {sum(widths):,} units")
    parts = np.split(flat, np.cumsum([n_block * width for width in widths])[:-1])
    values = tuple(part.reshape(n_block, width) for part, width in zip(parts, widths, strict=True))
    return KeptBlock(values, truncated, unknown, head, folder.absolute())


def _map(path: Path, name: str) -> NDArray[Any]:
    """Maps one tensor of a safetensors file into memory, see `Block.values`.

    ``safe_open(…, "np")`` copies and ``"pt"`` would need torch; the format is 8 bytes of header length, a JSON header, data.
    """
    with path.open("rb") as file:
        header_length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(header_length))
    start, _ = header[name]["data_offsets"]
    shape, dtype = tuple(header[name]["shape"]), _READ_AS.get(header[name]["dtype"])
    if dtype is None:
        raise ValueError(f"{name} has dtype {header[name]['dtype']}, not one of {', '.join(_READ_AS)}")
    if 0 in shape:
        return np.zeros(shape, dtype=dtype)
    return np.memmap(path, dtype, "r", 8 + header_length + start, shape)
