"""Tests of the synthetic reef camera."""
