"""Measurements: run by hand, never by a test. Each prints one line of JSON a case."""
