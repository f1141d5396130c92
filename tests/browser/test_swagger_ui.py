"""Swagger UI in a real browser: it opens, and tries a request, and asks no other host for anything."""

import json

import httpx
from playwright.sync_api import Page, expect

from tests.support.browser import picture


def test_try_it_out_creates_a_schedule(page: Page, api: httpx.Client) -> None:
    page.goto("/swagger-ui")
    operation = page.locator("#operations-schedules-createSchedule")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    body = {"name": "From Swagger", "rrule": "FREQ=DAILY", "callback_url": "https://example.com/hook"}
    operation.locator("textarea").first.fill(json.dumps(body))
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("201")
    picture(page, "swagger-ui")
    names = [each["name"] for each in api.get("/api/schedules").json()["schedules"]]
    assert "From Swagger" in names


def test_a_list_is_read_without_filling_anything_in(page: Page) -> None:
    page.goto("/swagger-ui")
    for name in ("schedules-listSchedules", "events-listEvents"):
        operation = page.locator(f"#operations-{name}")
        operation.get_by_role("button").first.click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        status = operation.locator(".live-responses-table tbody .response-col_status").first
        expect(status).to_contain_text("200")
        assert "?" not in operation.locator(".request-url").inner_text()
