"""A local cloud for SAM templates: API Gateway (WebSocket and REST), Lambda, Kafka triggers.

It knows AWS by its JSON only, and nothing of the applications that run on it.
"""
