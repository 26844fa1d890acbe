"""What probes were made on pages, in the cache folder: a later server offers to make them again, from what the cache holds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from absl import logging

from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.cache_entries import verify, write
from lit_probe.encoder.cache_files import folders_in, remove
from lit_probe.encoder.encoder import Encoder
from lit_probe.errors import CacheError, LitProbeError
from lit_probe.results import Result

_FOLDER = "made_probes"
_FILE = "wish.json"
_MOST_LISTED = 50


@dataclass(frozen=True)
class Wish(Result):
    """What somebody asked for.

    Attributes:
      title: what it is called in the list.
      target: what `asking.ask` is asked for; None where two selections are told apart.
      picked: two names, each with the indices of its rows by split; None where there is a target.
      probe: the kind of probe.
      pooling: how the tokens of a text become one vector.
      sites: the family of places that are read.
    """

    title: str
    target: str | None
    picked: Mapping[str, Mapping[str, tuple[int, ...]]] | None
    probe: str
    pooling: str
    sites: str

    @property
    def name(self) -> str:
        """The name of its file: equal for equal wishes."""
        return hashlib.sha256(self._content).hexdigest()[:24]

    @property
    def _content(self) -> bytes:
        return json.dumps(self.to_json()).encode()


def keep_wish(cache: Cache, encoder: Encoder, splits: Splits, wish: Wish) -> None:
    """Notes the wish beside what the cache holds of this encoder and this data set; without a folder, nowhere."""
    folder = _folder(cache, encoder, splits)
    if cache.folder is None or folder is None:
        return
    entry = folder / wish.name
    try:
        write(cache.folder, entry, _key(entry), {}, lambda inside: _save(wish, inside))
        os.utime(entry)
    except (CacheError, OSError) as error:
        logging.warning("The wish for %s is not kept: %s", wish.title, getattr(error, "strerror", None) or error)


def forget_wish(cache: Cache, encoder: Encoder, splits: Splits, name: str) -> None:
    """Takes the note away, if it is there."""
    folder = _folder(cache, encoder, splits)
    if folder is not None and name.isalnum():
        remove(folder / name)


def kept_wishes(cache: Cache, encoder: Encoder, splits: Splits) -> dict[str, Wish]:
    """The wishes that were noted for this encoder and this data set, by the names of their entries; the latest, if many.

    What is no wish, or was not noted by this user, is passed over: nothing is made of it but a line in a list, and that is
    checked as what a page sends.
    """
    folder = _folder(cache, encoder, splits)
    if cache.folder is None or folder is None:
        return {}
    found: dict[str, Wish] = {}
    for entry in sorted(folders_in(folder), key=_changed)[-_MOST_LISTED:]:
        try:
            verify(cache.folder, entry, _key(entry))
            wish = Wish.from_json(json.loads((entry / _FILE).read_bytes()))
        except (LitProbeError, OSError, ValueError) as error:
            logging.warning("%s is no wish for a probe: %s", entry, error)
            continue
        found[wish.name] = wish
    return found


def _save(wish: Wish, folder: Path) -> None:
    (folder / _FILE).write_bytes(wish._content)


def _key(entry: Path) -> str:
    # Of this encoder and this data set, so that no wish can be moved to others.
    return f"{entry.parent.name}/{entry.name}"


def _changed(entry: Path) -> float:
    try:
        return entry.lstat().st_mtime
    except OSError:
        return 0.0


def _folder(cache: Cache, encoder: Encoder, splits: Splits) -> Path | None:
    """The folder of an encoder and a data set, by content."""
    hashes = splits.provenance.get("sha256")
    if cache.folder is None or hashes is None:
        return None
    facts = json.dumps([encoder.fingerprint, splits.name, hashes], sort_keys=True)
    return cache.folder / _FOLDER / hashlib.sha256(facts.encode()).hexdigest()[:24]
