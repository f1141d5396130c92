"""A whole stack on an embedded store, a receiver, and a browser in front of it."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import stack as stacks
from tests.support.browser import Watch, chromium
from tests.support.receiver import Receiver, receiver

PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    with receiver() as started:
        yield started


@pytest.fixture(scope="module")
def browser(hook: Receiver) -> Iterator[Browser]:
    """After the receiver: while Playwright runs, no other event loop can be started in this thread."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def api(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The REST service of a stack whose daemons run; after the browser, so that a skip costs nothing."""
    with stacks.whole(tmp_path_factory.mktemp("browser")) as (_, client):
        yield client


@pytest.fixture
def page(browser: Browser, api: httpx.Client) -> Iterator[Page]:
    """A new page, whose complaints fail the test."""
    context = browser.new_context(base_url=str(api.base_url), viewport={"width": 1000, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    watch = Watch(api.base_url.netloc.decode())
    try:
        yield watch.over(context.new_page())
    finally:
        context.close()
    assert watch.complaints == []
