"""``lit-probe cache list|size|prune|clear|verify``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from lit_probe.care.kept_entries import (
    GB,
    KeptEntry,
    entries_table,
    kept_entries,
    kinds_table,
    opened,
    size_text,
    take_away,
    to_prune,
    unfinished,
)
from lit_probe.errors import LitProbeError
from lit_probe.registry import lookup

WORDS = ("list", "size", "prune", "clear", "verify")


def cache_command(
    word: str,
    folder: Path | None,
    *,
    shared: bool = False,
    as_json: bool = False,
    dry_run: bool = False,
    older_than: float | None = None,
    max_size: float | None = None,
    untrusted: bool = False,
    confirm: Callable[[str], bool],
) -> tuple[str, int]:
    """Does what one of the words asks.

    Args:
      word: a name in `WORDS`.
      folder: the cache folder; None where nothing is kept.
      shared: go on where others may write to the folder.
      as_json: say it in JSON instead of a table.
      dry_run: say what would be taken away, and leave it.
      older_than: days since an entry was of use, from which on ``prune`` takes it away.
      max_size: GB that ``prune`` leaves.
      untrusted: whether ``prune`` takes away entries that are not signed with the user's key, or damaged.
      confirm: asked before ``clear`` takes everything away.

    Returns:
      What is to be printed, and the exit code: 1 where ``verify`` found what cannot be trusted, or ``clear`` was not confirmed.

    Raises:
      LitProbeError: there is no such word, the folder cannot be used, or ``prune`` is not told what to take away.
    """
    lookup(dict.fromkeys(WORDS), word, "word for the cache")
    if word == "prune" and older_than is None and max_size is None and not untrusted:
        raise LitProbeError("Say what may go: --older_than=30 (days without use), --max_size=5 (GB that stay) or --untrusted.")
    root = None if folder is None else opened(folder, shared=shared)
    if root is None:
        nothing = "There is no cache: --cache_dir is empty." if folder is None else f"Nothing is kept in {folder}."
        return "[]" if as_json else nothing, 0
    entries = kept_entries(root, look_into=word == "verify" or (word == "prune" and untrusted))
    if word in ("list", "size", "verify"):
        code = 1 if word == "verify" and any(one.fault is not None for one in entries) else 0
        if as_json:
            return json.dumps([one.to_json() for one in entries], indent=1), code
        tables = {"list": entries_table, "size": kinds_table, "verify": _faults}
        return f"{root}\n{tables[word](entries)}", code
    if word == "prune":
        going = to_prune(entries, older_than_days=older_than, max_bytes=None if max_size is None else max_size * GB)
        going += [one for one in entries if untrusted and one.fault is not None and one not in going]
        left = unfinished(root)
    else:
        # Younger ones may still be written to: no entry takes an hour to write.
        going, left = entries, unfinished(root, 3600)
    return _take_away(root, going, left, dry_run, confirm if word == "clear" else lambda _: True)


def _faults(entries: Sequence[KeptEntry]) -> str:
    bad = [one for one in entries if one.fault is not None]
    lines = [f"{one.kind}/{one.name}: {one.fault}" for one in bad]
    lines.append(f"{len(entries) - len(bad):,} of {len(entries):,} entries are sound.")
    if bad:
        lines.append("The others are computed anew when they are asked for; lit-probe cache prune --untrusted takes them away.")
    return "\n".join(lines)


def _take_away(
    root: Path, going: Sequence[KeptEntry], left: Sequence[Path], dry_run: bool, confirm: Callable[[str], bool]
) -> tuple[str, int]:
    what = f"{len(going):,} entries ({size_text(sum(one.n_bytes for one in going))})"
    what += f" and {len(left):,} unfinished ones" if left else ""
    if dry_run:
        return f"Would take away {what} in {root}." + (f"\n{entries_table(going)}" if going else ""), 0
    if (going or left) and not confirm(f"Take away {what} in {root}?"):
        return "Nothing was taken away.", 1
    take_away(root, going, left)
    return f"Taken away: {what} in {root}.", 0
