#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""compare.py A B - two plays of one case, step by step: is all the same?

What play.sh left in the folders A and B: steps, exit statuses, outputs, errors.
JSON is compared as data, everything else as text. What may differ is in this
file and nowhere else, each with its reason.
"""
import difflib
import json
import os
import re
import sys

# How much of one difference is shown.
LINES_MAX = 40

# Values that stand for the machine or the moment. null stays null: that one
# side knows and the other does not is a difference.
MAY_DIFFER = {
    "source": "one machine is live, the other simulated",
    "rev": "a digest that covers UUIDs",
    "digest": "a digest over revs",
    "expect": "a digest over revs",
    "published_at_ms": "a time",
    "since_ms": "a time",
    "driver_loaded_ms": "a time",
    "pid": "numbered by each kernel",
    "start_time": "counted from each boot",
}
# Names that each side makes up: only which are equal to which is compared.
NAMES = {
    "iommu_group": "numbered in the order in which the kernel met them",
}
# The same within sentences and paths.
NAMED = [
    ("iommu_group", re.compile(r"(?<=/dev/vfio/)([0-9]+)\b")),
    ("iommu_group", re.compile(r"(?<=IOMMU group )([0-9]+)\b")),
    # a library that is not there is looked for in other places
    ("library", re.compile(r"(\S*libnvidia-ml\.so\.1)\b")),
]
UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
# Numbers and words of one side within sentences, each with what stands for it.
PATTERNS = [
    (re.compile(r"\bpid [0-9]+\b"), "pid <pid>"),
    (re.compile(r"--disrupt pid:[0-9]+\b"), "--disrupt pid:<pid>"),
    # said on a live machine only
    (re.compile(r"^writing to vm-bench\n", re.M), ""),
    # a digest that covers made-up UUIDs
    (re.compile(r"^PLAN  [0-9a-f]{32}$", re.M), "PLAN  <digest>"),
    # how long a writer has waited
    (re.compile(r"\b[0-9]+ s\b"), "<n> s"),
    # how many processes each machine has
    (re.compile(r"\b[0-9]+ of them may not be looked into"), "<n> of them may not be looked into"),
    # when a commit began
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} UTC\b"), "<time> UTC"),
    # columns are as wide as the longest pid
    (re.compile(r"   +"), "  "),
]
# A UUID that a case itself gives is compared as it is.
GIVEN = re.compile(r"^1{8}-")


class Side:
    """One play; remembers which made-up name came when."""

    def __init__(self, folder):
        self.folder = folder
        self.seen = {}

    def ordinal(self, kind, value):
        names = self.seen.setdefault(kind, {})
        return "<%s %d>" % (kind, names.setdefault(str(value), len(names)))

    def text(self, text):
        for pattern, instead in PATTERNS:
            text = pattern.sub(instead, text)
        for kind, pattern in NAMED:
            text = pattern.sub(lambda m: self.ordinal(kind, m[1]), text)
        return UUID.sub(lambda m: m[0] if GIVEN.match(m[0]) else self.ordinal("uuid", m[0]), text)

    def value(self, key, value):
        if isinstance(value, dict):
            return {k: self.value(k, v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.value(key, v) for v in value]
        if value is None:
            return None
        if key in MAY_DIFFER:
            return "<%s>" % key
        if key in NAMES:
            return self.ordinal(key, value)
        return self.text(value) if isinstance(value, str) else value

    def read(self, step, name):
        with open(os.path.join(self.folder, step, name), encoding="utf-8", errors="backslashreplace") as f:
            return f.read()

    def output(self, step):
        text = self.read(step, "output")
        if text.lstrip().startswith("{"):
            try:
                return json.dumps(self.value("", json.loads(text)), indent=1)
            except ValueError:
                pass
        return self.text(text)

    def steps(self):
        return sorted(d for d in os.listdir(self.folder) if d.isdigit())


def differences(a, b):
    if a.steps() != b.steps():
        yield "not the same steps: %d and %d" % (len(a.steps()), len(b.steps()))
        return
    for step in a.steps():
        what = a.read(step, "step").strip()
        for name, x, y in (
            ("step", what, b.read(step, "step").strip()),
            ("exit status", a.read(step, "status"), b.read(step, "status")),
            ("output", a.output(step), b.output(step)),
            ("errors", a.text(a.read(step, "errors")), b.text(b.read(step, "errors"))),
        ):
            if x == y:
                continue
            yield "step %s, %s: %s" % (step, what, name)
            for line in list(difflib.unified_diff(x.splitlines(), y.splitlines(), lineterm="", n=1))[2:LINES_MAX]:
                yield "  " + line


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: compare.py A B")
    lines = list(differences(Side(sys.argv[1]), Side(sys.argv[2])))
    for line in lines:
        print("# " + line)
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
