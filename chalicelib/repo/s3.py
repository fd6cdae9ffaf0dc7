"""S3 through boto3, for nothing that needs it is on the path of most messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.aws import region
from chalicelib.errors import UnavailableError


def s3() -> Any:
    """A client; the presigned links of older signatures would not serve in every region."""
    return boto3.client(
        "s3",
        region_name=region(),
        config=Config(
            signature_version="s3v4",
            connect_timeout=2,
            read_timeout=10,
            # Others' S3, such as the local one, does not know the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextmanager
def translated() -> Iterator[None]:
    """Has the errors of boto3 raised as ours."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise UnavailableError(f"S3 answered {error}") from error
