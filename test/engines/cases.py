# SPDX-License-Identifier: Apache-2.0
"""Cases by engine: @case("run.status", "podman", "docker") declares a function of one Test."""
import itertools
import time

from engines import Failure

CASES = []
_numbers = itertools.count(1)


def case(name, *engines):
    """Declares it for these engines."""
    def declare(function):
        CASES.append((name, engines, function))
        return function
    return declare


class Test:
    """What a case gets: the engine, and ways to say what must be."""

    def __init__(self, engine):
        self.engine = engine
        self.cli = engine.cli if hasattr(engine, "cli") else None
        self.good = engine.good
        self.is_podman = engine.name == "podman"

    @staticmethod
    def name():
        """A container's name that no other case has."""
        return f"redoubt{next(_numbers)}"

    @staticmethod
    def eq(actual, wanted, what=""):
        """They must be the same."""
        if actual != wanted:
            raise Failure(f"{what}: got {actual!r}, want {wanted!r}")

    @staticmethod
    def has(part, whole):
        """It must be in there."""
        if part not in whole:
            raise Failure(f"no {part!r} in {whole!r}")

    @staticmethod
    def that(condition, what):
        """It must hold."""
        if not condition:
            raise Failure(what)

    @staticmethod
    def until(condition, what, seconds=15):
        """It must come to hold."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"no {what} after {seconds} s")
            time.sleep(0.1)
