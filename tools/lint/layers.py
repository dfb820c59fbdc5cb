# SPDX-License-Identifier: Apache-2.0
"""The layering rule: reads layers.txt, judges one #include at a time."""

import os


class Layers:
    """The table of layers.txt."""

    def __init__(self, text):
        self._allowed = {}  # a line's folder -> the names it may use
        self._tests_also = []
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            folder, colon, names = line.partition(":")
            if not colon:
                raise ValueError(f"layers.txt:{number}: no colon")
            if folder == "*_test":
                self._tests_also = names.split()
            elif folder in self._allowed:
                raise ValueError(f"layers.txt:{number}: a second line for {folder}")
            else:
                self._allowed[folder] = names.split()

    def owner(self, path):
        """The folder whose line governs a file; None if there is none."""
        folder = os.path.dirname(path)
        while folder:
            if folder in self._allowed:
                return folder
            folder = os.path.dirname(folder)
        return None

    def complaint(self, includer, included):
        """Why one file must not include another, or None. Paths start at the top of the tree."""
        source, target = self.owner(includer), self.owner(included)
        if source is None:
            return f"{includer}: its folder has no line in tools/lint/layers.txt"
        if target is None or target == source:
            return None
        names = list(self._allowed[source])
        if os.path.splitext(includer)[0].endswith(("_test", "_fixture")):
            names += self._tests_also
        if any(_covers(name, target) for name in names):
            return None
        return f"{includer}: {source} must not include {included} (of {target})"


def _covers(name, target):
    if name == "...":
        return True
    if name.endswith("/..."):
        return target == name[:-4] or target.startswith(name[:-3])
    return target == name
