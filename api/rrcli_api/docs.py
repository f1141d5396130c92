"""/docs/openapi.yml, and Swagger UI from files that were installed: no other host is asked."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import falcon

from rrcli_api.requests import query

_HERE = Path(__file__).parent
_OWN = {"start.js": "text/javascript"}
_BUNDLE = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
# Swagger UI draws its icons from data: URLs and sets style attributes; no script or style but our files runs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_DAY = "public, max-age=86400"


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    tag: str


class Specification:
    """The service's own description, OpenAPI 3.1."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        resp.data = _read(specification_path()).data
        resp.content_type = "application/yaml"

    on_head = on_get


class SwaggerPage:
    """The page that draws the specification."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        query(req, {})
        resp.data = _read(_HERE / "swagger" / "index.html").data
        resp.content_type = "text/html; charset=utf-8"
        resp.set_header("Content-Security-Policy", _POLICY)
        resp.set_header("Referrer-Policy", "no-referrer")

    on_head = on_get


class SwaggerAsset:
    """The files that the page names, and no others."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, asset: str) -> None:
        query(req, {})
        if asset in _OWN:
            file, kind = _read(_HERE / "swagger" / asset), _OWN[asset]
        elif asset in _BUNDLE:
            file, kind = _read(_bundle() / asset), _BUNDLE[asset]
        else:
            raise falcon.HTTPRouteNotFound
        resp.set_header("ETag", file.tag)
        resp.set_header("Cache-Control", _DAY)
        if any(each in ("*", falcon.ETag.loads(file.tag)) for each in req.if_none_match or ()):
            resp.status = falcon.HTTP_304
            return
        resp.data = file.data
        resp.content_type = kind

    on_head = on_get


def specification_path() -> Path:
    """openapi.yml: beside the code in an installation, in docs/ in a checkout."""
    installed = _HERE / "openapi.yml"
    return installed if installed.is_file() else _HERE.parents[1] / "docs" / "openapi.yml"


def _bundle() -> Path:
    """The folder of Swagger UI's files; the package around them is not imported, it wants frameworks."""
    spec = find_spec("swagger_ui")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], "static")


@cache
def _read(path: Path) -> _File:
    data = path.read_bytes()
    return _File(data, f'"{sha256(data).hexdigest()[:16]}"')
