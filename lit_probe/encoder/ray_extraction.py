"""Activations of many texts, computed by many machines of a Ray cluster. Ray enters here and nowhere else.

The program that asks cuts the texts into the blocks of the cache, and hands one at a time to each worker: an encoder on a GPU
or on a few cores. A worker computes a block as one machine would, puts it down (`encoder/block_places`) and says its hash; the
program signs it. Blocks that are there are passed over, so a run that was cut off goes on. The block of a worker that dies goes
to another.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lit_probe.encoder.activations import extract_block
from lit_probe.encoder.block_places import Place, Put
from lit_probe.encoder.cache import Cache, block_content
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.memory import in_gb
from lit_probe.encoder.sites import Site
from lit_probe.errors import CacheError, EncoderError, LitProbeError

# A block, or a start, that as many workers have died of is given up.
MOST_DEATHS = 3
# Seconds between two looks for machines that have come or gone, and between two lines on how far it is.
LOOK_S = 5.0
_TELL_S = 10.0


@dataclass(frozen=True)
class Recipe:
    """How a worker loads an encoder: on another machine it may lie elsewhere.

    Attributes:
      model_id: a hub id, or a folder that all machines share.
      revision: the hub commit.
      options: as of `load_encoder`.
      random_seed: the seed by which its weights are drawn; None for trained ones.
      sites: where it is read; none for its layers.
    """

    model_id: str
    revision: str | None
    options: Mapping[str, Any]
    random_seed: int | None
    sites: tuple[Site, ...]

    @classmethod
    def of(cls, encoder: Encoder, device: str, *, trust_remote_code: bool = False) -> Recipe:
        """The recipe of an encoder.

        Raises:
          EncoderError: it is in this program's memory, or gives vectors alone.
        """
        if not encoder.has_network or encoder.checkpoint.in_memory:
            raise EncoderError(f"{encoder.name} is in the memory of this program, so no other machine can load it.")
        here = Path(encoder.checkpoint.model_id).expanduser()
        options = {"max_length": encoder.max_length, "keep": encoder.keep, "dtype": encoder.dtype, "template": encoder.template}
        options |= {"chat": encoder.chat is not None, "device": device, "trust_remote_code": trust_remote_code}
        return cls(
            str(here.resolve()) if here.exists() else encoder.checkpoint.model_id,
            encoder.checkpoint.revision,
            options,
            encoder.random_seed,
            encoder.sites if encoder.at_sites else (),
        )

    def load(self) -> Encoder:
        """The encoder; errors as of `load_encoder`."""
        encoder = load_encoder(self.model_id, self.revision, **self.options)
        if self.random_seed is not None:
            encoder = encoder.randomised(self.random_seed)
        return encoder.at(self.sites) if self.sites else encoder


@dataclass(frozen=True)
class Task:
    """A block that is to be computed.

    Attributes:
      key: the name of its entry.
      facts: what decides it.
      texts: its texts.
    """

    key: str
    facts: Mapping[str, Any]
    texts: Sequence[str]


@dataclass
class Extraction:
    """How far an extraction is.

    Attributes:
      n_texts: texts of which the blocks are there, be they found or written.
      n_found: blocks that were there before.
      n_written: blocks that were written.
      n_bytes: the size of what was written.
      n_again: blocks that were handed out once more since their worker had died.
      n_workers: workers that are at work.
      workers: what each worker that has begun says of itself.
      texts_written: texts of the blocks that were written.
      since: when the first worker began, in seconds of a clock that only goes on; None before.
    """

    n_texts: int = 0
    n_found: int = 0
    n_written: int = 0
    n_bytes: int = 0
    n_again: int = 0
    n_workers: int = 0
    workers: list[str] = field(default_factory=list)
    texts_written: int = 0
    since: float | None = None

    @property
    def sentence(self) -> str:
        """How far it is, and how fast, in a sentence."""
        found = f" ({self.n_found:,} blocks were there)" if self.n_found else ""
        again = f", {self.n_again:,} handed out again" if self.n_again else ""
        seconds = 0.0 if self.since is None else time.monotonic() - self.since
        rate = f", {self.texts_written / seconds:,.0f} texts a second" if self.texts_written else ""
        return (
            f"{self.n_texts:,} texts done{found}; {self.n_written:,} blocks written, {in_gb(self.n_bytes)}{again}; "
            f"{self.n_workers} at work{rate}"
        )


class Worker:
    """One encoder in a process of its own, which Ray has put on some machine.

    Args:
      recipe: how it is loaded.
      pooling: a name in ``POOLINGS``.
      dtype: as what blocks are kept, as of `Cache`.
      place: where they are put.
    """

    def __init__(self, recipe: Recipe, pooling: str, dtype: str, place: Place):
        self._recipe, self._pooling, self._place = recipe, pooling, place
        self._keys = Cache(None, dtype)
        self._encoder: Encoder | None = None

    def begin(self, mark: str) -> str:
        """Loads the weights; says where.

        Args:
          mark: of the place.

        Raises:
          EncoderError: it cannot, or its place is another one.
        """
        host = socket.gethostname()
        try:
            self._place.check_mark(mark)
            self._encoder = self._recipe.load()
            device = self._encoder.model.device
        except LitProbeError as error:
            raise EncoderError(f"On the machine {host}: {error}") from None
        return f"{host}, {device}, process {os.getpid()}"

    def write(self, task: Task) -> Put:
        """Computes a block and puts it down.

        Raises:
          EncoderError: it would be another block here.
          CacheError: it cannot be written.
        """
        assert self._encoder is not None
        key, facts = self._keys.block_entry(self._encoder.fingerprint, task.texts, self._pooling)
        if key != task.key:
            raise EncoderError(
                f"The machine {socket.gethostname()} would compute another block: {_difference(facts, task.facts)}."
            )
        block = extract_block(self._encoder, task.texts, self._pooling).kept_as(self._keys.dtype)
        try:
            return self._place.put(key, block_content(block))
        except (CacheError, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CacheError(f"The machine {socket.gethostname()} cannot write blocks ({reason}).") from None


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """In what two blocks of the same name in a run differ, for a message."""
    if versions := other_versions(there["versions"], here["versions"]):
        return versions
    if here["encoder"] != there["encoder"]:
        return "its files of the model are others. Give all machines the same files"
    return "its lit_probe is another version"


def other_versions(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """In which libraries another machine differs from that of the program that asks, and what to do; empty where in none.

    >>> other_versions({"numpy": "1.0"}, {"numpy": "2.0"})
    'it has numpy 1.0, and 2.0 here. Install the same versions on all machines'
    """
    others = [f"{name} {there.get(name)}, and {version} here" for name, version in here.items() if version != there.get(name)]
    return f"it has {'; '.join(others)}. Install the same versions on all machines" if others else ""


def extract_blocks(
    encoder: Encoder,
    pooling: str,
    blocks: Iterable[Sequence[str]],
    place: Place,
    cache: Cache,
    *,
    address: str | None = None,
    device: str = "auto",
    cores: int | None = None,
    trust_remote_code: bool = False,
    tell: Callable[[Extraction], None] = lambda found: None,
) -> Extraction:
    """Sees to it that the blocks of an encoder are in a place; those that are not there are computed by a Ray cluster.

    Args:
      encoder: the frozen encoder. Its weights are not loaded here.
      pooling: a name in ``POOLINGS``.
      blocks: the texts of each block, as `split_rows` cuts them; read as workers get free.
      place: where they are put.
      cache: names the entries; as what it keeps activations, they are written.
      address: of the cluster; None for that of the environment variable RAY_ADDRESS, or else one of this machine alone.
      device: ``cpu``, ``cuda``, or ``auto`` for GPUs where the cluster has any.
      cores: of a machine for each worker; None for as many as torch uses on this machine, on which the last digits depend, and
        for one where each has a GPU.
      trust_remote_code: as of `load_encoder`.
      tell: hears every few seconds how far it is.

    Raises:
      EncoderError: Ray is not installed or cannot be reached, no machine has room for a worker, a worker cannot load the encoder
        or would compute something else, or block after block kills its worker.
      CacheError: the place cannot be written to, or what a worker wrote there cannot be found here.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise EncoderError(
            f"Ray itself says which GPU is whose, so {device!r} cannot be asked for. Choose one of: auto, cpu, cuda."
        )
    found = Extraction()
    tasks = _missing(encoder.fingerprint, pooling, blocks, place, cache, found)
    try:
        first = next(tasks, None)
        if first is not None:
            recipe = Recipe.of(encoder, device, trust_remote_code=trust_remote_code)
            with joined(address) as ray, place.marked() as mark:
                n_gpus = 1 if device == "cuda" or (device == "auto" and ray.cluster_resources().get("GPU")) else 0
                # Ray lets a worker's torch use as many threads.
                cores = cores or (1 if n_gpus else _threads_here())
                worker = ray.remote(num_cpus=cores, num_gpus=n_gpus, max_restarts=0)(Worker)
                crew = _Crew(ray, lambda: worker.remote(recipe, pooling, cache.dtype, place), mark, cores, n_gpus)
                _run(crew, first, tasks, place, found, tell)
    except OSError as error:
        raise CacheError(f"Blocks cannot be written: {error}") from None
    return found


def _threads_here() -> int:
    import torch

    return torch.get_num_threads()


def _missing(
    fingerprint: str, pooling: str, blocks: Iterable[Sequence[str]], place: Place, cache: Cache, found: Extraction
) -> Iterator[Task]:
    """The blocks that are not there; each once, however often its texts are."""
    asked = set()
    for texts in blocks:
        key, facts = cache.block_entry(fingerprint, texts, pooling)
        if key not in asked and not place.is_kept(key):
            asked.add(key)
            yield Task(key, facts, texts)
        else:
            found.n_found += 1
            found.n_texts += len(texts)


@contextmanager
def joined(address: str | None) -> Iterator[Any]:
    """Ray, with this program as a part of the cluster.

    Args:
      address: as of `extract_blocks`.

    Raises:
      EncoderError: Ray is not installed, or there is no cluster.
    """
    # Ray would tell its makers that it is used, and about what machine.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise EncoderError("Ray is not installed. Install it with: pip install 'lit-probe[ray]'") from None
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except Exception as error:  # Ray raises no more special one where a node needs more than 30 s to start
        where = "Ray cannot be started here" if address is None else f"The Ray cluster {address!r} cannot be joined"
        raise EncoderError(f"{where}: {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def answer(ray: Any, call: Any) -> Any:
    """What a call that is over has returned; None where its worker has died.

    Raises:
      LitProbeError: what it has raised.
    """
    try:
        return ray.get(call)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, LitProbeError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError:
        return None


class _Crew:
    """The workers of a cluster: as many as there is room for, also when machines come and go.

    Attributes:
      ray: Ray.
      free: workers that wait for a block.
      running: what each call is of: its worker and its block, None for one that begins.
    """

    def __init__(self, ray: Any, start: Callable[[], Any], mark: str, cores: int, n_gpus: int):
        self.ray, self._start, self._mark, self._cores, self._n_gpus = ray, start, mark, cores, n_gpus
        self.free: deque[Any] = deque()
        self.running: dict[Any, tuple[Any, Task | None]] = {}
        self._looked = -LOOK_S

    @property
    def at_work(self) -> int:
        """The number of workers that have a block."""
        return sum(task is not None for _, task in self.running.values())

    def fill(self) -> None:
        """Starts workers where there is room for more.

        Raises:
          EncoderError: there is no worker and no room for one.
        """
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        rooms = sum(self._room(node["Resources"]) for node in self.ray.nodes() if node["Alive"])
        for _ in range(rooms - len(self.free) - len(self.running)):
            worker = self._start()
            self.running[worker.begin.remote(self._mark)] = worker, None
        if not self.free and not self.running:
            gpu = " and a GPU" if self._n_gpus else ""
            raise EncoderError(f"No machine of the Ray cluster has {self._cores} cores{gpu} for an encoder. Ask for fewer cores.")

    def _room(self, resources: Mapping[str, float]) -> int:
        by_cores = int(resources.get("CPU", 0) // self._cores)
        return min(by_cores, int(resources.get("GPU", 0))) if self._n_gpus else by_cores

    def give(self, task: Task) -> None:
        """Hands a block to a worker that is free."""
        worker = self.free.popleft()
        self.running[worker.write.remote(task)] = worker, task

    def answers(self) -> Iterator[tuple[Task | None, Put | str | None]]:
        """What workers that are done say, with their blocks; None instead where a worker has died.

        Raises:
          LitProbeError: what a worker has raised.
        """
        done, _ = self.ray.wait(list(self.running), num_returns=1, timeout=LOOK_S)
        for call in done:
            worker, task = self.running.pop(call)
            said = answer(self.ray, call)
            if said is None:
                # Room may be there at once.
                self._looked = -LOOK_S
            else:
                self.free.append(worker)
            yield task, said


def _run(
    crew: _Crew, first: Task, tasks: Iterator[Task], place: Place, found: Extraction, tell: Callable[[Extraction], None]
) -> None:
    waiting, deaths, told = deque([first]), Counter[str | None](), time.monotonic()
    while waiting or any(task is not None for _, task in crew.running.values()):
        crew.fill()
        while crew.free and waiting:
            crew.give(waiting.popleft())
            if not waiting and (more := next(tasks, None)) is not None:
                waiting.append(more)
        for task, said in crew.answers():
            if isinstance(said, Put):
                assert task is not None
                place.keep(task.key, said, task.facts)
                found.n_written, found.n_bytes = found.n_written + 1, found.n_bytes + said.n_bytes
                found.n_texts, found.texts_written = found.n_texts + len(task.texts), found.texts_written + len(task.texts)
            elif said is not None:
                found.workers.append(said)
                found.since = found.since or time.monotonic()
                deaths[None] = 0
            else:
                _count_death(deaths, task)
                if task is not None:
                    found.n_again += 1
                    waiting.appendleft(task)
        found.n_workers = crew.at_work
        if time.monotonic() - told >= _TELL_S:
            told = time.monotonic()
            tell(found)


def _count_death(deaths: Counter[str | None], task: Task | None) -> None:
    """Gives up what kills worker after worker.

    Raises:
      EncoderError: so many have died of it.
    """
    key = None if task is None else task.key
    deaths[key] += 1
    if deaths[key] >= MOST_DEATHS:
        when = "they loaded the encoder" if task is None else f"they computed the same block of {len(task.texts):,} texts"
        raise EncoderError(
            f"{MOST_DEATHS} workers died while {when}. Usually their machines have too little memory: ask for more cores for "
            "each, so that fewer share a machine."
        )
