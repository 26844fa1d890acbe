"""Where blocks of many machines are put: what a worker says is an entry once it is signed, in a folder and in a bucket."""

from __future__ import annotations

import os
import stat

import pytest

from lit_probe.encoder.block_places import Bucket, Folder, Put, bucket
from lit_probe.encoder.cache import ACTIVATIONS
from lit_probe.encoder.cache_entries import CONTENT
from lit_probe.errors import CacheError

KEY = "a" * 40


def put_down(place: Folder | Bucket, content: bytes = b"values") -> Put:
    return place.put(KEY, content)


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path) -> Folder | Bucket:
    (tmp_path / "out").mkdir(mode=0o700)
    return Folder(tmp_path / "out") if request.param == "folder" else Bucket(f"file://{tmp_path}/out")


def test_what_a_worker_puts_down_is_no_entry_until_it_is_signed(place):
    put = put_down(place)
    assert not place.is_kept(KEY)
    place.keep(KEY, put, {})
    assert place.is_kept(KEY)


def test_an_entry_of_another_key_is_computed_anew(place, tmp_path, monkeypatch):
    put = put_down(place)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    place.keep(KEY, put, {})
    assert place.is_kept(KEY)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    assert not place.is_kept(KEY)


def test_a_file_that_was_cut_off_is_no_entry_and_is_written_over(place, tmp_path):
    place.keep(KEY, put_down(place), {})
    file = tmp_path / "out" / ACTIVATIONS / KEY / "block.safetensors"
    file.write_bytes(b"val")
    assert not place.is_kept(KEY)
    place.keep(KEY, put_down(place), {})
    assert place.is_kept(KEY)
    assert file.read_bytes() == b"values"


def test_what_a_worker_says_and_nobody_finds_is_not_signed(place):
    put = put_down(place)
    lie = Put(put.at, put.sha256, put.n_bytes + 1)
    with pytest.raises(CacheError, match=r"has written 7 bytes to .* and 6 bytes can be found there"):
        place.keep(KEY, lie, {})
    assert not place.is_kept(KEY)


def test_a_folder_that_is_no_writers_is_not_made_an_entry(tmp_path):
    folder = Folder(tmp_path)
    put = put_down(folder)
    (tmp_path / "elsewhere" / CONTENT).mkdir(parents=True)
    (tmp_path / "elsewhere" / CONTENT / "block.safetensors").write_bytes(b"values")
    with pytest.raises(CacheError, match="is no folder of a writer"):
        folder.keep(KEY, Put("../elsewhere", put.sha256, put.n_bytes), {})


def test_blocks_in_a_folder_are_the_users_alone(tmp_path):
    before = os.umask(0)
    try:
        folder = Folder(tmp_path / "out")
        folder.root.mkdir(mode=0o700)
        folder.keep(KEY, put_down(folder), {})
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.root.rglob("*")} == {0o700, 0o600}


def test_a_folder_that_machines_do_not_share_is_told(tmp_path):
    (tmp_path / "here").mkdir(mode=0o700)
    (tmp_path / "there").mkdir(mode=0o700)
    with Folder(tmp_path / "here").marked() as mark:
        Folder(tmp_path / "here").check_mark(mark)
        with pytest.raises(CacheError, match="Name one that all machines share"):
            Folder(tmp_path / "there").check_mark(mark)


@pytest.mark.parametrize("address", ["ftp://there/blocks", "s3:///blocks", "no scheme://there"])
def test_an_address_that_nothing_can_be_written_to_is_refused(address):
    with pytest.raises(CacheError, match="cannot be written to"):
        bucket(address)


@pytest.mark.parametrize(
    "address",
    [
        "foo://AKIA:se-cret@bucket/blocks?token=to-ken",  # pyarrow's own message repeats it
        "s3://AKIA:se-cret/se-cret@bucket/blocks",  # a key as people copy it, with its slash not quoted
        "s3://AKIA:se-cret@bucket/blocks?token=to-ken",
    ],
)
def test_no_key_is_told_with_an_address_that_is_refused(address):
    with pytest.raises(CacheError, match="cannot be written to") as raised:
        bucket(address)
    assert not any(one in str(raised.value) for one in ("AKIA", "se-cret", "to-ken"))


def test_an_address_without_a_bucket_is_refused():
    with pytest.raises(CacheError, match="it names no bucket"):
        bucket("s3://")
