"""The machine room: partitions, storage, resources, settings, jobs and metadata.

Here: everything that knows Dagster or Delta and no statistics. Not here: assets, and what any number means.
"""

import warnings

import dagster as dg

# `backfill_policy` is marked as beta. Dagster's version is pinned exactly, so the notice, a dozen times at each start,
# tells nobody anything; a bump of the pin runs the whole test suite.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
