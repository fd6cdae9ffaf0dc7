"""Topics."""

from __future__ import annotations

from chalicelib import coord
from chalicelib.context import Context
from chalicelib.mq import config
from chalicelib.mq.options import Option, collect


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
        import confluent_kafka
        from confluent_kafka.admin import AdminClient as Client
        from confluent_kafka.cimpl import NewTopic

        client = Client(
            {
                "bootstrap.servers": ",".join(self._settings.brokers),
                "security.protocol": self._settings.security,
            }
        )
        timeout = ctx.remaining(10.0)
        if name in client.list_topics(timeout=timeout).topics:
            return False
        settings = {} if retention_ms is None else {"retention.ms": str(retention_ms)}
        topic = NewTopic(name, partitions, replication, config=settings)
        try:
            client.create_topics([topic], request_timeout=timeout)[name].result(timeout)
        except confluent_kafka.KafkaException as error:
            if error.args[0].code() == confluent_kafka.KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            raise MqError(f"topic {name}: {error}") from error
        return True


class MqError(Exception):
    """The cluster refused an administrative request."""


def new_admin_client(service_name: str, *options: Option) -> AdminClient:
    """An admin client configured under the service's name.

    Raises:
        MqConfigError: There is no configuration, or it is wrong.
    """
    dependencies = collect(options)
    return AdminClient(config.load(dependencies.centre or coord.new(), service_name))
