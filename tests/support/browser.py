"""A real headless Chromium that sees this machine only, and what it complained of."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Watch:
    """What no page may do: errors on the console, and requests to another host than `host`."""

    host: str
    complaints: list[str] = field(default_factory=list)

    def over(self, page: Page) -> Page:
        """Watch one more page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._request)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self.host:
            self.complaints.append(f"request to {request.url}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine; without one the test is skipped, and fails in CI."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        said = "no Chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(said, pytrace=False)
        pytest.skip(said)
    # Started by root, as in a container, Chromium's own sandbox refuses to work; the pages are ours.
    options = ["--no-sandbox", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        try:
            yield browser
        finally:
            browser.close()


def picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page under build/screenshots."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
