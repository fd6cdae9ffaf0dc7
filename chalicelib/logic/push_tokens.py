"""Tokens that devices are notified by: SNS keeps them, and this system the endpoints of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from chalicelib.errors import InvalidFieldError, NotFoundError, UnavailableError
from chalicelib.logic.push_policy import PushPolicy
from chalicelib.logic.tokens import Identity
from chalicelib.models import PushDevice, PushPlatform, rfc3339

logger = logging.getLogger(__name__)


class Devices(Protocol):
    """The stored devices."""

    def put(self, device: PushDevice) -> str: ...
    def remove(self, user_id: str, device_id: str, *, endpoint: str = "") -> str: ...
    def remove_all(self, user_id: str) -> Sequence[str]: ...


class Endpoints(Protocol):
    """SNS's endpoints; each says whose it is, by ``owner``."""

    def create(self, application: str, token: str, owner: str) -> tuple[str, str]: ...
    def enable(self, endpoint: str, token: str, owner: str) -> None: ...
    def delete(self, endpoints: Iterable[str]) -> None: ...


class PushTokenService:
    """Registers the tokens of devices, and forgets them."""

    def __init__(
        self,
        *,
        devices: Devices,
        endpoints: Endpoints,
        policy: Callable[[], PushPolicy],
        clock: Callable[[], float],
    ) -> None:
        self._devices = devices
        self._endpoints = endpoints
        self._policy = policy
        self._clock = clock

    def register(
        self, identity: Identity, device_id: str, platform: PushPlatform, token: str
    ) -> None:
        """Takes the token of the device that asks, in place of the one it had.

        A token that another account, or an earlier device, had on the same phone is theirs no
        longer.

        Raises:
            NotFoundError: It is another device than the one that asks.
            InvalidFieldError: The platform is not served, or refuses the token.
            LimitReachedError: The user has too many devices.
            UnavailableError: SNS or the store is away.
        """
        if device_id != identity.device_id:
            raise NotFoundError("device_id: expected the id of the device that asks")
        application = self._policy().application(platform)
        if not application:
            raise InvalidFieldError.at("platform", "expected one that is configured here")
        owner = f"{identity.user_id} {device_id}"
        endpoint, before = self._endpoints.create(application, token, owner)
        if before not in ("", owner):
            # First of all: whoever had the phone before must not be notified on it again.
            earlier_user, _, earlier_device = before.partition(" ")
            self._devices.remove(earlier_user, earlier_device, endpoint=endpoint)
        self._endpoints.enable(endpoint, token, owner)
        replaced = self._devices.put(
            PushDevice(
                user_id=identity.user_id,
                device_id=device_id,
                session_id=identity.session_id,
                platform=platform,
                endpoint=endpoint,
                registered_at=rfc3339(self._clock()),
            )
        )
        if replaced not in ("", endpoint):
            self._delete((replaced,))

    def forget(self, user_id: str, device_id: str | None = None) -> None:
        """Forgets the token of a device, or those of all; none is no fault."""
        if device_id is None:
            self._delete(self._devices.remove_all(user_id))
        else:
            self._delete(filter(None, (self._devices.remove(user_id, device_id),)))

    def drop(self, device: PushDevice) -> None:
        """Forgets exactly this one: where it has another token by now, that stays."""
        endpoint = self._devices.remove(device.user_id, device.device_id, endpoint=device.endpoint)
        self._delete(filter(None, (endpoint,)))

    def _delete(self, endpoints: Iterable[str]) -> None:
        """Nobody refers to these any more; what SNS keeps of them harms nobody."""
        try:
            self._endpoints.delete(endpoints)
        except UnavailableError as error:
            logger.warning("push endpoints not deleted", extra={"error": str(error)})
