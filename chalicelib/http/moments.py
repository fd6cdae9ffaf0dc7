"""Times in requests."""

from __future__ import annotations

from chalicelib.errors import InvalidFieldError
from chalicelib.http.schema import nullable, string
from chalicelib.models import unix_seconds

TIME = string(
    pattern=r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})",
    format="date-time",
    description="an RFC 3339 time, for example 2027-01-31T12:00:00Z",
)
UNTIL = nullable(TIME)


def seconds_of(field: str, text: str) -> float:
    """Such a time as Unix seconds.

    Raises:
        InvalidFieldError: No calendar has it.
    """
    try:
        return unix_seconds(text)
    except ValueError as error:
        raise InvalidFieldError.at(field, f"expected {TIME['description']}") from error
