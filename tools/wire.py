"""What a page's load sends over the wire, and how long it keeps the browser's main thread busy, as Chromium itself counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page

# A page has come to rest when its main thread was busy for less than so many seconds of one.
_AT_REST_S = 0.03
_MOST_LOOKS = 120


@dataclass(frozen=True)
class Load:
    """What one load of a page took, until the page had come to rest.

    Attributes:
      requests: method and address of each request that left the browser's cache.
      n_bytes: what came over the wire for them, heads included.
      busy_s: CPU seconds of the main thread.
    """

    requests: tuple[str, ...]
    n_bytes: int
    busy_s: float


class Wire:
    """Counts what one page of a browser sends and gets.

    Args:
      page: a page that has no routes: with them, browsers keep nothing.
    """

    def __init__(self, page: Page):
        self._page = page
        self._devtools: CDPSession = page.context.new_cdp_session(page)
        self._sent: dict[str, str] = {}
        self._bytes: dict[str, int] = {}
        for event, act in {
            "requestWillBeSent": self._note_sent,
            "requestServedFromCache": self._note_kept,
            "responseReceived": self._note_response,
            "loadingFinished": self._note_finished,
        }.items():
            self._devtools.on(f"Network.{event}", act)
        self._devtools.send("Network.enable")
        # Time in which it really ran: other programs may keep it from running.
        self._devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def load(self, url: str | None = None) -> Load:
        """Opens an address, or loads the page again, and waits until it has come to rest."""
        self._sent.clear()
        self._bytes.clear()
        if url is None:
            self._page.reload()
        else:
            self._page.goto(url)
        self._page.wait_for_load_state("networkidle")
        last = 0.0
        for _ in range(_MOST_LOOKS):
            self._page.wait_for_timeout(1_000)
            now = self._busy_s()
            if now - last < _AT_REST_S:
                break
            last = now
        return Load(tuple(self._sent.values()), sum(self._bytes.get(one, 0) for one in self._sent), now)

    def _busy_s(self) -> float:
        """Seconds since the document was asked for: Chromium counts anew for each."""
        found = self._devtools.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in found if one["name"] == "TaskDuration"))

    def _note_sent(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):
            self._sent[event["requestId"]] = f"{event['request']['method']} {event['request']['url']}"

    def _note_kept(self, event: dict[str, Any]) -> None:
        self._sent.pop(event["requestId"], None)

    def _note_response(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self._sent.pop(event["requestId"], None)

    def _note_finished(self, event: dict[str, Any]) -> None:
        self._bytes[event["requestId"]] = int(event["encodedDataLength"])
