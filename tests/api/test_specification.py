"""docs/openapi.yml: valid, complete, and in step with the routes and the checks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from falcon.inspect import inspect_routes
from falcon.testing import TestClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from rrcli.core import fields, inputs
from rrcli.core.models import EventState, Kind, ScheduleState
from rrcli.operations.context import Context
from rrcli.operations.preview import OCCURRENCES_LIMIT
from rrcli_api import app as application
from rrcli_api import requests
from rrcli_api.docs import specification_path
from rrcli_api.pages.paths import is_page

SPECIFICATION: dict[str, Any] = yaml.safe_load(specification_path().read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = SPECIFICATION["components"]["schemas"]
METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in SPECIFICATION["paths"].items():
        for method in METHODS & item.keys():
            yield method, path, item[method]


def test_it_is_openapi_3_1() -> None:
    assert SPECIFICATION["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(SPECIFICATION).iter_errors()) == []


def test_it_is_served_as_it_is(client: TestClient) -> None:
    answer = client.simulate_get("/docs/openapi.yml")
    assert answer.headers["Content-Type"] == "application/yaml"
    assert answer.content == specification_path().read_bytes()


def test_it_has_every_route_and_no_other(context: Context) -> None:
    routes = {
        (method.method.lower(), route.path)
        for route in inspect_routes(application.create_app(context))
        for method in route.methods
        if method.method.lower() in METHODS and not method.internal and not is_page(route.path)
    }
    assert routes == {(method, path) for method, path, _ in operations()}


def test_every_operation_is_described_and_has_its_errors() -> None:
    for method, path, operation in operations():
        name = f"{method} {path}"
        assert operation["summary"], name
        assert operation["operationId"], name
        assert {"400", "500"} <= operation["responses"].keys(), name
        if path.startswith("/api/") and path != "/api/preview":
            assert "503" in operation["responses"], name
        if path.startswith("/api/"):
            assert {"401", "403"} <= operation["responses"].keys(), name
        elif path != "/metrics":
            assert operation["security"] == [], name
        if "{" in path:
            assert "404" in operation["responses"], name
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= operation["responses"].keys(), name


def test_schedules_have_the_fields_that_the_checks_know() -> None:
    written = set(inputs.SCHEDULE_FIELDS)
    assert set(SCHEMAS["NewSchedule"]["properties"]) == written
    assert set(SCHEMAS["ScheduleChange"]["properties"]) == written
    assert set(SCHEMAS["NewSchedule"]["required"]) == set(inputs.REQUIRED)
    shown = SCHEMAS["Schedule"]["properties"]
    assert set(shown) == written | set(inputs.READ_ONLY) == set(SCHEMAS["Schedule"]["required"])
    assert {name for name in shown if shown[name].get("readOnly")} == set(inputs.READ_ONLY)


def resolved(schema: Mapping[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return {**SCHEMAS[reference.rpartition("/")[2]], **schema} if reference else dict(schema)


def bounds(check: Any) -> dict[str, Any]:
    """A check as the keywords of a JSON schema."""
    match check:
        case fields.Optional():
            return bounds(check.check)
        case fields.Integer() | fields.Number():
            return {"minimum": check.minimum, "maximum": check.maximum}
        case fields.Text():
            return {"minLength": check.minimum, "maxLength": check.maximum}
        case fields.Choice():
            return {"enum": list(check.options)}
        case fields.ListOf():
            return {"maxItems": check.maximum}
        case inputs.Headers():
            return {"maxProperties": check.maximum}
        case inputs.Url():
            return {"maxLength": 2048}
        case _:
            return {}


def keywords(schema: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: schema.get(name) for name in wanted}
    if "enum" in found:
        found["enum"] = [value for value in schema["enum"] if value is not None]
    if "minLength" in wanted:
        found["minLength"] = schema.get("minLength", 0)
    return found


@pytest.mark.parametrize("name", list(inputs.SCHEDULE_FIELDS))
def test_bounds_are_those_of_the_checks(name: str) -> None:
    check = inputs.SCHEDULE_FIELDS[name]
    schema = resolved(SCHEMAS["NewSchedule"]["properties"][name])
    assert keywords(schema, bounds(check)) == bounds(check)
    assert ("null" in schema.get("type", ())) == isinstance(check, fields.Optional)
    if isinstance(check, fields.Nested):
        assert schema["properties"].keys() == check.fields.keys()
        for inner, its_check in check.fields.items():
            its_schema = schema["properties"][inner]
            assert keywords(its_schema, bounds(its_check)) == bounds(its_check)
    if isinstance(check, fields.ListOf):
        assert keywords(schema["items"], bounds(check.item)) == bounds(check.item)


def test_bounds_of_parameters_are_those_of_the_code() -> None:
    assert (
        SCHEMAS["Limit"] | {"maximum": requests.PAGE_LIMIT, "default": requests.DEFAULT_LIMIT}
        == SCHEMAS["Limit"]
    )
    assert SCHEMAS["Page"]["maximum"] == requests.PAGES
    assert SCHEMAS["OccurrencesLimit"]["maximum"] == OCCURRENCES_LIMIT
    assert SCHEMAS["Occurrences"]["maxItems"] == OCCURRENCES_LIMIT


def test_states_are_those_of_the_models() -> None:
    assert SCHEMAS["ScheduleState"]["enum"] == list(ScheduleState)
    assert SCHEMAS["EventState"]["enum"] == list(EventState)
    assert SCHEMAS["Event"]["properties"]["kind"]["enum"] == list(Kind)


def test_every_reference_is_used() -> None:
    text = specification_path().read_text(encoding="utf-8")
    for kind, parts in SPECIFICATION["components"].items():
        for name in parts:
            if kind == "securitySchemes":  # these are named, not referred to
                assert {name: []} in SPECIFICATION["security"]
                continue
            assert f"#/components/{kind}/{name}" in text, f"{kind}/{name} is used nowhere"


def test_swagger_ui_comes_whole_from_this_service(client: TestClient) -> None:
    page = client.simulate_get("/swagger-ui")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert not re.search(r"https?:|//", page.text.replace("<!doctype html>", ""))
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(named) == 5
    for path in named:
        assert client.simulate_get(path).status_code == 200, path


@pytest.mark.parametrize(
    ("asset", "kind"),
    [
        ("swagger-ui.css", "text/css"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("start.js", "text/javascript"),
        ("favicon-32x32.png", "image/png"),
    ],
)
def test_an_asset_is_kept_for_a_day_and_asked_for_by_its_tag(
    client: TestClient, asset: str, kind: str
) -> None:
    answer = client.simulate_get(f"/swagger-ui/{asset}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    tag = answer.headers["ETag"]
    again = client.simulate_get(f"/swagger-ui/{asset}", headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "asset",
    [
        "index.html",
        "LICENSE",
        "../health.py",
        "..%2Fhealth.py",
        "%2e%2e/health.py",
        "..%5Chealth.py",
        "/etc/passwd",
        "start.js/..",
        "start.js%00",
    ],
)
def test_no_other_file_can_be_had(client: TestClient, asset: str) -> None:
    answer = client.simulate_get(f"/swagger-ui/{asset}")
    assert answer.status_code == 404
    assert answer.json["error"]["code"] == "not_found"
