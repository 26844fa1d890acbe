"""How much of a GPU does extraction use?

For a machine with a GPU: ``python -m benchmarks.gpu``, some minutes, with models of random weights that it makes itself, so
nothing is downloaded; ``--decoder=8b`` reads a larger decoder. ``--tiny`` runs all of it to the end at small sizes, also on a
CPU: no figure of that means anything.

(ao) matrix work of an encoder of bert-large's size and of a decoder, in bfloat16 at 256 tokens, as a share of what the GPU's
matrix product reaches: at least 50 %. (ap) the GPU's idle time in it: below 5 %. Beside them: what is made of 8,192 texts of 5
to 120 words by several rules for batches, peak memory with layers let go and kept, how long an edit waits beside bulk work, and
by how much float32 vectors differ from those of the CPU.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import in_turn, seconds
from lit_probe.encoder.activations import BLOCK_SIZE, extract_activations
from lit_probe.encoder.batching import BatchRule, cut_into_batches
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.thread import in_background, on_encoder_thread
from lit_probe.encoder.tokens import EncodedText

WORDS = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in ("n", "r", "st", "lo", "mi")]
N_EDITS = 40


@dataclass(frozen=True)
class Size:
    """A model of random weights.

    Attributes:
      kind: ``bert`` or ``llama``.
      n_blocks: blocks.
      width: of a hidden state.
      inner: width of the feed-forward part.
      n_heads: of attention.
      n_groups: of keys and values.
    """

    kind: str
    n_blocks: int
    width: int
    inner: int
    n_heads: int
    n_groups: int

    def work(self, lengths: Sequence[int]) -> float:
        """Multiplications and additions of the matrix products over texts of these lengths, padding not counted."""
        kept = self.width * self.n_groups // self.n_heads
        matrices = 2 * self.width**2 + 2 * self.width * kept + (3 if self.kind == "llama" else 2) * self.width * self.inner
        return self.n_blocks * sum(2.0 * n * matrices + 4.0 * n**2 * self.width for n in lengths)


BERT_BASE = Size("bert", 12, 768, 3_072, 12, 12)
BERT_LARGE = Size("bert", 24, 1_024, 4_096, 16, 16)
DECODERS = {"1b": Size("llama", 16, 2_048, 8_192, 32, 8), "8b": Size("llama", 32, 4_096, 14_336, 32, 8)}
TINY = {"bert": Size("bert", 2, 32, 48, 4, 4), "llama": Size("llama", 2, 32, 48, 4, 2)}


def build(folder: Path, size: Size, device: str) -> Path:
    """Saves a model of this size with random weights in bfloat16, and a word-piece tokenizer."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    signs = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: i for i, word in enumerate([*signs, *WORDS, *(f"##{word}" for word in WORDS)])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    options = {
        "vocab_size": len(vocabulary),
        "num_hidden_layers": size.n_blocks,
        "hidden_size": size.width,
        "intermediate_size": size.inner,
        "num_attention_heads": size.n_heads,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "bos_token_id": 2,
        "eos_token_id": 3,
    }
    if size.kind == "llama":
        config: Any = transformers.LlamaConfig(num_key_value_heads=size.n_groups, **options)
    else:
        config = transformers.BertConfig(**options)
    with torch.device(device):
        model = transformers.AutoModel.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return folder


def texts_of(n_texts: int, shortest: int, longest: int) -> list[str]:
    """Texts of so many words."""
    draw = random.Random(0)
    return [" ".join(draw.choices(WORDS, k=draw.randint(shortest, longest))) for _ in range(n_texts)]


def waits(device: str, function: Callable[[], Any]) -> Callable[[], Any]:
    """The function, after which the GPU has nothing left to do."""
    import torch

    def run() -> Any:
        result = function()
        if device != "cpu":
            torch.cuda.synchronize()
        return result

    return run


def bare(encoder: Encoder, parts: Sequence[Sequence[EncodedText]]) -> None:
    """The forward pass over the same batches, of which nothing is read."""
    import torch

    model = encoder.model

    def run(batch: Sequence[EncodedText]) -> None:
        with torch.inference_mode():
            model(**encoder.padded(batch).model_inputs)

    for part in parts:
        for indices in encoder.batches(part):
            on_encoder_thread(run, [part[i] for i in indices])


def product_rate(device: str, n: int, dtype: str) -> float:
    """Multiplications and additions per second of a product of two square matrices."""
    import torch

    one = torch.randn(n, n, device=device, dtype=getattr(torch, dtype))
    repeats = 20

    def multiply() -> None:
        on_encoder_thread(lambda: [one @ one for _ in range(repeats)])

    return repeats * 2.0 * n**3 / in_turn(3, multiply=waits(device, multiply))["multiply"]


def idle_share(function: Callable[[], Any]) -> float:
    """The share of the time from the first to the last kernel in which none ran, as the profiler saw it."""
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        function()
    found = [one.time_range for one in profiler.events() if one.device_type == DeviceType.CUDA]
    spans = sorted((one.start, one.end) for one in found)
    busy, until = 0.0, spans[0][0]
    for start, end in spans:
        busy += max(0.0, end - max(start, until))
        until = max(until, end)
    return 1 - busy / (until - spans[0][0])


def whole_use(name: str, encoder: Encoder, size: Size, n_blocks: int, n_words: int, peak: float, device: str) -> None:
    """(ao) and (ap) of one model at texts that are cut at 256 tokens, and its peak memory."""
    import torch

    texts = texts_of(n_blocks * BLOCK_SIZE, n_words, n_words)
    parts = [encoder.encode(texts[start : start + BLOCK_SIZE]) for start in range(0, len(texts), BLOCK_SIZE)]
    lengths = [len(text.ids) for part in parts for text in part]
    ours = waits(device, lambda: extract_activations(encoder, texts))
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(100))
        times = in_turn(
            2,
            bare=waits(device, lambda: bare(encoder, parts)),
            ours=ours,
            kept=waits(device, lambda: Cache(Path(folder, str(next(numbers)))).activations(encoder, texts)),
        )
    rate = {key: size.work(lengths) / time for key, time in times.items()}
    print(
        f"(ao) {name}, {len(texts):,} texts of {statistics.mean(lengths):.0f} tokens: {rate['ours'] / 1e12:.3g} TFLOP/s, "
        f"{rate['ours'] / peak:.1%} of the matrix product's {peak / 1e12:.3g} (at least 50 %); written to a cache "
        f"{rate['kept'] / peak:.1%}, the bare forward {rate['bare'] / peak:.1%}",
        flush=True,
    )
    tokenising = seconds(lambda: encoder.encode(texts[:BLOCK_SIZE])) / (times["ours"] / n_blocks)
    print(f"     tokenising on its own: {tokenising:.1%} of the time of a block", flush=True)
    if device == "cpu":
        return
    print(
        f"(ap) {name}: idle {idle_share(ours):.1%} (below 5 %), bare {idle_share(lambda: bare(encoder, parts)):.1%}", flush=True
    )
    let_go = encoder._loaded.met_layers
    for what, met in (("let go", let_go), ("kept to the end", None)):
        encoder._loaded.met_layers = met
        torch.cuda.reset_peak_memory_stats()
        extract_activations(encoder, texts[:BLOCK_SIZE])
        print(f"     peak memory, layers {what}: {torch.cuda.max_memory_allocated() / 1e9:.2f} GB", flush=True)
    encoder._loaded.met_layers = let_go


def rules(encoder: Encoder, n_texts: int, device: str) -> None:
    """Texts of all lengths by several rules for batches, the former one first."""
    texts = texts_of(n_texts, 5, 120)
    lengths = sorted((len(text.ids) for text in encoder.encode(texts[:BLOCK_SIZE])), reverse=True)
    ours = encoder.batch_rule
    tried = [BatchRule(65_536), ours, *(BatchRule(ours.max_tokens, 1 / 8, n) for n in (2_048, 4_096, 16_384))]
    asked = Encoder.batch_rule
    for rule in tried:
        Encoder.batch_rule = rule  # type: ignore[assignment, method-assign]
        try:
            time = in_turn(2, ours=waits(device, lambda: extract_activations(encoder, texts)))["ours"]
        finally:
            Encoder.batch_rule = asked  # type: ignore[method-assign]
        batches = cut_into_batches(lengths, rule)
        padded = sum((one.stop - one.start) * lengths[one.start] for one in batches)
        print(
            f"     {rule}{' (ours)' if rule == ours else ''}: {len(texts) / time:,.0f} texts a second, "
            f"{len(batches)} batches a block, {1 - sum(lengths) / padded:.0%} padding",
            flush=True,
        )


def edits(encoder: Encoder, n_texts: int) -> None:
    """How long one text takes alone, and while a study reads texts in the background."""
    texts, over = texts_of(n_texts, 5, 120), threading.Event()

    def work() -> None:
        with in_background():
            while not over.is_set():
                extract_activations(encoder, texts)

    def measured() -> list[float]:
        return sorted(seconds(extract_activations, encoder, [text]) for text in texts[:N_EDITS])

    idle = measured()
    worker = threading.Thread(target=work)
    worker.start()
    try:
        busy = measured()
    finally:
        over.set()
        worker.join()
    at = round(0.95 * (N_EDITS - 1))
    print(
        f"     an edit: median {1e3 * idle[N_EDITS // 2]:.1f} ms, beside bulk work {1e3 * busy[N_EDITS // 2]:.1f} ms, "
        f"95 of 100 {1e3 * busy[at]:.1f} ms",
        flush=True,
    )


def digits(folder: Path, device: str) -> None:
    """By how much float32 vectors differ between CPU and GPU."""
    texts = texts_of(64, 5, 120)
    here, there = (extract_activations(load_encoder(str(folder), device=one), texts).values for one in ("cpu", device))
    print(f"     float32 against the CPU: {np.abs(here - there).max():.1e} of {np.abs(here).max():.1f} at most", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a line for each figure as soon as it is there."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tiny", action="store_true", help="small sizes, to see that it runs")
    parser.add_argument("--decoder", choices=sorted(DECODERS), default="1b")
    given = parser.parse_args(arguments)
    tiny = given.tiny
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not tiny:
        raise SystemExit("torch sees no GPU here. --tiny shows that the script runs.")
    print(torch.cuda.get_device_name() if device != "cpu" else "CPU, tiny sizes: no figure means anything", flush=True)
    peak = product_rate(device, 64 if tiny else 8_192, "bfloat16")
    models = {
        "bert-base": (TINY["bert"] if tiny else BERT_BASE, 1),
        "bert-large": (TINY["bert"] if tiny else BERT_LARGE, 1 if tiny else 6),
        f"decoder {given.decoder}": (TINY["llama"] if tiny else DECODERS[given.decoder], 1 if tiny else 4),
    }
    for name, (size, n_blocks) in models.items():
        with tempfile.TemporaryDirectory() as temporary:
            folder = build(Path(temporary), size, device)
            encoder = load_encoder(str(folder), device=device, dtype="bfloat16")
            if name == "bert-base":
                rules(encoder, 100 if tiny else 8_192, device)
                edits(encoder, 100 if tiny else 8_192)
                digits(folder, device)
            else:
                whole_use(name, encoder, size, n_blocks, 10 if tiny else 300, peak, device)


if __name__ == "__main__":
    main()
