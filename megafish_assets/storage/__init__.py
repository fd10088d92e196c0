"""Where everything lies: Delta tables, the IO manager and its types, parts and commits, partitions, the catalog.

Here: everything that knows Delta. Not here: what a row means, and when anything is made.
"""

import warnings

import dagster as dg

# `backfill_policy` is marked as beta. Dagster's version is pinned exactly, so the notice, a dozen times at each start,
# tells nobody anything; a bump of the pin runs the whole test suite.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
