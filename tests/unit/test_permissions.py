"""Each function may do what it did while the end-to-end tests ran, and nothing much beyond.

tests/permissions.py says how a record is made. Granted is by table, to read or to write; rights
that no test used are here, each with its reason.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localstack.emulator.template import load
from tests.permissions import RECORD, Call, Grant, calls, grants, refused, unused

pytestmark = pytest.mark.req("SHAPE-8")

ROOT = Path(__file__).parents[2]
MADE = calls(RECORD.read_text().splitlines())
ALLOWED = grants()
# CloudFormation invokes it.
NOT_INVOKED = {"Setup"}
COUNTER = (
    "the shared counter is asked when a function's own permits are spent, which takes hundreds"
)
GIVEN_UP = "Lambda puts the batches there that a trigger gave up"
FIRST_SEEN = "a trusted issuer's user gets an account when their first token is seen"
FAILURES = "ListBucket+PutObject lambchat-local-failures-000000000000"
ATTACHMENTS = "lambchat-local-attachments-000000000000"
HOOKS = "InvokeFunction lambchat-local-hook-*"
CLOUD_ARN = "the ARNs of mobile endpoints begin so on AWS, and otherwise locally"
REASONS = {
    "Api DeleteEndpoint+GetEndpointAttributes+SetEndpointAttributes endpoint/*": CLOUD_ARN,
    "MobilePush DeleteEndpoint+Publish endpoint/*": CLOUD_ARN,
    **{
        f"Tasks DeleteEndpoint {kind}/*": "an account that has a phone is deleted"
        for kind in ("app", "endpoint")
    },
    **{
        f"MobilePush read {table}": "of bots' and trusted issuers' users, and of edited messages"
        for table in ("bans", "bots", "changes")
    },
    **{
        f"{name} write limits": COUNTER
        for name in ("Change", "Frame", "Presence", "Send", "Sync", "Typing")
    },
    **{
        f"{name} {FAILURES}{objects}": GIVEN_UP
        for name in ("Breakers", "MobilePush", "Statistics", "Webhooks")
        for objects in ("", "/*")
    },
    **{
        f"Authorizer {kind}": FIRST_SEEN
        for kind in (
            *("read conversations", "read messages", "read users"),
            *("write connections", "write identities", "write users"),
        )
    },
    **{
        f"Retention {kind}": "messages are kept for ever until an operator says otherwise"
        for kind in (
            *("Scan conversations", "read conversations", "read messages", "read changes"),
            *("read sweeps", "write changes", "write conversations", "write mentions"),
            *("write messages", "write sweeps"),
        )
    },
    **{
        f"{name} ListBucket {ATTACHMENTS}": "so that a missing object is missing, not forbidden"
        for name in ("Api", "Send")
    },
    **{
        f"{name} {HOOKS}": "an operator's hooks, which the templates do not have"
        for name in ("Api", "Change", "Send", "Tasks", "WebhookPosts")
    },
    **{
        f"{name} read {table}": "who may see a change is looked up for groups with a webhook"
        for name in ("Webhooks", "WebhookPosts")
        for table in ("groups", "members")
    },
    "Api GetObject lambchat-local-exports-000000000000/*": "a link is good for what its signer may",
    "Breakers write breaker-changes": "a breaker opens when a service is away",
    "Common GetItem snapshots": "with CONFIG_SOURCE=snapshot",
    "Disconnect ManageConnections 8f12ecf092/local/*": "for a frame of the type `$disconnect`",
    "Send read changes": "what a reply or forward refers to may have been changed",
    "Tasks SendEmail identity/*": "local mails go into the log",
    "Tasks read done-commands": "a command with an idempotency key that comes again",
    "Tasks write done-commands": "the same",
    "Tasks write identities": "an account from elsewhere is deleted",
    "Tasks write sessions": "the sessions of an account are ended again when it is deleted",
    "Tasks write settings": "the settings of an account are deleted with it",
    "WebhookPosts UpdateItem attachments": "a bot's reply may forward a file",
    "Vanished ManageConnections 8f12ecf092/local/*": "no connection is old enough in a test",
    "Vanished write connections": "the same",
    "Trigger CreateNetworkInterface+DeleteNetworkInterface+DescribeNetworkInterfaces+"
    "DescribeSecurityGroups+DescribeSubnets+DescribeVpcs *": "Lambda's pollers use them",
}


def test_a_function_may_do_whatever_it_did() -> None:
    found = [f"{one.function}: {one.action} {one.resource}" for one in refused(MADE, ALLOWED)]

    assert found == []


def test_what_nobody_did_has_a_reason() -> None:
    found = {one for one in unused(MADE, ALLOWED) if one.split()[0] not in NOT_INVOKED}

    assert found - REASONS.keys() == set()


def test_a_reason_is_taken_out_when_it_is_no_longer_true() -> None:
    found = set(unused(MADE, ALLOWED))

    assert REASONS.keys() - found == set()


def test_only_network_interfaces_are_granted_without_naming_them() -> None:
    everywhere = [one for one in ALLOWED if one.resource == "*"]

    assert [
        (one.policy, {name.partition(":")[0] for name in one.actions}) for one in everywhere
    ] == [("Trigger", {"ec2"})]
    assert all("*" not in action for one in ALLOWED for action in one.actions)


def test_no_policy_reads_the_signing_key_but_those_who_sign() -> None:
    readers = {one.policy for one in ALLOWED if one.resource.endswith("auth/signing-key")}

    assert readers == {"Api", "RotateKeys", "Setup"}


def test_every_policy_fits() -> None:
    """IAM's limit is 6,144 characters; other stages and regions have names up to 16 longer."""
    resources = load(ROOT / "template.yaml").resources
    documents = {
        one.logical_id: json.dumps(one.properties["PolicyDocument"], separators=(",", ":"))
        for one in resources
        if one.type == "AWS::IAM::ManagedPolicy"
    }
    sizes = {name: len(text) + 16 * text.count("arn:") for name, text in documents.items()}

    assert {name: size for name, size in sizes.items() if size > 6144} == {}


GRANT = Grant("Send", ("dynamodb:GetItem",), "arn:table/users", frozenset({"SendFunction"}))


@pytest.mark.parametrize(
    "call",
    [
        Call("AckFunction", "dynamodb:GetItem", "arn:table/users"),
        Call("SendFunction", "dynamodb:PutItem", "arn:table/users"),
        Call("SendFunction", "dynamodb:GetItem", "arn:table/users2"),
    ],
)
def test_a_call_beyond_the_policy_is_found(call: Call) -> None:
    allowed = Call("SendFunction", "dynamodb:GetItem", "arn:table/users")

    assert refused([allowed, call], [GRANT]) == [call]
    assert unused([call], [GRANT]) == ["Send GetItem table/users"]
    assert unused([allowed], [GRANT]) == []
