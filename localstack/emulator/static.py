"""Static files beside the REST API, as a bucket behind CloudFront would serve them."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from localstack.emulator.httpserver import Request, Response

_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/json"}


class StaticFiles:
    """Serves one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def answer(self, request: Request) -> Response:
        """The file at the path; ``/`` is ``index.html``."""
        if request.method not in ("GET", "HEAD"):
            return Response(405, b"method not allowed\n", (("content-type", "text/plain"),))
        path = (self._root / request.path.lstrip("/")).resolve()
        if path.is_dir():
            path = path / "index.html"
        if not path.is_relative_to(self._root) or not path.is_file():
            return Response(404, b"not found\n", (("content-type", "text/plain"),))
        body = path.read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = (
            ("content-type", _content_type(path)),
            ("etag", etag),
            ("cache-control", "no-cache"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "frame-ancestors 'none'"),
        )
        if request.header("if-none-match") == etag:
            return Response(304, b"", headers)
        return Response(200, body, headers)


def _content_type(path: Path) -> str:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    if kind is None:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
