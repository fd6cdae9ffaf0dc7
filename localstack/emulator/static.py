"""Static files beside the REST API, as a bucket behind CloudFront would serve them."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from urllib.parse import unquote

from localstack.emulator.httpserver import Request, Response

# Fixed, for mimetypes asks the machine's own tables too.
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_NO_SNIFFING = ("x-content-type-options", "nosniff")


class StaticFiles:
    """Serves one folder; a path that leaves it, by dots or by a link, is not found."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def answer(self, request: Request) -> Response:
        """The file at the path; a folder's is its ``index.html``."""
        if request.method not in ("GET", "HEAD"):
            return _plain(405, "method not allowed", ("allow", "GET, HEAD"))
        path = self._find(request.path)
        if path is None:
            return _plain(404, "not found")
        body = path.read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = (
            ("content-type", _content_type(path)),
            ("etag", etag),
            ("cache-control", "no-cache"),  # kept, but asked about each time
            _NO_SNIFFING,
            ("content-security-policy", "frame-ancestors 'none'"),  # a page cannot say it itself
        )
        if etag in (request.header("if-none-match") or ""):
            return Response(304, b"", headers)
        return Response(200, body, headers)

    def _find(self, target: str) -> Path | None:
        name = unquote(target)
        if "\0" in name:
            return None
        path = (self._root / name.lstrip("/")).resolve()
        if path.is_dir():
            path = (path / "index.html").resolve()
        return path if path.is_relative_to(self._root) and path.is_file() else None


def _content_type(path: Path) -> str:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    if kind is None:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _plain(status: int, text: str, *headers: tuple[str, str]) -> Response:
    kind = ("content-type", "text/plain; charset=utf-8")
    return Response(status, f"{text}\n".encode(), (kind, _NO_SNIFFING, *headers))
