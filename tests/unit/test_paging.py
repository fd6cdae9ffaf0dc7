from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import InvalidQueryError
from chalicelib.http.paging import decode, encode, page

POSITIONS = st.one_of(
    st.text(), st.integers(), st.lists(st.text()), st.dictionaries(st.text(), st.integers())
)


@given(POSITIONS, st.text())
def test_a_cursor_gives_its_position_back(position: object, scope: str) -> None:
    assert decode(scope, encode(scope, position)) == position


@given(st.text())
def test_whatever_else_is_sent_is_refused(cursor: str) -> None:
    if not cursor:
        assert decode("list", cursor) is None
        return
    with pytest.raises(InvalidQueryError) as caught:
        decode("list", cursor)
    assert caught.value.errors[0].field == "cursor"


@given(st.data())
def test_an_altered_cursor_is_refused(data: st.DataObject) -> None:
    cursor = encode("list", "anna")
    at = data.draw(st.integers(0, len(cursor) - 2))
    letter = data.draw(st.sampled_from("abcXYZ019-_"))
    altered = cursor[:at] + letter + cursor[at + 1 :]

    if altered != cursor:
        with pytest.raises(InvalidQueryError):
            decode("list", altered)


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(InvalidQueryError):
        decode("users b", encode("users a", "anna"))


def test_a_page_says_where_the_next_one_begins() -> None:
    body = page([{"id": "a"}], "list", "a")

    assert body["items"] == [{"id": "a"}]
    assert decode("list", body["next_cursor"]) == "a"
    assert page([], "list")["next_cursor"] is None
