"""The service: what happens, what is said, how it travels and what is stored."""

__version__ = "0.1.0"
