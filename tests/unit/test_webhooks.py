from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib import bootstrap, bootstrap_admin, cli
from chalicelib import bootstrap_integration as integration
from chalicelib.context import Context
from chalicelib.errors import InvalidFieldError, LimitReachedError, NotFoundError
from chalicelib.logic.outbound import Outbound, WebhookPolicy
from chalicelib.logic.webhooks import GRACE_SECONDS, MAX_WEBHOOKS, WebhookService
from tests.built import forget_built
from tests.fakes_accounts import Clock
from tests.fakes_admin import FakeEntries, new_audit
from tests.fakes_integration import KEY, FakeWebhooks, webhook
from tests.rest import Rest, assert_problem

CTX = Context(user="boss")
URL = "https://hooks.example/in"


class Desk:
    def __init__(self) -> None:
        self.clock = Clock()
        self.webhooks = FakeWebhooks()
        self.entries = FakeEntries()
        self.service = WebhookService(
            webhooks=self.webhooks,
            require=Outbound(WebhookPolicy, "prod").require,
            audit=new_audit(self.entries, self.clock),
            clock=self.clock,
            random_bytes=lambda count: KEY[:count],
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_added_receiver_has_a_secret_of_standard_webhooks(desk: Desk) -> None:
    made = desk.service.add(
        CTX, webhook_id="w1", url=URL, events=["message.stored", "message.stored"]
    )

    assert made.secret == "whsec_a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
    assert (made.events, made.created_by, made.active) == (("message.stored",), "boss", True)
    assert desk.service.all() == [made]


def test_every_change_is_in_the_audit_log_and_no_secret_is(desk: Desk) -> None:
    made = desk.service.add(CTX, webhook_id="w1", url=URL, events=["message.stored"])
    desk.service.change(CTX, "w1", {"active": False})
    desk.service.remove(CTX, "w1")

    entries = list(desk.entries.rows.values())
    assert [one.action for one in entries] == ["webhook.add", "webhook.change", "webhook.remove"]
    assert {one.actor for one in entries} == {"boss"}
    assert made.secret not in str(entries)


def test_a_url_that_may_not_be_called_is_neither_added_nor_changed_to(desk: Desk) -> None:
    desk.service.add(CTX, webhook_id="w1", url=URL, events=["message.stored"])

    with pytest.raises(InvalidFieldError):
        desk.service.add(CTX, webhook_id="w2", url="https://10.0.0.1/", events=["message.stored"])
    with pytest.raises(InvalidFieldError):
        desk.service.change(CTX, "w1", {"url": "http://hooks.example"})

    assert [one.url for one in desk.service.all()] == [URL]


def test_there_are_so_many_at_the_most(desk: Desk) -> None:
    desk.webhooks.rows = {f"w{n}": webhook(f"w{n}") for n in range(MAX_WEBHOOKS)}

    with pytest.raises(LimitReachedError):
        desk.service.add(CTX, webhook_id="one more", url=URL, events=["message.stored"])


def test_one_that_is_gone_is_not_changed(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.service.change(CTX, "w1", {"active": False})

    assert desk.service.all() == []


def test_one_that_is_removed_while_it_is_changed_stays_away(desk: Desk) -> None:
    desk.service.add(CTX, webhook_id="w1", url=URL, events=["message.stored"])
    desk.webhooks.put = lambda _webhook, *, new: new  # type: ignore[method-assign]

    with pytest.raises(NotFoundError):
        desk.service.change(CTX, "w1", {"events": ["group.created"]})


@pytest.fixture
def admin(rest: Rest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    """An administrator's token; the API administers the desk's receivers."""
    monkeypatch.setattr(integration, "webhooks", lambda: desk.service)
    user = rest.signed_in("boss")["user"]
    rest.users.rows[user["id"]] = replace(rest.users.rows[user["id"]], roles=("admin",))
    token: str = rest.login("boss")["access_token"]
    return token


def test_an_administrator_keeps_receivers_over_rest(rest: Rest, admin: str) -> None:
    path = "/v1/admin/webhooks"
    body = {"url": URL, "events": ["message.stored", "group.member_added"], "description": "crm"}

    added = rest.call("POST", path, token=admin, body=body)

    assert added.status == 201
    shown = added.body
    one = f"{path}/{shown['id']}"
    secret = shown.pop("secret")
    assert secret.startswith("whsec_")
    assert rest.call("GET", one, token=admin).body == shown
    assert rest.call("GET", path, token=admin).body == {"items": [shown]}
    changed = rest.call("PATCH", one, token=admin, body={"active": False})
    assert changed.body == {**shown, "active": False}
    assert rest.call("DELETE", one, token=admin).status == 204
    assert_problem(rest.call("GET", one, token=admin), 404, "not_found")


def test_wrong_members_are_named(rest: Rest, admin: str) -> None:
    body = {"url": "http://10.0.0.1/", "events": ["no.such"]}

    assert_problem(
        rest.call("POST", "/v1/admin/webhooks", token=admin, body=body),
        422,
        "invalid_field",
        "events.0",
    )
    body["events"] = ["message.stored"]
    assert_problem(
        rest.call("POST", "/v1/admin/webhooks", token=admin, body=body), 422, "invalid_field", "url"
    )


def test_nobody_else_may(rest: Rest, desk: Desk) -> None:
    token = rest.signed_in("ann")["access_token"]

    for method, path in (("GET", ""), ("POST", ""), ("PATCH", "/w1"), ("DELETE", "/w1")):
        reply = rest.call(method, f"/v1/admin/webhooks{path}", token=token)
        assert_problem(reply, 403, "forbidden")
    assert desk.entries.rows == {}


def test_the_command_line_does_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(integration, "webhooks", lambda: desk.service)

    assert cli.main(["webhook", URL, "--event", "group.created"]) == 0
    webhook_id, secret = capsys.readouterr().out.split()
    assert cli.main(["webhooks"]) == 0
    listed = capsys.readouterr().out
    assert cli.main(["remove-webhook", webhook_id]) == 0

    assert webhook_id in listed
    assert "group.created" in listed
    assert secret not in listed
    assert desk.service.all() == []


def test_the_service_is_built_on_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_built()
    monkeypatch.setattr(bootstrap, "store", lambda: None)
    monkeypatch.setattr(bootstrap_admin, "audit", lambda: new_audit(FakeEntries(), Clock()))

    assert integration.webhooks() is integration.webhooks()

    forget_built()


def test_another_secret_leaves_the_old_one_a_day(desk: Desk) -> None:
    old = webhook("w1", secret="whsec_b2xk")
    desk.webhooks.put(old, new=True)

    made = desk.service.rotate(CTX, "w1")

    assert made.secret == "whsec_a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
    assert (made.old_secret, made.old_secret_until) == (old.secret, desk.clock() + GRACE_SECONDS)
    assert desk.service.all() == [made]
    (entry,) = desk.entries.rows.values()
    assert (entry.action, entry.target) == ("webhook.rotate", "w1")
    assert made.secret not in str(entry)
    with pytest.raises(NotFoundError):
        desk.service.rotate(CTX, "w2")
    desk.webhooks.put = lambda _webhook, *, new: new  # type: ignore[method-assign]
    with pytest.raises(NotFoundError):
        desk.service.rotate(CTX, "w1")


def test_an_administrator_rotates_a_secret_over_rest_and_from_the_command_line(
    rest: Rest,
    admin: str,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk.webhooks.put(webhook("w1", secret="whsec_b2xk"), new=True)
    monkeypatch.setattr(bootstrap_admin, "audit", lambda: new_audit(desk.entries, desk.clock))

    answer = rest.call("POST", "/v1/admin/webhooks/w1/secret", token=admin)

    assert answer.status == 200
    assert answer.body["secret"] == desk.webhooks.rows["w1"].secret
    assert answer.body["old_secret_until"].endswith("Z")
    assert "old_secret" not in rest.call("GET", "/v1/admin/webhooks/w1", token=admin).body
    assert cli.main(["rotate-webhook", "w1"]) == 0
    assert capsys.readouterr().out.split()[-1] == desk.webhooks.rows["w1"].secret
    missing = rest.call("POST", "/v1/admin/webhooks/none/secret", token=admin)
    assert_problem(missing, 404, "not_found")
