"""Command tasks: what is enqueued (outbox) and what carries it out (commands)."""
