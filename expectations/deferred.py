"""Modules that are imported when something is asked of them, and not when they are named.

Belongs here: sparing a process what a library imports for parts of it that nobody uses.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Deferred(ModuleType):
    """Stands for a module until somebody asks for something in it.

    Not what the import system asks for: by that, the standard library's ``LazyLoader`` is woken by the next import.
    """

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module holds
        if name.startswith("__") and name != "__path__":  # which is asked for where a part of a package is imported
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        self.__dict__.update(module.__dict__)
        return getattr(module, name)


def defer(*names: str) -> None:
    """Put off the import of modules that are not imported yet."""
    for name in names:
        if name not in sys.modules:
            sys.modules[name] = _Deferred(name)
