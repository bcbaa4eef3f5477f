"""What it means: the record of an episode and the rules over it. Pure; no rule decides treatment."""
