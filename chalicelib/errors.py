"""Every error that reaches a client, one list for REST and WebSocket.

IMError                      never raised directly
├── InternalError            something went wrong in here
├── InvalidError             the request can never succeed as it is
│   ├── InvalidJsonError, UnknownTypeError, InvalidFieldError, InvalidQueryError
│   └── TooLargeError, UnsupportedMediaTypeError, SelfError, ClientTooOldError
├── UnauthorizedError        who is asking is not established
│   └── InvalidCredentialsError, TokenExpiredError, TokenReusedError
├── ForbiddenError           who is asking may not
│   └── BannedError, BlockedError, NotFriendsError, NotMemberError
├── NotFoundError            there is no such thing
│   └── UserNotFoundError, ConversationNotFoundError
├── MethodNotAllowedError    the path exists, the method does not
├── ConflictError            the request contradicts what is stored
│   ├── UsernameTakenError, IdempotencyConflictError
│   └── AlreadyPendingError, AlreadyFriendsError
├── RateLimitedError         retry after some seconds
└── UnavailableError         a service behind us did not answer; the request may have been done
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


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
    http_status = 426


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
