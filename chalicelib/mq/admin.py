"""Topics."""

from __future__ import annotations

from chalicelib import coord
from chalicelib.context import Context
from chalicelib.mq import config, drivers
from chalicelib.mq.options import Option, collect

_TIMEOUT_SECONDS = 10.0


class AdminClient:
    """Creates topics."""

    def __init__(self, settings: config.Config) -> None:
        self._settings = settings

    def create_topic(
        self,
        ctx: Context,
        name: str,
        *,
        partitions: int,
        replication: int = 1,
        retention_ms: int | None = None,
    ) -> bool:
        """Creates a topic; False when it was there already.

        Raises:
            MqError: The cluster refused, or did not answer before the deadline (else 10 s).
        """
        options = {} if retention_ms is None else {"retention.ms": str(retention_ms)}
        create = drivers.create_topic(self._settings)
        return create(
            self._settings,
            name,
            partitions=partitions,
            replication=replication,
            options=options,
            timeout=ctx.remaining(_TIMEOUT_SECONDS),
        )


def new_admin_client(service_name: str, *options: Option) -> AdminClient:
    """An admin client configured under the service's name.

    Raises:
        MqConfigError: There is no configuration, or it is wrong.
    """
    dependencies = collect(options)
    return AdminClient(config.load(dependencies.centre or coord.new(), service_name))
