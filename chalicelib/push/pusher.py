"""Posting to connections: many at once, one after the other on each.

API: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from chalicelib.aws import Endpoint, Request, Response
from chalicelib.models import PushResult

logger = logging.getLogger(__name__)

_DONE = (200, 204)
_GONE = 410
_ROUNDS_ON_THROTTLE = 3


class Pusher:
    """Sends text to connections and closes them."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def post(self, connection_id: str, *texts: str) -> PushResult:
        """Sends texts to one connection, in order."""
        return self.post_all({connection_id: texts})[connection_id]

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> dict[str, PushResult]:
        """Sends texts to connections; a connection that fails gets no more of its texts.

        The order on a connection is kept: its next post leaves when the one before is answered.
        """
        results = dict.fromkeys(posts, PushResult.SENT)
        encoded: dict[str, bytes] = {}
        for at in range(max(map(len, posts.values()), default=0)):
            wave = [
                (connection_id, texts[at])
                for connection_id, texts in posts.items()
                if at < len(texts) and results[connection_id] is PushResult.SENT
            ]
            if not wave:
                break
            requests = [
                Request("POST", self._path(key), _encode(encoded, text), {}) for key, text in wave
            ]
            for (connection_id, _), answer in zip(wave, self._send(requests), strict=True):
                results[connection_id] = _result(answer)
            encoded.clear()
        return results

    def close(self, connection_ids: Sequence[str]) -> dict[str, PushResult]:
        """Closes connections; GONE is one that is closed, or not yet open."""
        return self._ask("DELETE", connection_ids)

    def look(self, connection_ids: Sequence[str]) -> dict[str, PushResult]:
        """Asks which connections there are; they do not notice."""
        return self._ask("GET", connection_ids)

    def _ask(self, method: str, connection_ids: Sequence[str]) -> dict[str, PushResult]:
        requests = [Request(method, self._path(one), b"", {}) for one in connection_ids]
        return dict(zip(connection_ids, map(_result, self._send(requests)), strict=True))

    def _send(self, requests: Sequence[Request]) -> list[Response]:
        answers = self._endpoint.request_all(requests)
        for _ in range(_ROUNDS_ON_THROTTLE):
            again = [at for at, answer in enumerate(answers) if answer.status == 429]
            if not again:
                break
            retried = self._endpoint.request_all([requests[at] for at in again])
            for at, answer in zip(again, retried, strict=True):
                answers[at] = answer
        return answers

    def _path(self, connection_id: str) -> str:
        return f"{self._endpoint.path}/%40connections/{quote(connection_id, safe='')}"


def _encode(encoded: dict[str, bytes], text: str) -> bytes:
    """The same text goes to many connections: it is encoded once."""
    body = encoded.get(text)
    if body is None:
        body = encoded[text] = text.encode()
    return body


def _result(answer: Response) -> PushResult:
    if answer.status in _DONE:
        return PushResult.SENT
    if answer.status == _GONE:
        return PushResult.GONE
    logger.warning("connection not reached", extra={"status": answer.status})
    return PushResult.FAILED
