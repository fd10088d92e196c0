"""Measurements: run by hand, never by a test. Each prints one line of JSON a case."""

import megafish_assets  # noqa: F401  before numpy, for what it tells OpenBLAS
