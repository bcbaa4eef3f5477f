"""How messages travel: one module a channel, each independent of the others."""
