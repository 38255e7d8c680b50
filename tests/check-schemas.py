#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check JSON files against the schemas in data/schema.

Without arguments: every schema itself, the catalogue, the services and the themes.
With SCHEMA:FILE arguments, those as well ("plan:out.json"; FILE "-" is stdin).
"""
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMAS = ROOT / "data" / "schema"


def unique_keys(pairs):
    keys = [key for key, _ in pairs]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise ValueError(f"keys are there twice: {', '.join(sorted(twice))}")
    return dict(pairs)


def refuse_constant(word):
    raise ValueError(f"{word} is not JSON")


def load(path):
    text = sys.stdin.read() if path == "-" else pathlib.Path(path).read_text(encoding="utf-8")
    return json.loads(text, object_pairs_hook=unique_keys, parse_constant=refuse_constant)


def check(schema_name, path):
    """Number of faults found, each printed."""
    try:
        validator = jsonschema.Draft202012Validator(load(SCHEMAS / f"{schema_name}.json"))
        document = load(path)
    except (OSError, ValueError) as error:
        print(f"{path}: {error}")
        return 1
    errors = sorted(validator.iter_errors(document), key=lambda error: list(map(str, error.absolute_path)))
    for error in errors:
        print(f"{path}: {error.json_path}: {error.message[:300]}")
    return len(errors)


def main():
    faults = checked = 0
    for schema in sorted(SCHEMAS.glob("*.json")):
        checked += 1
        try:
            jsonschema.Draft202012Validator.check_schema(load(schema))
        except (ValueError, jsonschema.SchemaError) as error:
            print(f"{schema}: {error}")
            faults += 1
    jobs = [("mig-model", path) for path in sorted((ROOT / "data" / "mig").glob("*.json"))]
    jobs += [("vgpu-index" if path.name == "index.json" else "vgpu-board", path) for path in sorted((ROOT / "data" / "vgpu").glob("*.json"))]
    jobs += [("services", ROOT / "data" / "services.json")]
    jobs += [("theme", path) for path in sorted((ROOT / "themes").glob("*.json"))]
    for argument in sys.argv[1:]:
        schema_name, colon, path = argument.partition(":")
        if not colon or not (SCHEMAS / f"{schema_name}.json").is_file():
            print(f"{argument}: SCHEMA:FILE is wanted, SCHEMA a file in {SCHEMAS}")
            return 2
        jobs.append((schema_name, path))
    for schema_name, path in jobs:
        checked += 1
        faults += check(schema_name, path)
    print(f"{checked} files checked, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
