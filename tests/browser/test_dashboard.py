"""The dashboard as a person uses it: make a schedule, look, run, pause, replay, and see it change."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from rrcli.settings import Settings
from tests.support import stack as stacks
from tests.support.browser import Watch, picture
from tests.support.receiver import Answer, Receiver

WIDTHS = {"phone": 360, "desk": 1100}


@pytest.fixture
def make(api: httpx.Client, hook: Receiver) -> Callable[..., str]:
    """Makes a schedule through REST; its id."""

    def schedule(name: str, **fields: object) -> str:
        rule = "DTSTART:20400101T000000Z\nRRULE:FREQ=DAILY"  # nothing runs by itself
        body = {"name": name, "rrule": rule, "callback_url": hook.url("/hook")} | fields
        answer = api.post("/api/schedules", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    return schedule


def test_a_person_makes_a_schedule_looks_when_it_runs_and_sees_it_run(page: Page, hook: Receiver) -> None:
    page.goto("/")
    page.get_by_role("link", name="New schedule").click()
    page.get_by_label("Name").fill("Tea")
    page.get_by_label("When: an RRULE").fill("FREQ=WEEKLY;BYDAY=MO;BYHOUR=8;BYMINUTE=30;BYSECOND=0")
    page.get_by_label("Time zone").fill("America/New_York")
    page.get_by_label("What: the URL to call").fill(hook.url("/tea"))
    page.get_by_role("button", name="Show when it runs").click()
    expect(page.get_by_role("heading", name=re.compile("every Monday"))).to_be_visible()
    picture(page, "new")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Tea")).to_be_visible()
    page.get_by_role("button", name="Run now").click()
    # The page asks again by itself until the call has ended.
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    assert [request.path for request in hook.requests if request.path == "/tea"] == ["/tea"]
    picture(page, "event")
    page.get_by_role("link", name="← Tea").click()
    expect(page.locator("#history .badge.completed")).to_have_count(1)


def test_pause_and_resume_are_seen_at_once(page: Page, make: Callable[..., str]) -> None:
    page.goto(f"/schedules/{make('Backup')}")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("h1 .badge")).to_have_text("paused")
    expect(page.get_by_text("nothing is planned")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("h1 .badge")).to_have_text("active")


def test_a_failed_call_is_replayed_and_the_history_has_both(
    page: Page, make: Callable[..., str], hook: Receiver, api: httpx.Client
) -> None:
    hook.answer("/fragile", Answer(status=404, body=b'{"why": "not yet"}'))
    schedule = make("Fragile", callback_url=hook.url("/fragile"))
    page.goto(f"/schedules/{schedule}")
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("failed")
    expect(page.get_by_text('"why": "not yet"')).to_be_visible()
    hook.answer("/fragile", Answer())
    page.goto(f"/schedules/{schedule}")
    page.locator("#history").get_by_role("button", name="Replay").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("completed")
    page.goto(f"/schedules/{schedule}")
    expect(page.locator("#history .badge")).to_have_count(2)
    # Both are of one run time; which stands first is not said.
    assert sorted(page.locator("#history .badge").all_inner_texts()) == ["completed", "failed"]


def test_delete_asks_first(page: Page, make: Callable[..., str]) -> None:
    schedule = make("Short-lived")
    page.goto(f"/schedules/{schedule}")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Short-lived")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/$"))
    expect(page.get_by_text("Short-lived")).to_have_count(0)


def test_times_are_on_the_clock_of_the_reader(
    browser: Browser, api: httpx.Client, make: Callable[..., str]
) -> None:
    start = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)  # noqa: TID251
    schedule = make("Lunch", rrule=f"DTSTART:{start:%Y%m%dT%H%M%SZ}")
    context = browser.new_context(base_url=str(api.base_url), timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.goto(f"/schedules/{schedule}")
    expect(page.locator("#next .quiet time")).to_have_text(f"{start:%Y-%m-%d} 21:00:00")
    context.close()


@pytest.mark.parametrize("width", list(WIDTHS))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_the_screen_and_can_be_read_by_all(
    browser: Browser, api: httpx.Client, make: Callable[..., str], hook: Receiver, scheme: str, width: str
) -> None:
    """No scrolling sideways, and nothing that axe finds against WCAG 2.1 A and AA, contrast included."""
    name = " ".join(["A name that goes on and on"] * 3) + "Donaudampfschiff" * 6
    soon = datetime.now(UTC) + timedelta(hours=1)  # noqa: TID251
    schedule = make(name, tags=["one", "long-" * 12], rrule=f"DTSTART:{soon:%Y%m%dT%H%M%SZ}")
    api.post(f"/api/schedules/{schedule}/trigger")
    event = api.get(f"/api/schedules/{schedule}/events/pending").json()["events"]
    context = browser.new_context(
        base_url=str(api.base_url),
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": WIDTHS[width], "height": 800},
    )
    watch = Watch(api.base_url.netloc.decode())
    page = watch.over(context.new_page())
    paths = {
        "schedules": "/",
        "schedule": f"/schedules/{schedule}",
        "new": "/schedules/new",
        "sign-in": "/sign-in",
    }
    if event:
        paths["event"] = f"/events/{event[0]['_id']}"
    for name, path in paths.items():
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is {wide} pixels too wide"
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        picture(page, f"{name}-{scheme}-{width}")
    context.close()
    assert watch.complaints == []


def test_a_page_says_when_it_is_no_longer_fresh(page: Page) -> None:
    page.goto("/")
    stale = page.get_by_text("No answer just now")
    expect(stale).to_be_hidden()
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('gone')); }")
    expect(stale).to_be_visible()


def test_a_printed_page_is_dark_on_white_and_has_no_buttons(
    browser: Browser, api: httpx.Client, make: Callable[..., str]
) -> None:
    context = browser.new_context(base_url=str(api.base_url), color_scheme="dark")
    page = context.new_page()
    page.goto(f"/schedules/{make('On paper')}")
    page.emulate_media(media="print", color_scheme="dark")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(255, 255, 255)"
    assert not any(button.is_visible() for button in page.get_by_role("button").all())
    picture(page, "printed")
    context.close()


def test_on_a_narrow_screen_a_tag_stands_under_its_name(
    browser: Browser, api: httpx.Client, make: Callable[..., str]
) -> None:
    make("Narrow", tags=["slim"])
    context = browser.new_context(base_url=str(api.base_url), viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.goto("/?tag=slim")
    name, tag = (page.locator(f"#schedules a.{kind}").bounding_box() for kind in ("name", "tag"))
    assert name
    assert tag
    assert (tag["x"], tag["y"] > name["y"]) == (name["x"], True)
    context.close()


def test_everything_is_within_reach_of_the_keyboard(page: Page, make: Callable[..., str]) -> None:
    make("Typed")
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("Typed")
    page.keyboard.press("Enter")
    page.locator("#schedules").get_by_role("link", name="Typed").focus()
    page.keyboard.press("Enter")
    for button, key in (("Pause", "Space"), ("Resume", "Enter")):
        page.get_by_role("button", name=button).focus()
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press(key)
    expect(page.locator("h1 .badge")).to_have_text("active")


def test_without_scripts_a_schedule_is_made_paused_and_run(
    browser: Browser, api: httpx.Client, hook: Receiver
) -> None:
    context = browser.new_context(base_url=str(api.base_url), java_script_enabled=False)
    page = context.new_page()
    page.goto("/schedules/new")
    page.get_by_label("Name").fill("Plain")
    page.get_by_label("When: an RRULE").fill("DTSTART:20400101T000000Z\nRRULE:FREQ=DAILY")
    page.get_by_label("What: the URL to call").fill(hook.url("/plain"))
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("h1 .badge")).to_have_text("paused")
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("heading", name="Why")).to_be_visible()
    context.close()


def test_a_page_that_could_not_be_shown_appears_once_it_can(
    browser: Browser, api: httpx.Client, tmp_path: Path
) -> None:
    port = stacks.free_port()
    nobody = f"127.0.0.1:{stacks.free_port()}"
    settings = Settings()
    away = replace(settings, mongo=replace(settings.mongo, uri=f"mongodb://{nobody}"))
    away = replace(away, redis=replace(settings.redis, url=f"redis://{nobody}"))
    there = replace(settings, embedded=replace(settings.embedded, data_dir=str(tmp_path / "data")))
    context = browser.new_context(base_url=f"http://127.0.0.1:{port}")
    page = context.new_page()
    with (
        stacks.running(away, tmp_path / "log", "api", API_PORT=str(port), API_WORKERS="1") as stack,
        stacks.client(stack),
    ):
        page.goto("/")
        expect(page.get_by_role("heading", name="The store cannot be reached")).to_be_visible()
    with stacks.running(there, tmp_path / "log", "api", API_PORT=str(port), API_WORKERS="1"):
        expect(page.get_by_role("heading", name="Schedules")).to_be_visible()
    context.close()
