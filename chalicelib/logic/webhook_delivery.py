"""Posting messages to receivers, signed as https://www.standardwebhooks.com says.

At least once: a receiver knows a repetition by ``webhook-id``, the id of the message or its change.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from chalicelib.context import Context
from chalicelib.errors import IMError, UnavailableError
from chalicelib.frames import Draft, Rejected, dump, parse_draft
from chalicelib.logic.webhook_fanout import Reader
from chalicelib.models import Bot, TargetKind, Webhook, WebhookEvent, WebhookPost

logger = logging.getLogger(__name__)


_TOLD_OF_CHANGES = ("user_id", "emoji", "remove")

T_co = TypeVar("T_co", covariant=True)


class Listed(Protocol[T_co]):
    """Receivers, as they are now or were some seconds ago."""

    def __call__(self, *, fresh: bool = False) -> Sequence[T_co]: ...


class Post(Protocol):
    """Posts a body to a receiver's URL, behind a circuit breaker of its own."""

    def __call__(
        self, target_id: str, url: str, body: bytes, headers: dict[str, str], /
    ) -> tuple[int, bytes]: ...


class Send(Protocol):
    """Accepts messages."""

    def __call__(
        self, ctx: Context, user_id: str, drafts: Sequence[Draft | Rejected], /
    ) -> Sequence[object]: ...


class WebhookDelivery:
    """Posts, and sends what a bot answers.

    Args:
        webhooks: Receivers of operators.
        bots: The bots.
        reader: Reads messages.
        post: Posts.
        send: Sends a bot's reply.
        clock: Unix seconds.
    """

    def __init__(
        self,
        *,
        webhooks: Listed[Webhook],
        bots: Listed[Bot],
        reader: Reader,
        post: Post,
        send: Send,
        clock: Callable[[], float],
    ) -> None:
        self._webhooks = webhooks
        self._bots = bots
        self._reader = reader
        self._post = post
        self._send = send
        self._clock = clock

    def deliver(self, ctx: Context, post: WebhookPost) -> None:
        """Posts a message, as it is now, to a receiver that is still there.

        Raises:
            UnavailableError: The receiver did not answer, or with another status than 2xx.
        """
        target = self._target(post)
        placed = self._reader.at("", post.conversation_id, (post.seq,)).get(post.seq)
        if target is None or placed is None:
            logger.info("webhook dropped", extra={"target_id": post.target_id})
            return
        message = json.loads(placed.text)
        body = dump(_payload(post, message)).encode()
        headers = {
            "content-type": "application/json",
            **signed(
                self._secrets(target),
                post.change.get("id", message["id"]),
                int(self._clock()),
                body,
            ),
        }
        status, answer = self._post(post.target_id, target.url, body, headers)
        if not 200 <= status < 300:
            raise UnavailableError(f"the receiver {post.target_id} answered {status}")
        if isinstance(target, Bot):
            self._reply(ctx, target, message, answer)

    def _target(self, post: WebhookPost) -> Webhook | Bot | None:
        """The receiver; one that is new may be known to who enqueued the post, and not here."""
        for fresh in (False, True):
            if post.target is TargetKind.BOT:
                for bot in self._bots(fresh=fresh):
                    if bot.user_id == post.target_id and bot.url:
                        return bot
            else:
                for webhook in self._webhooks(fresh=fresh):
                    if webhook.id == post.target_id and webhook.active:
                        return webhook
        return None

    def _secrets(self, target: Webhook | Bot) -> list[str]:
        """The secret, and after a rotation for a while the one before."""
        if isinstance(target, Webhook) and target.old_secret_until > self._clock():
            return [target.secret, target.old_secret]
        return [target.secret]

    def _reply(self, ctx: Context, bot: Bot, message: dict[str, Any], answer: bytes) -> None:
        """Sends the message in an answer; its id follows from what it answers, so it comes once."""
        reply = _reply_in(answer)
        if reply is None:
            return
        reply |= {
            "client_msg_id": f"reply-{message['id']}",
            "conversation_id": message["conversation_id"],
        }
        try:
            (result,) = self._send(ctx, bot.user_id, [parse_draft(reply)])
        except UnavailableError:
            raise
        except IMError as error:
            result = Rejected(client_msg_id=None, error=error)
        if isinstance(result, Rejected):
            fields = {"bot": bot.user_id, "code": result.error.code, "trace_id": ctx.trace_id}
            logger.warning("a bot's reply was refused", extra=fields)


def signed(secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a post, with a signature for each secret.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    keys = (base64.b64decode(secret.removeprefix("whsec_")) for secret in secrets)
    signatures = (base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def _payload(post: WebhookPost, message: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"conversation_type": post.conversation_type, "message": message}
    if post.change:
        told |= {name: post.change[name] for name in _TOLD_OF_CHANGES if name in post.change}
        return {"type": post.event, "timestamp": post.change["at"], "data": told}
    if post.event != WebhookEvent.MESSAGE_STORED:
        said = json.loads(message["content"] or "{}")
        said.pop("event", None)
        told = {"group_id": post.conversation_id, "seq": post.seq, **said}
    return {"type": post.event, "timestamp": message["created_at"], "data": told}


def _reply_in(answer: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(answer or b"{}")
    except (ValueError, RecursionError):
        return None
    reply = found.get("reply") if isinstance(found, dict) else None
    return {k: v for k, v in reply.items() if k != "to"} if isinstance(reply, dict) else None
