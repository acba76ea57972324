"""Great Expectations on DuckDB: suites from contracts, running them, their results, validation reports.

What must be said before the library is imported stands here: whichever module of this room imports it, this is first.
"""

from __future__ import annotations

import os

from expectations.deferred import defer

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
# For expectations about distributions, of which no contract has any; a third of the time of importing the library.
defer("scipy.stats", "altair")
