"""How much the server takes from its clients. All figures of this kind stand here, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

KIB, MIB = 1024, 1024**2


@dataclass(frozen=True)
class Limits:
    """How much connections, requests and answers may take.

    Attributes:
      max_connections: open connections at most, also where the process may open more files: the server looks at each of them
        whenever anything happens.
      kept_files: files that stay for the cache, models and logs; connections take none of these.
      idle_s: seconds that a connection may stay open with nothing going on. A page asks every second while it waits for
        something, and opens a new connection otherwise.
      head_s: seconds for the head of a request; a head is one packet or two.
      body_s: seconds for the body of a request, and what more it gets for each `body_rate` bytes that have come.
      body_rate: bytes per second. The slowest line over which a page of this size is still used has ten times as much.
      max_answer: bytes of an answer that may wait for a slow reader, on disk from 1 MB on. Any more holds a thread.
      max_body: bytes of a request that may hold whole examples; 5,000 examples of 1,000 words are about 30 MB.
      small_body: bytes of a request that holds none. LIT's own have 30.
      max_elements: values in a request, counted by brackets and commas before they are parsed, so that commas in texts count,
        too: 5,000 examples of 1,000 words have about 450,000. Parsing and checking so many takes under a second.
      max_depth: levels of nesting; LIT's own requests stay below 8.
      max_edited: examples in one request that are sent in full: as many edits as rows are shown. Each costs a forward pass.
      max_text: characters of a text. Tokenizers read all of it, also what the encoder then cuts off; the longest review of IMDB
        has 14,000.
      request_s: seconds until a request is answered that it took too long. The longest that pages wait for are UMAP's fits and
        the generators of large models.
    """

    max_connections: int = 4_096
    kept_files: int = 128
    idle_s: float = 15.0
    head_s: float = 15.0
    body_s: float = 20.0
    body_rate: int = 10_000
    max_answer: int = 256 * MIB
    max_body: int = 32 * MIB
    small_body: int = 16 * KIB
    max_elements: int = 500_000
    max_depth: int = 32
    max_edited: int = 5_000
    max_text: int = 100_000
    request_s: float = 120.0

    def connections(self, files: int) -> int:
        """How many connections may be open at a time in a process that may open so many files.

        A connection takes one more file where its body has over 512 kB or its answer over 1 MB.

        >>> Limits().connections(1_024), Limits().connections(1_000_000)
        (448, 4096)
        """
        return min(self.max_connections, max(1, (files - self.kept_files) // 2))


DEFAULT_LIMITS = Limits()
