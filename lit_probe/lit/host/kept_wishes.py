"""What probes were made on pages, in the cache folder: a later server offers to make them again, from what the cache holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from absl import logging

from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder
from lit_probe.errors import LitProbeError
from lit_probe.probing.probes.storage import write_whole
from lit_probe.results import Result

_FOLDER = "made_probes"
# Bytes. The rows of the largest data set that the page shows take 50 kB.
_MAX_FILE = 2**20
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
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{wish.name}.json", wish._content)
    except OSError as error:
        logging.warning("The wish for %s is not kept: %s", wish.title, error.strerror)


def forget_wish(cache: Cache, encoder: Encoder, splits: Splits, name: str) -> None:
    """Takes the note away, if it is there."""
    folder = _folder(cache, encoder, splits)
    if folder is not None and name.isalnum():
        (folder / f"{name}.json").unlink(missing_ok=True)


def kept_wishes(cache: Cache, encoder: Encoder, splits: Splits) -> dict[str, Wish]:
    """The wishes that were noted for this encoder and this data set, by the names of their files; the latest, if there are many.

    A file that is no wish is passed over: nothing is made of it but a line in a list, and that is checked as what a page sends.
    """
    folder = _folder(cache, encoder, splits)
    if folder is None or not folder.is_dir():
        return {}
    found: dict[str, Wish] = {}
    for file in sorted(folder.glob("*.json"), key=lambda one: one.stat().st_mtime)[-_MOST_LISTED:]:
        try:
            if file.is_symlink() or file.stat().st_size > _MAX_FILE:
                raise ValueError("it is a link, or too large")
            wish = Wish.from_json(json.loads(file.read_bytes()))
            if wish.name != file.stem:
                raise ValueError("its name is not that of its content")
        except (LitProbeError, OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            logging.warning("%s is no wish for a probe: %s", file, error)
            continue
        found[wish.name] = wish
    return found


def _folder(cache: Cache, encoder: Encoder, splits: Splits) -> Path | None:
    """The folder of an encoder and a data set, by content."""
    hashes = splits.provenance.get("sha256")
    if cache.folder is None or hashes is None:
        return None
    facts = json.dumps([encoder.fingerprint, splits.name, hashes], sort_keys=True)
    return cache.folder / _FOLDER / hashlib.sha256(facts.encode()).hexdigest()[:24]
