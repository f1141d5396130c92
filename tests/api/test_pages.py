"""The dashboard, page by page: what it shows, what its buttons do, and what it lets nobody do."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from falcon.testing import Result, TestClient

from rrcli.core.api_keys import Scope
from rrcli.core.models import EventState, Schedule
from rrcli.errors import StoreUnavailable
from rrcli.operations import api_keys, events, schedules
from rrcli.operations.context import Context
from rrcli.operations.days import Day
from rrcli_api.app import create_waiting_app
from rrcli_api.pages import drawing
from rrcli_api.pages.session import COOKIE
from tests.support.clock import FakeClock

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def schedule(context: Context) -> Schedule:
    fields = {"name": "Backup", "rrule": "FREQ=HOURLY", "callback_url": "https://example.com/b"}
    return schedules.create(context, fields)


def post(client: TestClient, path: str, body: str = "", **headers: str) -> Result:
    return client.simulate_post(path, body=body, headers={**FORM, **headers})


def end_one(context: Context, schedule: Schedule, state: EventState = EventState.ERROR) -> str:
    """One event of the schedule that has ended; its id."""
    made = events.trigger(context, schedule.id)
    context.repository.queues.withdraw([made.id])
    context.repository.events.archive([made.moved(state, context.now(), "HTTP 500")], context.now())
    return made.id


def test_the_first_page_lists_schedules_with_next_run_and_last_runs(
    context: Context, client: TestClient, schedule: Schedule
) -> None:
    end_one(context, schedule)
    page = client.simulate_get("/").text
    assert f'href="/schedules/{schedule.id}">Backup</a>' in page
    assert 'aria-label="Last 1 runs; the newest failed"' in page
    assert "Not running: prequeuer, dispatcher, worker." in page


def test_without_schedules_it_says_how_to_make_one(client: TestClient) -> None:
    assert "Make the first one" in client.simulate_get("/").text


def test_it_finds_by_name_tag_and_state(client: TestClient, schedule: Schedule) -> None:
    assert "Backup" in client.simulate_get("/?name=back&tag=&state=active").text
    assert "No schedule fits" in client.simulate_get("/?name=other").text
    assert client.simulate_get("/?state=gone").status_code == 400


def test_what_users_wrote_is_text_and_never_markup(context: Context, client: TestClient) -> None:
    evil = "<script>alert(1)</script>"
    made = schedules.create(
        context, {"name": evil, "rrule": "FREQ=DAILY", "callback_url": "https://e.org", "tags": ["a&b"]}
    )
    for path in ("/", f"/schedules/{made.id}"):
        page = client.simulate_get(path)
        assert evil not in page.text
        assert "&lt;script&gt;" in page.text
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_one_schedule_shows_its_rule_in_words_its_days_and_its_history(
    context: Context, client: TestClient, schedule: Schedule
) -> None:
    event_id = end_one(context, schedule)
    page = client.simulate_get(f"/schedules/{schedule.id}").text
    assert "every hour" in page.lower()
    assert page.count('<g class="planned">') > 50
    assert "1 failed" in page
    assert f"/events/{event_id}" in page


def test_pause_and_resume(context: Context, client: TestClient, schedule: Schedule) -> None:
    answer = post(client, f"/schedules/{schedule.id}/pause")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/schedules/{schedule.id}")
    page = client.simulate_get(f"/schedules/{schedule.id}").text
    assert "Paused on the dashboard" in page
    assert "nothing is planned" in page
    assert post(client, f"/schedules/{schedule.id}/resume").status_code == 303
    assert schedules.get(context, schedule.id).state == "active"


def test_run_now_leads_to_the_new_event(client: TestClient, schedule: Schedule) -> None:
    answer = post(client, f"/schedules/{schedule.id}/trigger")
    page = client.simulate_get(answer.headers["Location"])
    assert page.status_code == 200
    assert "waiting" in page.text


def test_an_event_tells_its_story_and_is_called_again_once(
    context: Context, client: TestClient, schedule: Schedule
) -> None:
    event_id = end_one(context, schedule)
    assert "HTTP 500" in client.simulate_get(f"/events/{event_id}").text
    first = post(client, f"/events/{event_id}/replay").headers["Location"]
    assert first != f"/events/{event_id}"
    assert post(client, f"/events/{event_id}/replay").headers["Location"] == first
    assert event_id in client.simulate_get(first).text


def test_what_failed_within_a_week_is_replayed(
    context: Context, client: TestClient, schedule: Schedule, clock: FakeClock
) -> None:
    clock.advance(timedelta(minutes=2))
    waiting = context.repository.events.pending(schedule.id, limit=10).items
    ids = [event.id for event in waiting]
    context.repository.queues.withdraw(ids)
    failed = [event.moved(EventState.ERROR, context.now(), "HTTP 500") for event in waiting]
    context.repository.events.archive(failed, context.now())
    due = sum(event.run_time <= context.now() for event in waiting)
    answer = post(client, f"/schedules/{schedule.id}/replay")
    assert answer.headers["Location"] == f"/schedules/{schedule.id}?done={due}"
    assert "queued again" in client.simulate_get(f"/schedules/{schedule.id}", query_string=f"done={due}").text


def test_a_waiting_event_can_be_cancelled(client: TestClient, schedule: Schedule) -> None:
    path = post(client, f"/schedules/{schedule.id}/trigger").headers["Location"]
    assert post(client, f"{path}/cancel").status_code == 303
    assert "cancelled" in client.simulate_get(path).text
    again = post(client, f"{path}/cancel")
    assert again.status_code == 409
    assert "has ended already" in again.text


def test_delete_leads_back_to_the_list(context: Context, client: TestClient, schedule: Schedule) -> None:
    assert post(client, f"/schedules/{schedule.id}/delete").headers["Location"] == "/"
    gone = client.simulate_get(f"/schedules/{schedule.id}")
    assert gone.status_code == 404
    assert "There is nothing here" in gone.text


def test_a_new_schedule_is_looked_at_first_and_then_made(context: Context, client: TestClient) -> None:
    body = (
        "name=Report&rrule=FREQ%3DDAILY&timezone=Europe%2FBerlin&callback_url=https%3A%2F%2Fe.org&tags=a%2C+b"
    )
    looked = post(client, "/schedules/new", f"{body}&look=1")
    assert looked.status_code == 200
    assert "It runs every day" in looked.text
    assert 'value="Report"' in looked.text
    assert context.repository.schedules.find(limit=1).total == 0
    made = post(client, "/schedules/new", body)
    stored = schedules.get(context, made.headers["Location"].rpartition("/")[2])
    assert (stored.name, stored.timezone, stored.tags) == ("Report", "Europe/Berlin", ("a", "b"))


def test_refused_fields_say_why_beside_them_and_keep_what_was_typed(client: TestClient) -> None:
    answer = post(
        client, "/schedules/new", "name=Report&rrule=FREQ%3DSOMETIMES&callback_url=ftp%3A%2F%2Fe.org"
    )
    assert answer.status_code == 422
    assert 'id="rrule-refused"' in answer.text
    assert 'id="callback_url-refused"' in answer.text
    assert "FREQ=SOMETIMES" in answer.text


@pytest.mark.parametrize(
    "path", ["/schedules/zz", "/schedules/0123456789abcdef01234567", "/events/1", "/assets/x"]
)
def test_errors_are_pages_for_people(client: TestClient, path: str) -> None:
    answer = client.simulate_get(path)
    assert answer.status_code in (400, 404)
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_browser_that_is_lost_gets_a_page_and_a_program_gets_json(client: TestClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert "There is nothing here" in client.simulate_get("/nopage", headers=browser).text
    assert client.simulate_get("/nopage").json["error"]["code"] == "not_found"
    assert client.simulate_get("/api/nothing", headers=browser).json["error"]["code"] == "not_found"


def test_a_store_that_is_away_is_said_on_the_page(clock: FakeClock) -> None:
    client = TestClient(create_waiting_app(clock, StoreUnavailable("MongoDB does not answer.")))
    for path in ("/", "/schedules/0123456789abcdef01234567"):
        answer = client.simulate_get(path)
        assert answer.status_code == 503
        assert "MongoDB does not answer." in answer.text


@pytest.mark.parametrize("name", ["page.css", "page.js", "icon.svg"])
def test_assets_are_asked_for_again_only_when_they_changed(client: TestClient, name: str) -> None:
    first = client.simulate_get(f"/assets/{name}")
    again = client.simulate_get(f"/assets/{name}", headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_no_page_names_another_host(client: TestClient, schedule: Schedule) -> None:
    for path in (
        "/",
        f"/schedules/{schedule.id}",
        "/schedules/new",
        "/sign-in",
        "/assets/page.css",
        "/assets/page.js",
    ):
        text = client.simulate_get(path).text.replace("https://example.", "")
        assert re.findall(r'(?:src|href|url\()\s*=?\s*"?(?:https?:)?//', text) == [], path


@pytest.fixture
def key(context: Context) -> Callable[[Scope], str]:
    return lambda scope: api_keys.create(context, name="person", scope=scope)[1]


def test_with_keys_a_person_signs_in_and_comes_back_to_the_page(
    client: TestClient, schedule: Schedule, key: Callable[[Scope], str]
) -> None:
    text = key(Scope.WRITE)
    refused = client.simulate_get(f"/schedules/{schedule.id}")
    assert refused.headers["Location"] == f"/sign-in?next=%2Fschedules%2F{schedule.id}"
    wrong = post(client, "/sign-in", "key=rrk_wrong&next=/")
    assert wrong.status_code == 401
    assert COOKIE not in wrong.cookies
    right = post(client, "/sign-in", f"key={text}&next=/schedules/{schedule.id}")
    assert right.headers["Location"] == f"/schedules/{schedule.id}"
    cookie = right.cookies[COOKIE]
    assert (cookie.http_only, cookie.same_site) == (True, "Strict")
    opened = client.simulate_get(f"/schedules/{schedule.id}", cookies={COOKIE: cookie.value})
    assert opened.status_code == 200
    assert "Sign out" in opened.text


def test_a_cookie_opens_pages_and_not_the_api(client: TestClient, key: Callable[[Scope], str]) -> None:
    assert client.simulate_get("/api/schedules", cookies={COOKIE: key(Scope.READ)}).status_code == 401


def test_a_key_that_only_reads_presses_no_button(
    client: TestClient, schedule: Schedule, key: Callable[[Scope], str]
) -> None:
    cookies = {COOKIE: key(Scope.READ)}
    answer = client.simulate_post(f"/schedules/{schedule.id}/pause", cookies=cookies, headers=OURS)
    assert answer.status_code == 403
    assert "This key may not do that" in answer.text


def test_a_person_whose_key_only_reads_is_shown_no_button_and_told_so(
    context: Context, client: TestClient, schedule: Schedule, key: Callable[[Scope], str]
) -> None:
    cookies = {COOKIE: key(Scope.READ)}
    event_id = end_one(context, schedule)
    for path in ("/", f"/schedules/{schedule.id}", f"/events/{event_id}"):
        shown = client.simulate_get(path, cookies=cookies).text
        assert "read only" in shown
        assert re.findall(r'action="([^"]+)"', shown.replace('action="/"', "")) == ["/sign-out"]
        assert "/schedules/new" not in shown
    assert client.simulate_get("/schedules/new", cookies=cookies).status_code == 403


def test_a_key_for_calendars_cannot_sign_in(client: TestClient, key: Callable[[Scope], str]) -> None:
    refused = post(client, "/sign-in", f"key={key(Scope.FEED)}&next=/")
    assert refused.status_code == 401
    assert "opens calendars (.ics) and nothing else" in refused.text
    assert COOKIE not in refused.cookies


def test_a_page_beyond_the_end_leads_to_the_first(client: TestClient, schedule: Schedule) -> None:
    for path in ("/", f"/schedules/{schedule.id}"):
        shown = client.simulate_get(path, params={"page": "9"}).text
        assert "has no page 9" in shown
        assert f'<a href="{path}">To the first page</a>' in shown


def test_signing_out_forgets_the_key(client: TestClient) -> None:
    answer = post(client, "/sign-out")
    assert answer.headers["Location"] == "/sign-in"
    assert answer.cookies[COOKIE].max_age == 0 or answer.cookies[COOKIE].expires


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/api/schedules", "javascript:1"]
)
def test_signing_in_leads_nowhere_else(client: TestClient, key: Callable[[Scope], str], target: str) -> None:
    answer = post(client, "/sign-in", f"key={key(Scope.READ)}&next={target}")
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
)
def test_a_page_of_another_site_changes_nothing(
    context: Context, client: TestClient, schedule: Schedule, headers: dict[str, str]
) -> None:
    for path in (f"/schedules/{schedule.id}/pause", f"/api/schedules/{schedule.id}/pause"):
        assert client.simulate_post(path, headers=headers).status_code == 403
    assert schedules.get(context, schedule.id).state == "active"


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


TEXT_ON_GROUND = [
    *((text, ground) for text in ("text", "quiet", "accent", "bad") for ground in ("ground", "raised")),
    ("on-accent", "accent"),
    *((kind, f"{kind}-ground") for kind in ("good", "bad", "wait", "off")),
]


def test_every_text_has_the_contrast_of_wcag_aa_in_light_and_dark(client: TestClient) -> None:
    sheet = client.simulate_get("/assets/page.css").text
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part))
        for part in sheet.split("prefers-color-scheme: dark")
    )
    assert light.keys() == dark.keys()
    for colours in (light, dark):
        for text, ground in TEXT_ON_GROUND:
            one, other = sorted((luminance(colours[text]), luminance(colours[ground])))
            assert (other + 0.05) / (one + 0.05) >= 4.5, (text, ground, colours[text], colours[ground])


def test_the_name_of_the_last_month_is_not_cut_off() -> None:
    listed = [Day(day=date(2026, 11, 1) + timedelta(days=n), outcomes={}, planned=0) for n in range(37)]
    drawn = drawing.calendar(listed)
    x, month = drawn.months[-1]
    assert (month, drawn.width - x) == ("Dec", 24)
