"""Circuit breakers: a downstream that keeps failing is left alone for a while.

>>> provider = new(Config("/lambchat/local/breaker"))                  # doctest: +SKIP
>>> provider.get_breaker("dynamodb").do(None, lambda: "answer")        # doctest: +SKIP
'answer'
"""

from chalicelib.breaker.breaker import Breaker, BreakerOpenError
from chalicelib.breaker.options import (
    Config,
    with_clock,
    with_config_centre,
    with_logger,
    with_on_change,
)
from chalicelib.breaker.policy import Policy, PolicyError
from chalicelib.breaker.provider import Provider, new

__all__ = [
    "Breaker",
    "BreakerOpenError",
    "Config",
    "Policy",
    "PolicyError",
    "Provider",
    "new",
    "with_clock",
    "with_config_centre",
    "with_logger",
    "with_on_change",
]
