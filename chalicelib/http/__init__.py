"""The REST API: each route is declared once, and checked and documented from that declaration.

A module of this package has one ``Api`` (a Chalice blueprint and its tag in the document), and
registers by being listed in app.py:

    from chalicelib.http.routing import Answer, Api, Call
    from chalicelib.http.schema import JsonObject, array, integer, nullable, obj, string

    api = Api("conversations")
    OPENED = obj("Conversation", id=string(), last_seq=integer(minimum=0))

    @api.route(
        "POST", "/v1/conversations",
        summary="Opens the direct conversation with a user.",
        body=obj("NewConversation", user_id=string(min_length=1, max_length=64)),
        status=201, answer=OPENED, idempotent=True,
        errors=(SelfError, UserNotFoundError),
    )
    def open_direct(call: Call) -> JsonObject:
        view = bootstrap.conversations().open_direct(call.user_id, call.body["user_id"])
        return {"id": view.head.id, "last_seq": view.head.last_seq}

- Authentication is on unless ``auth=False``: ``call.identity``, ``call.user_id``. With
  ``role="admin"`` everybody else is refused before anything else is looked at.
- ``{name}`` in the path is in ``call.path``, already 1-64 harmless characters (else 404).
- ``query={**PAGE, "after_seq": integer(minimum=0)}``: ``call.query`` has
  the converted values that were given, and defaults. For lists: ``chalicelib.http.paging``.
- ``body``: ``call.body``, checked: unknown members, wrong kinds, NUL and unpaired surrogates are
  refused with 422 and a list of fields. A member is required unless it is ``optional(...)``;
  ``body_optional=True`` takes no body at all as ``{}``.
- A handler returns the body (a dict), None (with ``status=204``), or an ``Answer`` for another
  status, headers, or text that is JSON already. Any IMError it raises becomes a problem document.
- ``idempotent=True``: an ``Idempotency-Key`` is honoured; ``call.operation_id`` is the same in
  every attempt at one request, so use it as the new thing's id, and an attempt that died midway
  is finished by the next. Without the header it is a new id.
- ``call.ctx``: the Context (trace, user, deadline) to hand on.
"""
