"""Simulated patients, the sample clinic and the headless demo: they use the service as anybody would, and nothing else."""
