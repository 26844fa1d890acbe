"""What encoders leave out of texts: asked of the tokenizer once, and then known without it, in the same numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lit_probe.data.text_pairs import joined
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder, encoder_of, load_encoder
from lit_probe.errors import EncoderError
from lit_probe.lit.host.unread import Unread, unread, unread_by_any

TEXTS = ["good film", "a bad film " * 40, "", "zzzxqj good", "été 日本 \N{SNOWMAN}"]
PAIRS = [joined("good film", "bad film"), joined("a bad film " * 40, "good"), joined("", "zzzxqj")]

# Says what is left out, and whether torch was loaded to say so.
PROGRAM = """
import json, sys
from pathlib import Path
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.lit.host.unread import unread
folder, cache, texts, options = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]), json.loads(sys.argv[4])
found = unread(load_encoder(folder, **options), texts, Cache(cache))
loaded = [name for name in ("torch", "transformers", "tokenizers") if name in sys.modules]
print(json.dumps([found.to_json(), loaded]))
"""


def entries(cache: Cache) -> list[Path]:
    return list((Path(cache.folder) / "unread").glob("*"))


def of_tokenizer(encoder: Encoder, texts: list[str]) -> Unread:
    encoded = encoder.encode(texts)
    return Unread(tuple(one.truncated for one in encoded), tuple(encoder.unknown(encoded)))


@pytest.mark.parametrize(
    ("kind", "architecture", "options", "texts"),
    [
        ("tiny_folder", "bert", {}, [*TEXTS, *PAIRS]),
        ("tiny_folder", "bert", {"max_length": 12, "keep": "tail"}, [*TEXTS, *PAIRS]),
        # How many positions roberta and t5 have is asked of torch where nobody says it.
        ("tiny_folder", "roberta", {"max_length": 12}, [*TEXTS, *PAIRS]),
        ("tiny_folder", "bert", {"template": "a film: {text} good"}, TEXTS),
        ("decoder_folder", "gpt2", {}, TEXTS),
        ("decoder_folder", "llama", {"template": "Review: {text}"}, TEXTS),
        ("decoder_folder", "t5", {"max_length": 12}, TEXTS),
    ],
)
def test_a_second_program_says_the_same_to_the_last_digit_and_loads_no_torch(
    request, tmp_path, kind, architecture, options, texts
):
    folder = request.getfixturevalue(kind)(architecture)
    cache = Cache(tmp_path / "cache")
    expected = of_tokenizer(load_encoder(str(folder), **options), texts)
    assert any(expected.truncated) and not all(expected.truncated)
    assert unread(load_encoder(str(folder), **options), texts, cache) == expected
    arguments = [str(folder), str(tmp_path / "cache"), json.dumps(texts), json.dumps(options)]
    said = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True)
    found, loaded = json.loads(said.stdout)
    assert Unread.from_json(found) == expected
    assert loaded == []


@pytest.mark.parametrize("change", ["max_length", "keep", "template", "texts", "tokenizer"])
def test_whatever_decides_the_tokens_is_another_question(tiny_folder, tmp_path, change):
    folder, cache = tiny_folder("bert"), Cache(tmp_path / "cache")
    texts = TEXTS[:4]
    options = {"max_length": {"max_length": 3}, "keep": {"keep": "tail"}, "template": {"template": "good {text}"}}.get(change, {})
    for _ in range(2):
        unread(load_encoder(str(folder)), texts, cache)
        assert len(entries(cache)) == 1
    if change == "texts":
        texts = texts[::-1]
    if change == "tokenizer":
        folder = tmp_path / "other"
        folder.mkdir()
        for file in Path(tiny_folder("bert")).iterdir():
            (folder / file.name).write_bytes(file.read_bytes().replace(b'"good"', b'"goood"'))
    encoder = load_encoder(str(folder), **options)
    assert unread(encoder, texts, cache) == of_tokenizer(encoder, texts)
    assert len(entries(cache)) == 2


def test_of_several_encoders_it_is_the_worst_and_of_none_nothing(tiny_folder, tmp_path):
    short, long = (load_encoder(str(tiny_folder("bert")), max_length=length) for length in (3, 60))
    found = unread_by_any([long, short], TEXTS, Cache(tmp_path))
    assert [cut for cut, _ in found] == list(of_tokenizer(short, TEXTS).truncated)
    shares = zip(*(of_tokenizer(one, TEXTS).unknown for one in (short, long)), strict=True)
    assert [share for _, share in found] == [max(both) for both in shares]
    assert unread_by_any([], ["a", "b"], Cache(None)) == [(False, 0.0)] * 2


def test_a_model_in_memory_is_asked_each_time_and_a_missing_tokenizer_is_told(tiny_folder, tmp_path):
    import transformers

    folder = tiny_folder("bert")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    encoder = encoder_of(transformers.AutoModel.from_pretrained(folder), tokenizer)
    cache = Cache(tmp_path / "cache")
    assert unread(encoder, TEXTS, cache) == of_tokenizer(encoder, TEXTS)
    assert entries(cache) == []
    empty = tmp_path / "empty"
    empty.mkdir()
    for name in ("config.json", "model.safetensors"):
        (empty / name).write_bytes((Path(folder) / name).read_bytes())
    with pytest.raises(EncoderError, match="holds no tokenizer"):
        unread(load_encoder(str(empty)), TEXTS, cache)
