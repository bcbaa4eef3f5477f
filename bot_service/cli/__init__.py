"""The `stepwise` command: one module per group of commands."""
