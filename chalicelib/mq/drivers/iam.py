"""Tokens for MSK with IAM access control."""

from __future__ import annotations

import os

from chalicelib.mq.config import Config


def token(settings: Config) -> tuple[str, float]:
    """A token signed with the credentials of the environment; it ends at that Unix second.

    https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html
    """
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    region = settings.region or os.environ.get("AWS_REGION", "us-east-1")
    signed, expires_ms = MSKAuthTokenProvider.generate_auth_token(region)
    return signed, expires_ms / 1000
