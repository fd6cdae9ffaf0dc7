"""Every error that reaches a client, one list for REST and WebSocket.

IMError                      never raised directly
├── InternalError            something went wrong in here
├── InvalidError             the request can never succeed as it is
│   ├── InvalidJsonError, UnknownTypeError, InvalidFieldError, InvalidQueryError
│   ├── TooLargeError, UnsupportedMediaTypeError, SelfError, ClientTooOldError
│   └── InvalidTokenError
├── UnauthorizedError        who is asking is not established
│   └── InvalidCredentialsError, TokenExpiredError, TokenReusedError
├── ForbiddenError           who is asking may not
│   ├── BannedError, BlockedError, NotFriendsError, NotMemberError, MutedError
│   └── RefusedError, TooLateError
├── NotFoundError            there is no such thing
│   ├── UserNotFoundError, ConversationNotFoundError, GroupNotFoundError
│   └── InviteExpiredError, MessageNotFoundError
├── MethodNotAllowedError    the path exists, the method does not
├── ConflictError            the request contradicts what is stored
│   ├── UsernameTakenError, IdempotencyConflictError
│   ├── AlreadyPendingError, AlreadyFriendsError, NotUploadedError
│   └── GroupFullError, OwnerMustTransferError, LimitReachedError
├── RateLimitedError         retry after some seconds
└── UnavailableError         a service behind us did not answer; the request may have been done
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with one field of a request.

    Attributes:
        field: Where, in dotted form (``messages.3.content``).
        message: What was expected.
    """

    field: str
    message: str


class IMError(Exception):
    """The root of the errors of this system, never raised directly.

    Attributes:
        code: The stable machine-readable name (docs/errors.md).
        http_status: The status of the REST answer.
        retryable: Whether the same request may succeed later.
        retry_after: Seconds to wait before that, where known.
    """

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str = "",
        *,
        errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message or self.title)
        self.errors = tuple(errors)
        self.retry_after = retry_after


class InternalError(IMError):
    """Something went wrong in here; the log has the details."""

    retryable = True


class InvalidError(IMError):
    """The request is not valid."""

    code = "invalid_request"
    title = "Invalid request"
    http_status = 400

    @classmethod
    def at(cls, field: str, expected: str) -> Self:
        """The error of one field."""
        return cls(f"{field}: {expected}", errors=(FieldError(field=field, message=expected),))


class InvalidJsonError(InvalidError):
    """The body or frame is not a JSON object."""

    code = "invalid_json"
    title = "Not a JSON object"


class UnknownTypeError(InvalidError):
    """The frame's type is missing or not known."""

    code = "unknown_type"
    title = "Unknown frame type"


class InvalidFieldError(InvalidError):
    """Fields are missing, unknown, or of the wrong kind."""

    code = "invalid_field"
    title = "Invalid field"
    http_status = 422


class InvalidQueryError(InvalidError):
    """A query parameter or path segment is not as expected."""

    code = "invalid_query"
    title = "Invalid query parameter"


class TooLargeError(InvalidError):
    """The content or body is longer than allowed."""

    code = "too_large"
    title = "Too large"
    http_status = 413


class UnsupportedMediaTypeError(InvalidError):
    """The body is not ``application/json``."""

    code = "unsupported_media_type"
    title = "Unsupported media type"
    http_status = 415


class SelfError(InvalidError):
    """A user cannot do this with themselves."""

    code = "self"
    title = "Not with yourself"


class ClientTooOldError(InvalidError):
    """The client must be updated before it may go on."""

    code = "client_too_old"
    title = "Client too old"
    http_status = 403  # not 426: that asks for another protocol, by an Upgrade header (RFC 9110)


class InvalidTokenError(InvalidError):
    """A token or state that is good once is unknown, was used, or is too old."""

    code = "invalid_token"
    title = "Token not valid any more"


class UnauthorizedError(IMError):
    """There is no valid access token."""

    code = "unauthorized"
    title = "Not authenticated"
    http_status = 401


class InvalidCredentialsError(UnauthorizedError):
    """User name or password is wrong; never says which."""

    code = "invalid_credentials"
    title = "Wrong user name or password"


class TokenExpiredError(UnauthorizedError):
    """The token was valid once: refresh it."""

    code = "token_expired"
    title = "Token expired"


class TokenReusedError(UnauthorizedError):
    """A refresh token was used twice: the device's session is revoked."""

    code = "token_reused"
    title = "Refresh token used twice"


class ForbiddenError(IMError):
    """The user is known and may not do this."""

    code = "forbidden"
    title = "Not allowed"
    http_status = 403


class BannedError(ForbiddenError):
    """The account is banned."""

    code = "banned"
    title = "Account banned"


class BlockedError(ForbiddenError):
    """The other side does not want this."""

    code = "blocked"
    title = "Blocked"


class NotFriendsError(ForbiddenError):
    """Only friends may write to this user."""

    code = "not_friends"
    title = "Not friends"


class NotMemberError(ForbiddenError):
    """The user is not a member of the conversation."""

    code = "not_member"
    title = "Not a member of the conversation"


class MutedError(ForbiddenError):
    """The user, or everybody, may not write to the group until a time."""

    code = "muted"
    title = "Muted"
    retryable = True


class RefusedError(ForbiddenError):
    """The operator's hook refuses the message; it says why."""

    code = "refused"
    title = "Message refused"


class TooLateError(ForbiddenError):
    """The time within which this could be done is over."""

    code = "too_late"
    title = "Too late"


class NotFoundError(IMError):
    """There is no such thing."""

    code = "not_found"
    title = "Not found"
    http_status = 404


class UserNotFoundError(NotFoundError):
    """There is no such user."""

    code = "user_not_found"
    title = "No such user"


class ConversationNotFoundError(NotFoundError):
    """There is no such conversation."""

    code = "conversation_not_found"
    title = "No such conversation"


class MessageNotFoundError(NotFoundError):
    """There is no such message for this user, or nothing is left of it."""

    code = "message_not_found"
    title = "No such message"


class GroupNotFoundError(NotFoundError):
    """There is no such group, or it was dismissed."""

    code = "group_not_found"
    title = "No such group"


class InviteExpiredError(NotFoundError):
    """The invite link was revoked, has expired or is used up."""

    code = "invite_expired"
    title = "Invite link no longer good"
    http_status = 410


class MethodNotAllowedError(IMError):
    """The path exists, the method does not."""

    code = "method_not_allowed"
    title = "Method not allowed"
    http_status = 405


class ConflictError(IMError):
    """The request contradicts what is stored."""

    code = "conflict"
    title = "Conflict"
    http_status = 409


class UsernameTakenError(ConflictError):
    """Somebody else has this user name."""

    code = "username_taken"
    title = "User name taken"


class IdempotencyConflictError(ConflictError):
    """The ``Idempotency-Key`` was used for another request, or that one is still running."""

    code = "idempotency_conflict"
    title = "Idempotency key used for another request"


class AlreadyPendingError(ConflictError):
    """A friend request to this user waits for an answer."""

    code = "already_pending"
    title = "Friend request pending"


class AlreadyFriendsError(ConflictError):
    """The two are friends."""

    code = "already_friends"
    title = "Already friends"


class GroupFullError(ConflictError):
    """The group has as many members as a group may have."""

    code = "group_full"
    title = "Group full"


class LimitReachedError(ConflictError):
    """There are as many of these as there may be."""

    code = "limit_reached"
    title = "Limit reached"


class OwnerMustTransferError(ConflictError):
    """The owner of a group cannot leave it before somebody else owns it."""

    code = "owner_must_transfer"
    title = "Transfer the group first"


class NotUploadedError(ConflictError):
    """An attachment is not in the bucket, or not as it was declared."""

    code = "not_uploaded"
    title = "Attachment not uploaded"
    retryable = True


class RateLimitedError(IMError):
    """Too many requests; ``retry_after`` says when to come back."""

    code = "rate_limited"
    title = "Too many requests"
    http_status = 429
    retryable = True


class UnavailableError(IMError):
    """A service behind this one did not answer; the request may nevertheless have been done."""

    code = "unavailable"
    title = "Temporarily unavailable"
    http_status = 503
    retryable = True
