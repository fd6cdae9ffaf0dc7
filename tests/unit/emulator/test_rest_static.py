from __future__ import annotations

from pathlib import Path

import pytest

from localstack.emulator.httpserver import Request, Response
from localstack.emulator.static import StaticFiles

pytestmark = pytest.mark.req("SHAPE-2")


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    root = tmp_path / "web"
    (root / "docs").mkdir(parents=True)
    (root / "index.html").write_text("<p>home")
    (root / "docs" / "index.html").write_text("<p>docs")
    (root / "app.js").write_text("export {}")
    (root / "a b.txt").write_text("space")
    (root / "thing.xyzzy").write_bytes(b"\x00")
    (tmp_path / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    return StaticFiles(root)


def get(files: StaticFiles, target: str, method: str = "GET", **headers: str) -> Response:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return files.answer(Request(method, target, pairs, b"", "127.0.0.1"))


@pytest.mark.parametrize(
    ("target", "body", "kind"),
    [
        ("/", b"<p>home", "text/html; charset=utf-8"),
        ("/index.html?v=1", b"<p>home", "text/html; charset=utf-8"),
        ("/docs/", b"<p>docs", "text/html; charset=utf-8"),
        ("/app.js", b"export {}", "text/javascript; charset=utf-8"),
        ("/a%20b.txt", b"space", "text/plain; charset=utf-8"),
        ("/thing.xyzzy", b"\x00", "application/octet-stream"),
    ],
)
def test_files_have_their_type_and_are_never_sniffed(
    files: StaticFiles, target: str, body: bytes, kind: str
) -> None:
    response = get(files, target)
    headers = dict(response.headers)

    assert (response.status, response.body) == (200, body)
    assert headers["content-type"] == kind
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "target",
    [
        "/none",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//secret.txt",
        "/docs/../../secret.txt",
        "/link.txt",
        "/%00",
        "/index.html/more",
    ],
)
def test_what_is_not_in_the_folder_is_a_plain_404(files: StaticFiles, target: str) -> None:
    response = get(files, target)

    assert (response.status, response.body) == (404, b"not found\n")
    assert dict(response.headers)["content-type"] == "text/plain; charset=utf-8"


def test_a_file_that_has_not_changed_is_304(files: StaticFiles) -> None:
    etag = dict(get(files, "/").headers)["etag"]

    response = get(files, "/", if_none_match=etag)

    assert (response.status, response.body) == (304, b"")
    assert get(files, "/", if_none_match='"other"').status == 200


def test_only_get_and_head_are_allowed(files: StaticFiles) -> None:
    response = get(files, "/", "POST")

    assert response.status == 405
    assert dict(response.headers)["allow"] == "GET, HEAD"
