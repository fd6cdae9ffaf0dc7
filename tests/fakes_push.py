"""Fakes at the ports of notifications on mobile devices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

from chalicelib.errors import LimitReachedError, UnavailableError
from chalicelib.models import PushDevice, PushNote, PushPlatform, PushResult
from chalicelib.repo.push_tokens import MAX_PER_USER

APPLICATIONS = {
    PushPlatform.FCM: "arn:aws:sns:us-east-1:000000000000:app/GCM/lambchat",
    PushPlatform.APNS: "arn:aws:sns:us-east-1:000000000000:app/APNS/lambchat",
}


class FakePushTokens:
    """Devices and claims in memory."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, PushDevice]] = {}
        self.claims: dict[tuple[str, str], tuple[int, float, bool]] = {}

    def of(self, user_ids: Iterable[str]) -> dict[str, list[PushDevice]]:
        return {one: list(self.rows[one].values()) for one in user_ids if self.rows.get(one)}

    def put(self, device: PushDevice) -> str:
        own = self.rows.setdefault(device.user_id, {})
        if device.device_id not in own and len(own) >= MAX_PER_USER:
            raise LimitReachedError
        before = own.get(device.device_id)
        own[device.device_id] = device
        return before.endpoint if before else ""

    def remove(self, user_id: str, device_id: str, *, endpoint: str = "") -> str:
        found = self.rows.get(user_id, {}).get(device_id)
        if found is None or endpoint not in ("", found.endpoint):
            return ""
        return self.rows[user_id].pop(device_id).endpoint

    def remove_all(self, user_id: str) -> list[str]:
        return [one.endpoint for one in self.rows.pop(user_id, {}).values()]

    def claim(
        self, conversation_id: str, seqs: Mapping[str, int], *, now: float, until: float
    ) -> set[str]:
        claimed = set()
        for user_id, seq in seqs.items():
            claim = self.claims.get((user_id, conversation_id))
            if claim is None or claim[1] <= now or (claim[0], claim[2]) == (seq, False):
                self.claims[user_id, conversation_id] = (seq, until, False)
                claimed.add(user_id)
        return claimed

    def settle(self, conversation_id: str, seqs: Mapping[str, int]) -> None:
        for user_id, seq in seqs.items():
            claim = self.claims.get((user_id, conversation_id))
            if claim and claim[0] == seq:
                self.claims[user_id, conversation_id] = (*claim[:2], True)


class FakeEndpoints:
    """SNS in memory; it may be away, and endpoints may be disabled."""

    def __init__(self) -> None:
        self.owners: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.enabled: set[str] = set()
        self.published: list[PushNote] = []
        self.is_away = False
        self._ids = count(1)

    def create(self, application: str, token: str, owner: str) -> tuple[str, str]:
        self._require()
        for endpoint, known in self.tokens.items():
            if known == token and endpoint.startswith(application):
                before = self.owners[endpoint]
                return endpoint, "" if before == owner else before
        endpoint = f"{application}/{next(self._ids)}"
        self.tokens[endpoint], self.owners[endpoint] = token, owner
        return endpoint, ""

    def enable(self, endpoint: str, token: str, owner: str) -> None:
        self._require()
        self.tokens[endpoint], self.owners[endpoint] = token, owner
        self.enabled.add(endpoint)

    def delete(self, endpoints: Iterable[str]) -> None:
        for endpoint in endpoints:
            self._require()
            self.tokens.pop(endpoint, None)
            self.enabled.discard(endpoint)

    def publish(self, notes: Sequence[PushNote]) -> list[PushResult]:
        if self.is_away:
            return [PushResult.FAILED] * len(notes)
        results = []
        for note in notes:
            there = note.endpoint in self.enabled
            results.append(PushResult.SENT if there else PushResult.GONE)
            if there:
                self.published.append(note)
        return results

    def _require(self) -> None:
        if self.is_away:
            raise UnavailableError("SNS is away")


def device(user_id: str, device_id: str = "phone", **more: str) -> PushDevice:
    """A phone with FCM."""
    values = {
        "session_id": "s1",
        "endpoint": f"{APPLICATIONS[PushPlatform.FCM]}/{user_id}-{device_id}",
        "registered_at": "2026-11-21T08:00:00.000Z",
        **more,
    }
    return PushDevice(user_id=user_id, device_id=device_id, platform=PushPlatform.FCM, **values)
