"""What is computed of each layer by itself, such as the fit of its probe, by the machines of a Ray cluster.

A task opens the blocks in the cache folder that all machines share, reads one layer of them, and gives back what it made of it.
The program that asks has checked the blocks' hashes before.
"""

from __future__ import annotations

import pickle
import socket
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack
from typing import Any, TypeVar

from absl import logging

from lit_probe.encoder.block_places import Folder
from lit_probe.encoder.cache import Cache, library_versions
from lit_probe.encoder.memory import in_gb
from lit_probe.encoder.ray_extraction import LOOK_S, MOST_DEATHS, answer, joined, other_versions
from lit_probe.errors import CacheError, EncoderError

T = TypeVar("T")


class RayLayers:
    """Has a Ray cluster compute something of each layer, one core for each.

    The cluster is joined when it is first needed and left when this is closed: its workers are started once.

    Args:
      cache: of which the folder is shared by all machines, under the same path.
      address: of the cluster; None for that of the environment variable RAY_ADDRESS, or else one of this machine alone.
    """

    def __init__(self, cache: Cache, address: str | None = None):
        self._cache, self._address = cache, address
        self._stack, self._ray = ExitStack(), None

    def __enter__(self) -> RayLayers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def check_folder(self) -> Folder:
        """The folder.

        Raises:
          CacheError: there is none.
        """
        if self._cache.folder is None:
            raise CacheError(
                "Layers are spread over machines that read activations from one cache folder, and there is none. Name a folder "
                "that all machines see under the same path, and that can be written to, with the option cache_dir."
            )
        return Folder(self._cache.folder.absolute())

    def __call__(self, compute: Callable[[int], T], n_layers: int, n_bytes: int) -> Generator[tuple[int, T]]:
        """Each layer with what was made of it, as soon as it is there.

        Args:
          compute: makes it of the number of a layer. It travels to the machines; activations of the cache do as names of files.
          n_layers: how many layers there are.
          n_bytes: the memory that one takes. No machine is given more at once than it has.

        Raises:
          EncoderError: Ray is not installed or cannot be reached, no machine has the memory, one has other versions, or layer
            after layer kills its worker.
          CacheError: there is no folder that all see.
          LitProbeError: what ``compute`` raises.
        """
        place, versions = self.check_folder(), library_versions()
        ray = self._ray = self._ray or self._stack.enter_context(joined(self._address))
        with place.marked() as mark:
            task = ray.remote(num_cpus=1, memory=n_bytes, max_retries=0)(computed)
            # As bytes, since arrays that Ray hands over may not be written to.
            sent = ray.put(ray.cloudpickle.dumps(compute))

            def start(layer: int) -> Any:
                return task.remote(sent, layer, place, mark, versions)

            running = {start(layer): layer for layer in range(n_layers)}
            deaths = Counter[int]()
            try:
                while running:
                    _check_room(ray, n_bytes)
                    for call in ray.wait(list(running), num_returns=1, timeout=LOOK_S)[0]:
                        layer, made = running.pop(call), answer(ray, call)
                        if made is not None:
                            yield layer, made
                            continue
                        _count_death(deaths, layer, n_bytes)
                        running[start(layer)] = layer
            finally:
                # What nobody waits for any longer.
                for call in running:
                    ray.cancel(call, force=True)


def computed(sent: bytes, layer: int, place: Folder, mark: str, versions: Mapping[str, str]) -> Any:
    """What is made of a layer, on some machine.

    Args:
      sent: pickled, what makes it.
      layer: its number.
      place: the folder of the blocks.
      mark: of the place.
      versions: of the libraries of the program that asks.

    Raises:
      EncoderError: this machine has other ones.
      CacheError: it sees another folder.
      LitProbeError: what makes it raises.
    """
    host = socket.gethostname()
    if others := other_versions(library_versions(), versions):
        raise EncoderError(f"The machine {host} might give other digits: {others}.")
    try:
        place.check_mark(mark)
        compute = pickle.loads(sent)
    except (CacheError, OSError) as error:
        raise CacheError(f"On the machine {host}: {error}") from None
    return compute(layer)


def _count_death(deaths: Counter[int], layer: int, n_bytes: int) -> None:
    """Gives up a layer that kills worker after worker.

    Raises:
      EncoderError: so many have died of it.
    """
    deaths[layer] += 1
    if deaths[layer] >= MOST_DEATHS:
        raise EncoderError(
            f"{MOST_DEATHS} workers died while they worked on layer {layer}. Usually their machines have too little memory: it "
            f"takes about {in_gb(n_bytes)}."
        )
    logging.warning("A worker died while it worked on layer %d, which goes to another.", layer)


def _check_room(ray: Any, n_bytes: int) -> None:
    """That some machine can take a layer, so that nobody waits for ever.

    Raises:
      EncoderError: none can.
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(one.get("CPU", 0) >= 1 and one.get("memory", 0) >= n_bytes for one in machines):
        raise EncoderError(f"No machine of the Ray cluster has a core and {in_gb(n_bytes)} of memory for a layer.")
