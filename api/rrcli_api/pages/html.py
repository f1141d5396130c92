"""Pages from templates: escaped everywhere, with a policy that lets only our own files run."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

import falcon
from jinja2 import Environment, PackageLoader, StrictUndefined

from rrcli import __version__
from rrcli.core.timefmt import format_instant, relative, span
from rrcli_api.pages import drawing

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def show(resp: falcon.Response, template: str, **values: Any) -> None:
    """Answer the page that `template` makes of `values`."""
    resp.data = _environment().get_template(template).render(values).encode("utf-8", "replace")
    resp.content_type = "text/html; charset=utf-8"
    resp.set_header("Content-Security-Policy", _POLICY)
    resp.set_header("Referrer-Policy", "same-origin")
    resp.append_header("Vary", "Cookie")


def go(resp: falcon.Response, path: str) -> None:
    """Send the browser on to another page of ours; what was posted is not posted again."""
    resp.status = falcon.HTTP_303
    resp.set_header("Location", path)


def show_error(resp: falcon.Response, status: int, message: str) -> None:
    """The page in the place of one that cannot be shown."""
    resp.status = falcon.code_to_http_status(status)
    title = _TITLES.get(status, "That did not work")
    show(resp, "error.html", title=title, message=message, passes=status == 503)


_TITLES = {
    400: "This was not understood",
    403: "This key may not do that",
    404: "There is nothing here",
    409: "That is not possible now",
    422: "Some of this was refused",
    503: "The store cannot be reached",
}


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("rrcli_api.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "instant": format_instant,
        "clock": _clock,
        "ago": relative,
        "span": span,
        "query": _query,
        "pretty": _pretty,
    }
    made.globals |= {"version": __version__, "drawing": drawing}
    return made


def _clock(instant: datetime) -> str:
    """`2026-11-24 08:30:00 UTC`; the page's script puts it on the reader's clock."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _query(values: dict[str, object]) -> str:
    """`?name=value&…` of those that are set."""
    given = {name: str(value) for name, value in values.items() if value not in (None, "", 1)}
    return f"?{urlencode(given)}" if given else ""


def _pretty(text: str) -> str:
    """JSON indented, anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
