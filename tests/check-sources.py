#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check that every source that the catalogue names is in its table, and that the two tables agree."""
import json
import pathlib
import sys

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def named(value):
    """All keys in lists called "sources", at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "sources":
                yield from inner
            else:
                yield from named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named(inner)


def main():
    faults = []
    tables = {}
    for concern in ("mig", "vgpu"):
        table = tables[concern] = load(DATA / f"{concern}-sources.json")["sources"]
        for path in sorted((DATA / concern).glob("*.json")):
            unknown = set(named(load(path))) - table.keys()
            faults += [f"{path}: source {key} is not in {concern}-sources.json" for key in sorted(unknown)]
    for key in sorted(tables["mig"].keys() & tables["vgpu"].keys()):
        if tables["mig"][key] != tables["vgpu"][key]:
            faults.append(f"source {key} is another one in mig-sources.json and vgpu-sources.json")
    print("\n".join(faults) or "all sources are known")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
