"""Runs a suite: processes, one JSON a run; resumes where it stopped."""
