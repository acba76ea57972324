"""Deferred modules: named without being imported, and whole as soon as something is asked of them."""

from __future__ import annotations

import subprocess
import sys


def answers(*lines: str) -> list[str]:
    """What statements print in a process of its own."""
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_module_that_is_only_named_is_not_imported() -> None:
    assert answers(
        "import sys",
        "from expectations.deferred import defer",
        "defer('scipy.stats')",
        "from scipy import stats",
        "import scipy.stats",
        "print('scipy.stats._distn_infrastructure' in sys.modules)",
    ) == ["False"]


def test_what_is_asked_of_it_is_answered() -> None:
    assert answers(
        "import sys",
        "from expectations.deferred import defer",
        "defer('scipy.stats')",
        "from scipy import stats",
        "print(round(stats.norm.cdf(0), 3), stats.norm is sys.modules['scipy.stats'].norm)",
    ) == ["0.5", "True"]


def test_a_part_of_it_can_be_imported() -> None:
    assert answers(
        "from expectations.deferred import defer",
        "defer('altair', 'scipy.stats')",
        "from altair.utils import AltairDeprecationWarning as part",
        "import scipy.stats.mstats",
        "print(part.__module__.split('.')[0], scipy.stats.mstats.gmean([1, 4]))",
    ) == ["altair", "2.0"]


def test_a_module_that_is_there_already_stays() -> None:
    assert answers(
        "import json, sys",
        "from expectations.deferred import defer",
        "defer('json')",
        "print(sys.modules['json'] is json)",
    ) == ["True"]


def test_great_expectations_leaves_its_charts_and_distributions_unread() -> None:
    assert answers(
        "import sys",
        "import expectations.engine",
        "print([name for name in ('scipy.stats._distn_infrastructure', 'altair.vegalite') if name in sys.modules])",
    ) == ["[]"]
