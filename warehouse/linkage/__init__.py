"""Linkage of police crimes with cases of the CPS, inside the vault's boundary.

``link`` is the door; the steps stand in modules of their own: ``scope`` (which records), ``exact``, ``repaired`` and
``probabilistic`` (which partners), ``bridge`` (what is written), ``page`` (what auditors see).
"""

from __future__ import annotations

from warehouse.linkage.run import LinkError, LinkOutcome, link

__all__ = ["LinkError", "LinkOutcome", "link"]
