"""The AsyncAPI 3 document of the WebSocket API and of both topics, made from the code.

``python -m chalicelib.asyncapi`` writes docs/asyncapi.json; with ``--check`` it says whether that
is current. Schemas come from the dataclasses that the code passes on, examples from the functions
that make frames and records; tests compare the rest with what is really sent.
https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""
