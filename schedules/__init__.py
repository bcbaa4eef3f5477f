"""When messages fall due: pure functions of a rhythm and a date, and the ticker that looks for due work."""
