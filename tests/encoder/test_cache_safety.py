"""The cache believes only what this user wrote: planted, foreign and strange things are no entries, and others cannot look in."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lit_probe.encoder import cache_key
from lit_probe.encoder.cache import Cache, _key
from lit_probe.encoder.cache_entries import MANIFEST, SIGNATURE
from lit_probe.encoder.cache_key import key_file
from lit_probe.errors import CacheError

KIND, FACTS, TRUE, LIE = "checks", {"asked": 1}, {"p": 0.04}, {"p": 1.0}


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def another_key(tmp_path, monkeypatch) -> Path:
    """A configuration folder of this test's own; where its key will lie."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    return key_file()


def asked(cache: Cache) -> tuple[dict, bool]:
    """What the cache answers, and whether it was computed for that."""
    made: list[int] = []

    def make() -> dict:
        made.append(1)
        return TRUE

    return cache.json_result(KIND, FACTS, make), bool(made)


def entry_of(folder: Path) -> Path:
    [entry] = (folder / KIND).iterdir()
    return entry


def own_modes(folder: Path) -> set[str]:
    return {f"{path.name}: {stat.S_IMODE(path.lstat().st_mode):o}" for path in folder.rglob("*") if path.lstat().st_mode & 0o077}


# --- Others cannot look in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0, 0o002, 0o022, 0o077])
def test_folders_and_files_are_the_users_alone_whatever_the_umask(folder, tiny_encoder, umask):
    before = os.umask(umask)
    try:
        cache = Cache(folder)
        asked(cache)
        cache.activations(tiny_encoder, ["good", "bad"])
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert own_modes(folder) == set()
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")} == {0o700, 0o600}


def test_a_kind_that_an_earlier_version_left_open_is_closed(folder):
    (folder / KIND).mkdir(parents=True)
    (folder / KIND).chmod(0o775)
    asked(Cache(folder))
    assert own_modes(folder) == set()


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o757, 0o720, 0o1777])
def test_a_folder_that_others_may_write_is_refused_or_gone_on_with(folder, mode):
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(CacheError, match=r"Others may write to the cache folder .*chmod go-w .*the option shared_cache\.$"):
        Cache(folder)
    cache = Cache(folder, shared=True)
    assert asked(cache) == (TRUE, True) and asked(cache) == (TRUE, False)


def test_a_folder_in_a_folder_that_all_may_write_is_refused_but_for_the_sticky_bit(folder):
    folder.mkdir(mode=0o700)
    folder.parent.chmod(0o777)
    with pytest.raises(CacheError, match="above it has the rights 0777"):
        Cache(folder)
    folder.parent.chmod(0o1777)
    assert Cache(folder).folder == folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(folder):
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)
    with pytest.raises(CacheError, match="belongs to another user"):
        Cache(folder)


def test_a_folder_that_others_may_only_read_is_used_as_it_is(folder):
    folder.mkdir()
    folder.chmod(0o755)
    assert asked(Cache(folder)) == (TRUE, True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_the_usual_folder_is_closed_to_others(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    usual = tmp_path / "lit_probe"
    usual.mkdir()
    usual.chmod(0o775)
    Cache(usual)
    assert stat.S_IMODE(usual.stat().st_mode) == 0o700


# --- What is planted is no entry ------------------------------------------------------------------------------------------------


def plant(entry: Path, *, signature: bytes | None) -> None:
    """A lie with right checksums, as whoever may write to the folder but has no key can make it."""
    content = json.dumps(LIE).encode()
    shutil.rmtree(entry, ignore_errors=True)
    entry.mkdir(parents=True)
    (entry / "result.json").write_bytes(content)
    manifest = {
        "key": entry.name,
        "facts": {},
        "files": {"result.json": hashlib.sha256(content).hexdigest()},
        "sizes": {"result.json": len(content)},
    }
    (entry / MANIFEST).write_text(json.dumps(manifest))
    if signature is not None:
        (entry / SIGNATURE).write_bytes(signature)


@pytest.mark.parametrize("signature", [None, b"", b"0" * 64, b"f" * 64, b"\xff" * 64, b"0" * 65])
def test_a_planted_entry_with_right_checksums_is_no_entry(folder, signature, caplog):
    cache = Cache(folder)
    asked(cache)
    plant(entry_of(folder), signature=signature)
    assert asked(cache) == (TRUE, True)
    assert "cannot be trusted" in caplog.text
    assert asked(cache) == (TRUE, False)


def test_an_entry_of_another_user_is_no_entry(folder, another_key):
    asked(Cache(folder))
    entry = entry_of(folder)
    another_key.unlink()
    cache_key._key.cache_clear()
    assert asked(Cache(folder)) == (TRUE, True)
    assert entry_of(folder) == entry


def test_an_own_entry_moved_to_another_name_is_another_result(folder):
    cache = Cache(folder)
    cache.json_result(KIND, {"asked": 2}, lambda: LIE)
    [other] = (folder / KIND).iterdir()
    asked(cache)
    [own] = set((folder / KIND).iterdir()) - {other}
    shutil.rmtree(own)
    other.rename(own)
    assert asked(cache) == (TRUE, True)


def test_many_entries_of_an_earlier_version_are_told_of_once(folder, caplog):
    cache = Cache(folder)
    for number in range(5):
        cache.json_result(KIND, {"asked": number}, lambda: TRUE)
    for signature in folder.rglob(SIGNATURE):
        signature.unlink()
    for number in range(5):
        cache.json_result(KIND, {"asked": number}, lambda: TRUE)
    assert caplog.text.count("is not signed") == 1


def test_names_of_entries_change_with_the_format_alone():
    assert _key("activations", {"a": 1}) == "462d66d07dd35e3493d1948fee6f2bd51be4ab32"
    assert _key("checks", {"b": [1, "ä"]}) == "2895cb19a856d9e80ac13fc35284dc265409b9ac"


# --- Damage of any kind, in any place -------------------------------------------------------------------------------------------


def missing(place: Path) -> None:
    pass


def nothing_in_it(place: Path) -> None:
    place.write_bytes(b"")


def nested(place: Path) -> None:
    place.write_bytes(b"[" * 1_000_000)


def bytes_of_no_text(place: Path) -> None:
    place.write_bytes(b"\xff\x00\xfe" * 1000)


def huge(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(2**42)  # sparse: it takes no room, and an hour to read


def pipe(place: Path) -> None:
    os.mkfifo(place)


def a_folder(place: Path) -> None:
    place.mkdir()
    (place / "inside").write_text("something")


def a_link_into_nothing(place: Path) -> None:
    place.symlink_to(place.parent / "nowhere")


def a_link_to_itself(place: Path) -> None:
    place.symlink_to(place)


def a_device(place: Path) -> None:
    place.symlink_to("/dev/zero")


DAMAGES = [
    missing,
    nothing_in_it,
    nested,
    bytes_of_no_text,
    huge,
    pipe,
    a_folder,
    a_link_into_nothing,
    a_link_to_itself,
    a_device,
]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["", MANIFEST, SIGNATURE, "result.json", "stranger"])
def test_damage_of_any_kind_in_any_place_is_computed_anew(folder, name, damage):
    cache = Cache(folder)
    asked(cache)
    entry = entry_of(folder)
    place = entry / name if name else entry
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    damage(place)
    assert asked(cache) == (TRUE, not (name == "stranger" and damage is missing))
    assert asked(cache) == (TRUE, False), "and it is kept again"
    assert cache.folder is not None and not list(folder.rglob("unfinished-*"))


@pytest.mark.parametrize("name", ["", MANIFEST, SIGNATURE, "result.json"])
def test_links_to_the_very_things_are_not_followed(folder, tmp_path, name):
    cache = Cache(folder)
    asked(cache)
    entry = entry_of(folder)
    place = entry / name if name else entry
    elsewhere = tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    assert asked(cache) == (TRUE, True)
    assert not place.is_symlink() and elsewhere.exists()


def test_nothing_is_written_through_a_link_in_place_of_a_kind(folder, tmp_path, caplog):
    cache, elsewhere = Cache(folder), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / KIND).symlink_to(elsewhere)
    assert asked(cache) == (TRUE, True)
    assert list(elsewhere.iterdir()) == []
    assert "checks is no folder of yours" in caplog.text


@pytest.mark.parametrize("damage", [nothing_in_it, pipe, a_link_into_nothing, a_link_to_itself])
def test_a_kind_that_is_no_folder_is_done_without(folder, damage):
    cache = Cache(folder)
    damage(folder / KIND)
    assert asked(cache) == (TRUE, True)


# --- The key --------------------------------------------------------------------------------------------------------------------


def test_the_key_is_made_once_and_is_the_users_alone(folder, another_key):
    asked(Cache(folder))
    content = another_key.read_bytes()
    assert len(content) == 32
    assert [stat.S_IMODE(path.stat().st_mode) for path in (another_key, another_key.parent)] == [0o600, 0o700]
    assert list(another_key.parent.iterdir()) == [another_key]
    cache_key._key.cache_clear()
    assert asked(Cache(folder)) == (TRUE, False)
    assert another_key.read_bytes() == content


def test_processes_that_start_together_agree_on_one_key(folder, another_key):
    code = "from lit_probe.encoder.cache_key import signature_of; print(signature_of(b'x'))"
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate(timeout=60)[0] for process in started}) == 1


def readable_by_others(file: Path) -> None:
    file.write_bytes(b"k" * 32)
    file.chmod(0o644)


def too_long(file: Path) -> None:
    file.touch(0o600)
    file.write_bytes(b"k" * 33)


def linked(file: Path) -> None:
    (file.parent / "other").touch(0o600)
    (file.parent / "other").write_bytes(b"k" * 32)
    file.symlink_to("other")


@pytest.mark.parametrize(
    "damage", [nothing_in_it, huge, pipe, a_folder, a_link_into_nothing, readable_by_others, too_long, linked]
)
def test_what_is_no_secret_key_is_not_used_and_the_process_goes_on(folder, another_key, caplog, damage):
    another_key.parent.mkdir(parents=True)
    damage(another_key)
    cache = Cache(folder)
    assert asked(cache) == (TRUE, True) and asked(cache) == (TRUE, False)
    assert "is computed again by the next process. Remove the file" in caplog.text
    cache_key._key.cache_clear()
    assert asked(Cache(folder)) == (TRUE, True), "another process does not believe it"


def test_a_home_that_cannot_be_written_is_said_and_the_process_goes_on(folder, tmp_path, monkeypatch, caplog):
    (tmp_path / "a file").write_text("in the way")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "a file"))
    cache = Cache(folder)
    assert asked(cache) == (TRUE, True) and asked(cache) == (TRUE, False)
    assert "Let XDG_CONFIG_HOME name a folder that you can write to" in caplog.text


# --- What killed writers leave --------------------------------------------------------------------------------------------------


def left(folder: Path, name: str, hours: float, *inside: str) -> Path:
    work = folder / KIND / name
    for one in inside:
        (work / one).mkdir(parents=True)
        (work / one / "file").write_text("half")
    work.mkdir(parents=True, exist_ok=True)
    then = time.time() - 3600 * hours
    for path in (*work.iterdir(), work):
        os.utime(path, (then, then))
    return work


def test_leftovers_older_than_a_day_are_swept_and_nothing_else(folder, tmp_path):
    swept = [left(folder, "unfinished-abcdefgh", 25, "entry"), left(folder, "unfinished-abcdefg1", 25)]
    kept = [
        left(folder, "unfinished-abcdefg2", 23, "entry"),
        left(folder, "unfinished-symphony", 25, "entry", "score of a user's own"),
        left(folder, "unfinished-business-of-mine", 25, "entry"),
        left(folder, "a" * 40, 25),
    ]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = folder / KIND / "unfinished-abcdefg3"
    link.symlink_to(elsewhere)
    folder.chmod(0o700)
    Cache(folder)
    assert [path.exists() for path in swept] == [False] * len(swept)
    assert [path.exists() for path in (*kept, link, elsewhere)] == [True] * (len(kept) + 2)


def test_a_link_inside_a_leftover_is_taken_away_and_not_followed(folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("keep")
    work = left(folder, "unfinished-abcdefgh", 0, "entry")
    (work / "entry" / "link").symlink_to(elsewhere)
    for path in (work / "entry", work):
        os.utime(path, (0, 0))
    Cache(folder)
    assert not work.exists() and (elsewhere / "mine").read_text() == "keep"


def test_killed_writers_leave_no_wrong_result(folder):
    """One writer after another is killed just before a system call of its writing, each time the next one."""
    code = f"""
import os, signal, sys
from pathlib import Path
from lit_probe.encoder.cache import Cache
folder, left = {str(folder)!r}, int(sys.argv[1])
def hook(event, arguments):
    global left
    if event.split(".")[0] in ("os", "open", "shutil", "tempfile") and folder in repr(arguments):
        left -= 1
        if left == 0:
            print(event, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
for number in range(2):
    assert Cache(Path(folder)).json_result({KIND!r}, {{"asked": number}}, lambda: {{"p": number}}) == {{"p": number}}
"""
    events = []
    for left_over in range(3, 400, 4):
        done = subprocess.run([sys.executable, "-c", code, str(left_over)], capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, -9), done.stderr
        events.append(done.stdout.strip())
        if done.returncode == 0:
            break
        shutil.copytree(folder, folder.with_name("seen"), dirs_exist_ok=True)
        cache = Cache(folder.with_name("seen"))
        for number in range(2):
            assert cache.json_result(KIND, {"asked": number}, lambda number=number: {"p": number}) == {"p": number}
        shutil.rmtree(folder.with_name("seen"))
        shutil.rmtree(folder)
    assert {"open", "os.mkdir", "os.rename", "os.chmod"} <= set(events), events
