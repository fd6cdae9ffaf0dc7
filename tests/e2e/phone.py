"""A phone whose notifications are read from a queue.

MiniStack takes what is published to a mobile endpoint and shows it nowhere. But it looks for a
topic of that ARN first, and of topics it makes any: so one that has the endpoint's ARN hands what
is published to a queue.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.client import User
from tests.e2e.operators import aws
from tests.e2e.system import System

APPLICATION = "lambchat-local"  # which `policy/push` of the stage `local` names
_TABLE = "lambchat-local-push-tokens"


@dataclass
class Phone:
    """What a user's device was notified of."""

    system: System
    user: User
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    endpoint: str = ""
    _queue: str = ""
    _notes: list[Any] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"/v1/users/me/push-tokens/{self.user.device_id}"

    def register(self) -> Phone:
        """Registers its token, and listens."""
        with contextlib.closing(aws(self.system, "sns")) as sns:
            sns.create_platform_application(Name=APPLICATION, Platform="GCM", Attributes={})
        answer = self.user.call("PUT", self.path, {"platform": "fcm", "token": self.token})
        assert answer.status == 204, answer.body
        self.endpoint = self._devices()[self.user.device_id]["M"]["endpoint"]["S"]
        with (
            contextlib.closing(aws(self.system, "sqs")) as sqs,
            contextlib.closing(aws(self.system, "sns")) as sns,
        ):
            self._queue = sqs.create_queue(QueueName=self.token)["QueueUrl"]
            found = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
            topic = sns.create_topic(Name=self.endpoint.split(":", 5)[5])
            assert topic["TopicArn"] == self.endpoint
            sns.subscribe(
                TopicArn=self.endpoint,
                Protocol="sqs",
                Endpoint=found["Attributes"]["QueueArn"],
                Attributes={"RawMessageDelivery": "true"},
            )
        return self

    def is_registered(self) -> bool:
        """Whether the system would notify it."""
        return self.user.device_id in self._devices()

    def is_enabled(self) -> bool:
        """Whether SNS would."""
        with contextlib.closing(aws(self.system, "sns")) as sns:
            try:
                found = sns.get_endpoint_attributes(EndpointArn=self.endpoint)
            except sns.exceptions.NotFoundException:
                return False
        return bool(found["Attributes"]["Enabled"] == "true")

    def notes(self) -> list[tuple[str, str]]:
        """The notifications so far: the conversation that they collapse in, and the text."""
        with contextlib.closing(aws(self.system, "sqs")) as sqs:
            found = sqs.receive_message(
                QueueUrl=self._queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            )
        for one in found.get("Messages", ()):
            collapse = one["MessageAttributes"]["AWS.SNS.MOBILE.APNS.COLLAPSE_ID"]["StringValue"]
            self._notes.append((collapse, one["Body"]))
        return self._notes

    def is_settled(self, conversation_id: str) -> bool:
        """Whether the system has done with a notification, and all others of the same event."""
        found = self._item(f"sent#{conversation_id}")
        return bool(found.get("pushed", {}).get("BOOL"))

    def _devices(self) -> Any:
        return self._item("devices").get("devices", {"M": {}})["M"]

    def _item(self, sk: str) -> Any:
        key = {"user_id": {"S": self.user.id}, "sk": {"S": sk}}
        with contextlib.closing(aws(self.system, "dynamodb")) as client:
            return client.get_item(TableName=_TABLE, Key=key, ConsistentRead=True).get("Item", {})
