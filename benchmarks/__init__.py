"""Measurements beside the other way, run by hand; tests see that they run, and time nothing.

Each prints one line of JSON a case.
"""

from megafish_assets.__main__ import keep_blas_from_spinning

keep_blas_from_spinning()
