"""Pages and webhooks: reads through storage, changes through actions."""
