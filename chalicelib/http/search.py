"""Search in one's own conversations."""

from __future__ import annotations

from chalicelib import bootstrap_messaging as messaging
from chalicelib.errors import (
    ConversationNotFoundError,
    InvalidQueryError,
    NotMemberError,
)
from chalicelib.frames import dump
from chalicelib.http import paging
from chalicelib.http.message_schema import ID, MESSAGE
from chalicelib.http.routing import Answer, Api, Call
from chalicelib.http.schema import page_of, required, string
from chalicelib.logic.search import Query

api = Api("search")


@api.route(
    "GET",
    "/v1/messages",
    summary="Messages with all of some words, each the beginning of a word, whatever case and "
    "accents; conversation by conversation, in each the newest first. The world room is searched "
    "only by its id. A page may have few or none: go on while there is a `next_cursor`.",
    query={
        "query": required(string(min_length=1, max_length=100)),
        "conversation_id": ID,
        **paging.PAGE,
    },
    answer=page_of("FoundMessages", MESSAGE),
    errors=(ConversationNotFoundError, NotMemberError),
)
def search(call: Call) -> Answer:
    """A page of what is found, passed on as it is stored."""
    text, room = call.query["query"], call.query.get("conversation_id", "")
    query = Query(text)
    if not query:
        raise InvalidQueryError.at("query", "expected a letter or digit")
    scope = dump(["search", text, room])
    position = paging.decode(scope, call.query.get("cursor"))
    found, following = messaging.search().search(
        call.user_id,
        query,
        conversation_id=room,
        position=tuple(position) if position else None,
        limit=call.query["limit"],
    )
    cursor = dump(paging.encode(scope, following)) if following else "null"
    texts = ",".join(one.text for one in found)
    return Answer(body=f'{{"items":[{texts}],"next_cursor":{cursor}}}')
