"""Measurements: run by hand, never by a test. Each prints one line of JSON a case."""

from megafish_assets.__main__ import keep_blas_from_spinning

keep_blas_from_spinning()
