"""AWS over signed HTTP with nothing but the standard library.

A call through boto3 costs 1-3 ms of CPU and its import 300 ms and 30 MB (docs/decisions/0002);
the path of a message affords neither. One request is in flight on each kept connection; several
calls go out together on several connections and are read back in turn.
"""

from chalicelib.aws.connection import Request, Response
from chalicelib.aws.endpoint import Endpoint, Guard
from chalicelib.aws.errors import AwsError
from chalicelib.aws.services import JsonService, dynamodb, endpoint_url, parameter_store, region
from chalicelib.aws.signer import Credentials, Signer

__all__ = [
    "AwsError",
    "Credentials",
    "Endpoint",
    "Guard",
    "JsonService",
    "Request",
    "Response",
    "Signer",
    "dynamodb",
    "endpoint_url",
    "parameter_store",
    "region",
]
