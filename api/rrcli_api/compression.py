"""gzip for answers that are worth it, when the client takes it (RFC 9110, 12.5.3)."""

import re
import zlib
from functools import lru_cache

import falcon

LEAST_BYTES = 1024
_LEVEL = 5
_KEPT = 16
_COMPRESSIBLE = re.compile(r"(application/(json|yaml)|text/[a-z]+|image/svg\+xml)\b")
_PART = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?")


class Compression:
    """Packs whole answers; what is public and stays the same is packed once."""

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The tag of a packed answer stands for what was packed."""
        for name in ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"):
            if name in req.env:
                req.env[name] = req.env[name].replace('-gzip"', '"')

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, req_succeeded: bool
    ) -> None:
        data = resp.data
        if data is None or not _is_compressible(resp.content_type or ""):
            return
        resp.append_header("Vary", "Accept-Encoding")
        if len(data) <= LEAST_BYTES or not takes_gzip(req.get_header("Accept-Encoding")):
            return
        is_public = (resp.get_header("Cache-Control") or "").startswith("public")
        resp.data = _packed_once(data) if is_public else _packed(data)
        resp.set_header("Content-Encoding", "gzip")
        if etag := resp.get_header("ETag"):
            # Another representation is another strong tag (RFC 9110, 8.8.3.3).
            resp.set_header("ETag", f'{etag[:-1]}-gzip"')


@lru_cache(maxsize=_KEPT)
def _is_compressible(content_type: str) -> bool:
    return _COMPRESSIBLE.match(content_type) is not None


def takes_gzip(header: str | None) -> bool:
    """Whether an Accept-Encoding allows gzip; what is not understood allows nothing."""
    weights: dict[str, float] = {}
    for part in (header or "").split(","):
        found = _PART.fullmatch(part)
        if found:
            weights[found[1].lower()] = float(found[2] or 1)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def _packed(data: bytes) -> bytes:
    packer = zlib.compressobj(_LEVEL, wbits=31)
    return packer.compress(data) + packer.flush()


@lru_cache(maxsize=_KEPT)
def _packed_once(data: bytes) -> bytes:
    return _packed(data)
