"""From an edition's value table to its pages, and from the marts to a published edition."""
