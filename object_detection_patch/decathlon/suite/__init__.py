"""WHAT a decathlon runs: tasks, methods, bases, experiments."""
