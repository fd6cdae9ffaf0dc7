from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.logic.oidc_providers import parse_oidc

GOOD: dict[str, Any] = {
    "issuer": "https://id.example",
    "client_id": "chat",
    "redirect_uris": ["https://chat.example/login"],
}


def text(**more: Any) -> str:
    entry = {name: value for name, value in {**GOOD, **more}.items() if value is not None}
    return json.dumps({"providers": {"corp": entry}})


def test_a_provider_is_read_with_its_defaults() -> None:
    provider = parse_oidc(text(client_secret_parameter="secret/oidc-corp"))["corp"]

    assert provider.redirect_uris == ("https://chat.example/login",)
    assert provider.client_secret_parameter == "secret/oidc-corp"
    assert provider.scopes == ("openid", "profile")
    assert provider.create_users
    assert "RS256" in provider.algorithms
    assert parse_oidc("{}") == {}


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("[]", "providers"),
        ('{"providers": []}', "providers"),
        ('{"provider": {}}', "providers"),
        ('{"providers": {"Ä": {}}}', "name"),
        ('{"providers": {"corp": 7}}', "corp: "),
        (text(client_secret="x"), "corp: "),
        (text(issuer="http://id.example"), "issuer"),
        (text(issuer="https://id.example?a=b"), "issuer"),
        (text(issuer=None), "issuer"),
        (text(client_id=""), "client_id"),
        (text(client_secret_parameter="../x y"), "client_secret_parameter"),
        (text(client_secret_parameter=7), "client_secret_parameter"),
        (text(scopes=["profile"]), "scopes"),
        (text(scopes=["openid", "a b"]), "scopes"),
        (text(scopes="openid"), "scopes"),
        (text(algorithms=["HS256"]), "algorithms"),
        (text(algorithms=[]), "algorithms"),
        (text(redirect_uris=[]), "redirect_uris"),
        (text(redirect_uris=None), "redirect_uris"),
        (text(redirect_uris=[""]), "redirect_uris"),
        (text(create_users="yes"), "create_users"),
    ],
)
def test_a_wrong_policy_is_refused_and_says_where(document: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_oidc(document)
