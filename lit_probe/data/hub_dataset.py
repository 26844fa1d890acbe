"""Any data set with a text and a label column that the library ``datasets`` reads, by its id on the hub or its folder."""

from __future__ import annotations

import re
from pathlib import Path

from lit_probe.data.hub import is_saved_dataset, load_parts, load_saved_dataset
from lit_probe.data.labelled_texts import Splits
from lit_probe.data.options import DatasetOptions
from lit_probe.data.split_files import existing_path
from lit_probe.data.table_file import safe_name, split_held
from lit_probe.errors import DatasetError

_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


def load_hub_dataset(source: str | None, options: DatasetOptions) -> Splits:
    """A data set of the Hugging Face hub, or a folder like one.

    Its own splits are kept by the rules for table files: what is called train, validation (or dev) and test is followed, what is
    missing is cut, other parts are named in the notes. Where a column has class names, these are the classes, in their order; the
    label -1 stands for none. Columns of pictures, sounds and films are left out.

    Args:
      source: the id on the hub, such as ``"org/name"``; a folder with files as on the hub (its ``README.md`` may name configs);
        or one that ``save_to_disk`` has written. A folder that is there goes before an id that is written the same.
      options: columns, config, revision, seed and rows per split.

    Raises:
      DatasetError: there is no source, it cannot be had (see `hub.load_parts`), an option does not fit a folder, or as
        ``split_table``.
    """
    if not source:
        raise DatasetError("hub needs the id of a data set, or a folder. Write hub=org/name.")
    asked = {"form": "hub", "data_config": options.data_config}
    if _ID.fullmatch(source) and not Path(source).exists():
        advice = "name a folder with its files (hub=PATH), or take the embedded data set (demo)"
        loaded = load_parts(source, options.data_config, options.data_revision, advice=advice)
        origin = {"kind": "hub", "id": source, "config": loaded.config, "revision": loaded.revision, **asked}
        return split_held(loaded.parts, options, _name(Path(source), options), origin, source, loaded.notes)
    if "/" not in source and not Path(source).is_dir():
        raise DatasetError(f"{source!r} is no id of a data set, nor a folder. Write hub=org/name, as at the top of its page.")
    folder = existing_path(source)
    if folder.is_file():
        raise DatasetError(f"{source!r} is a file, not a data set of the hub. Name it by its form, such as csv={source}.")
    if options.data_revision is not None:
        raise DatasetError(f"{source!r} is a folder here, which has no revisions. Leave the option data_revision out.")
    origin = {"kind": "folder", "path": source, **asked}
    if is_saved_dataset(folder):
        if options.data_config is not None:
            raise DatasetError(
                f"{source!r} was written by save_to_disk, which keeps no configs. Leave the option data_config out."
            )
        return split_held(load_saved_dataset(folder), options, _name(folder, options), origin, repr(source))
    loaded = load_parts(source, options.data_config, advice="name a file of it (csv=PATH)")
    return split_held(loaded.parts, options, _name(folder, options), {**origin, "config": loaded.config}, repr(source))


def _name(path: Path, options: DatasetOptions) -> str:
    """``name``, or ``name-config`` where a config was asked for: so two configs of one data set can stand side by side.

    >>> _name(Path("nyu-mll/glue"), DatasetOptions(data_config="cola"))
    'glue-cola'
    """
    return safe_name(Path(f"{path.name}-{options.data_config}" if options.data_config else path.name))
