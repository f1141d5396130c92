"""docs/reference/rest.md, made from docs/openapi.yml."""

from pathlib import Path
from typing import Any

import yaml

Node = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
HEAD = """\
# REST service

{about}

The same as OpenAPI 3.1: [openapi.yml](../openapi.yml), which a running service serves at `/docs/openapi.yml`
and draws at `/swagger-ui`.
"""


def rest_page(specification: Path, made_by: str) -> str:
    """The page: what holds everywhere, tables of all operations, then each with its parameters and fields."""
    root: Node = yaml.safe_load(specification.read_text(encoding="utf-8"))
    parts = [HEAD.format(about=root["info"]["description"].strip()), made_by]
    for tag in root["tags"]:
        found = [
            (method, path, item[method])
            for path, item in root["paths"].items()
            for method in METHODS
            if method in item and item[method]["tags"] == [tag["name"]]
        ]
        parts += [f"## {tag['name'].capitalize()}", tag["description"], _overview(found)]
        parts += [_operation(root, *each) for each in found]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _overview(found: list[tuple[str, str, Node]]) -> str:
    rows = [f"| `{method.upper()} {path}` | {operation['summary']} |" for method, path, operation in found]
    return "\n".join(["| request | what it does |", "|---|---|", *rows])


def _operation(root: Node, method: str, path: str, operation: Node) -> str:
    parts = [f"### {method.upper()} {path}", f"{operation['summary']}."]
    parts.append(operation.get("description", "").strip())
    shared = root["paths"][path].get("parameters", [])
    parameters = [_resolved(root, each) for each in [*shared, *operation.get("parameters", [])]]
    if parameters:
        rows = [
            f"| `{each['name']}` | {each['in']} | {_type(root, each['schema'])} | "
            f"{_cell(each.get('description', ''))} |"
            for each in parameters
        ]
        parts.append("\n".join(["| parameter | in | type | meaning |", "|---|---|---|---|", *rows]))
    if "requestBody" in operation:
        parts.append(_fields(root, _resolved(root, operation["requestBody"])))
    parts.append(_answers(root, operation["responses"]))
    return "\n\n".join(part for part in parts if part)


def _answers(root: Node, responses: Node) -> str:
    """What success looks like, and errors of this operation's own; those that all share by number."""
    said, shared = [], []
    for status, each in responses.items():
        if "$ref" in each and status >= "4":
            shared.append(f"`{status}`")
        else:
            said.append(f"`{status}` {_cell(_resolved(root, each)['description']).rstrip('.')}")
    return f"Answers: {'; '.join(said)}. Errors: {', '.join(shared)}."


def _fields(root: Node, body: Node) -> str:
    """The fields of a JSON body; of any other its media types."""
    content = body["content"].get("application/json")
    if content is None:
        return "Body: " + ", ".join(f"`{kind}`" for kind in body["content"]) + "."
    schema = _resolved(root, content["schema"])
    fields = _properties(root, schema)
    if not fields:
        return "Body: a JSON object without fields, or none."
    required = _required(root, schema)
    rows = [
        f"| `{name}`{' (required)' if name in required else ''} | {_type(root, each)} | "
        f"{_cell(_described(root, each))} |"
        for name, each in fields.items()
    ]
    return "\n".join(["| field of the body | type | meaning |", "|---|---|---|", *rows])


def _properties(root: Node, schema: Node) -> Node:
    found: Node = {}
    for part in schema.get("allOf", []):
        found |= _properties(root, _resolved(root, part))
    return found | schema.get("properties", {})


def _required(root: Node, schema: Node) -> set[str]:
    parts = [_resolved(root, part) for part in schema.get("allOf", [])]
    return set(schema.get("required", [])).union(*(_required(root, part) for part in parts))


def _described(root: Node, schema: Node) -> str:
    return str(schema.get("description") or _resolved(root, schema).get("description", ""))


def _type(root: Node, schema: Node) -> str:
    """A few words: the type, what is allowed, the default."""
    whole = _resolved(root, schema)
    kinds = whole.get("type", "object" if "properties" in whole or "allOf" in whole else "any")
    words = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "enum" in whole:
        words = ", ".join(f"`{'null' if value is None else value}`" for value in whole["enum"])
    elif whole.get("format"):
        words += f" ({whole['format']})"
    low, high = whole.get("minimum"), whole.get("maximum")
    if low is not None and high is not None:
        words += f", {low} to {high}"
    default = schema.get("default", whole.get("default"))
    return _cell(words + (f"; default `{default}`" if default not in (None, [], {}) else ""))


def _resolved(root: Node, node: Node) -> Node:
    """What a `$ref` stands for."""
    while "$ref" in node:
        found: Any = root
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        node = found
    return node


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")
