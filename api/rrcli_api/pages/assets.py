"""`/assets/{name}`: how the pages look, and the little that they do by themselves."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import falcon

from rrcli_api.requests import query

_FOLDER = Path(__file__).parent / "assets"
_KINDS = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


class Asset:
    """One of our own files, and no other."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        query(req, {})
        if name not in _KINDS:
            raise falcon.HTTPRouteNotFound
        data, tag = _read(name)
        resp.set_header("ETag", tag)
        resp.set_header("Cache-Control", "no-cache")
        if any(each in ("*", falcon.ETag.loads(tag)) for each in req.if_none_match or ()):
            resp.status = falcon.HTTP_304
            return
        resp.data, resp.content_type = data, _KINDS[name]

    on_head = on_get


@cache
def _read(name: str) -> tuple[bytes, str]:
    data = (_FOLDER / name).read_bytes()
    return data, f'"{sha256(data).hexdigest()[:16]}"'
