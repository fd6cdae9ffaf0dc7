"""Messages to WebSocket connections, over API Gateway's management API."""

from chalicelib.push.pusher import Pusher

__all__ = ["Pusher"]
