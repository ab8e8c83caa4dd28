"""The description of the API, OpenAPI 3.1; its parameters are the table that requests are checked with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from saresnet_cli import __version__
from saresnet_cli.serving.limits import Limits
from saresnet_cli.serving.parameters import MAX_N, MODEL, PLACE, Parameter, formats, stride


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked for: POST /api/`name`, FASTA or nothing as its body."""

    name: str
    summary: str
    table: tuple[Parameter, ...]
    media: str


OPERATIONS = (
    Operation(
        "scan",
        "Score the 101 bp windows of sequences, or of a region of the server's genome, as `saresnet scan` does.",
        (MODEL, stride(50), MAX_N, *PLACE, formats("bed", "tsv")),
        "text/plain",
    ),
    Operation(
        "score",
        "Score each sequence once, by its best window, as `saresnet score` does.",
        (MODEL, stride(1), MAX_N, formats("tsv")),
        "text/tab-separated-values",
    ),
    Operation(
        "call",
        "Call binding sites, as `saresnet call` does; of threshold, max_pvalue and max_qvalue give one at most.",
        (
            MODEL,
            stride(20),
            MAX_N,
            *PLACE,
            Parameter("threshold", "number", "Least logit; default the model's own.", least=-1e6, most=1e6),
            Parameter("max_pvalue", "number", "Largest p-value.", above=0, most=1),
            Parameter("max_qvalue", "number", "Largest q-value (Benjamini and Hochberg).", above=0, most=1),
            Parameter(
                "min_distance", "integer", "Bases between summits.", default=101, least=1, most=1_000_000
            ),
            formats("narrowpeak"),
        ),
        "text/plain",
    ),
    Operation(
        "explain",
        "Explain one window base by base, by scoring all its single changes, as `saresnet explain` does.",
        (
            MODEL,
            MAX_N,
            Parameter("chrom", "name", "A sequence of the body, or of the server's genome.", required=True),
            Parameter("start", "integer", "Its first base, counted from 0.", required=True, least=0, most=10**11),
            formats("tsv"),
        ),
        "text/tab-separated-values",
    ),
)  # fmt: skip

_REFUSED = {
    "400": "A parameter is not right",
    "403": "Another site's page has sent this",
    "408": "The request came in too slowly",
    "413": "More than the server's limits allow",
    "421": "The Host header is not one of the server's names",
    "422": "No DNA, no such place, or it took too long",
    "429": "As many requests as the server allows are being worked on",
    "500": "A model or the device failed",
    "503": "The server is being ended",
}
_NUMBER_OR_NULL = {"type": ["number", "null"]}


def describe(models: Iterable[str], limits: Limits) -> dict[str, Any]:
    """Return the description as plain JSON types. models: ids that may be chosen."""
    paths: dict[str, Any] = {
        f"/api/{operation.name}": {"post": _operation(operation, limits)} for operation in OPERATIONS
    }
    for name, summary, schema in (
        ("server", "What the server is, its genome and its limits.", "Server"),
        ("models", "The models that can be chosen.", "Models"),
        ("openapi.json", "This description.", "Description"),
    ):
        paths[f"/api/{name}"] = {
            "get": {
                "operationId": name.removesuffix(".json"),
                "summary": summary,
                "responses": {"200": _answer("The answer", schema), **_problems("403", "421")},
            }
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "saresnet",
            "version": __version__,
            "description": "Where transcription factors bind, from the sequence. Positions are 0-based, half-open.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": {"ModelId": {"type": "string", "enum": list(models)}, **_schemas()},
            "responses": {
                "Problem": {
                    "description": "A refusal, as one line",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
            },
        },
    }


def _operation(operation: Operation, limits: Limits) -> dict[str, Any]:
    fasta = {"schema": {"type": "string", "maxLength": limits.body}}
    answer = _answer("Scores, in the form that was asked for", operation.name.title())
    answer["content"][operation.media] = {"schema": {"type": "string"}}
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            {
                "name": parameter.name,
                "in": "query",
                "required": parameter.required,
                "description": parameter.text,
                "schema": parameter.schema(),
            }
            for parameter in operation.table
        ],
        "requestBody": {
            "description": f"FASTA, plain or gzip, up to {limits.body:,} bytes, also when unpacked",
            "required": False,
            "content": {"text/plain": fasta, "application/octet-stream": {"schema": {}}},
        },
        "responses": {"200": answer, **_problems(*_REFUSED)},
    }


def _answer(text: str, schema: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _problems(*statuses: str) -> dict[str, Any]:
    problems = {}
    for status in statuses:
        problem: dict[str, Any] = {
            "description": _REFUSED[status],
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        if status == "429":
            whole = {"type": "integer", "minimum": 1}
            problem["headers"] = {"Retry-After": {"required": True, "description": "Seconds", "schema": whole}}
        problems[status] = problem
    return problems


def _object(members: Mapping[str, Any], *optional: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(members),
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


def _list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def _schemas() -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "number"}
    whole = {"type": "integer", "minimum": 0}
    counts = {"type": "object", "additionalProperties": whole}
    place = {"start": whole, "end": whole}
    track = {"model": text, "logit": _list(number), "score": _list(number), "pvalue": _list(_NUMBER_OR_NULL)}
    sequence = _object({"name": text, **place, "windows": _list(whole), "scores": _list(_object(track))})
    about = _object(
        {"id": text, "tf": text, "cell": text, "sha256": text, "threshold": _NUMBER_OR_NULL, "background": text}
    )
    row = {"name": text, "model": text, "length": whole, "windows": whole, "score": _NUMBER_OR_NULL,
           "logit": _NUMBER_OR_NULL, "pvalue": _NUMBER_OR_NULL, "start": {"type": ["integer", "null"]},
           "end": {"type": ["integer", "null"]}, "mean_logit": _NUMBER_OR_NULL}  # fmt: skip
    site = {"chrom": text, **place, "name": text, "model": text, "summit": whole, "logit": number,
            "pvalue": _NUMBER_OR_NULL, "qvalue": _NUMBER_OR_NULL, "score": number}  # fmt: skip
    explained = {"model": text, "logit": number, "attribution": _list(number), "effect": _list(_list(_NUMBER_OR_NULL))}
    genome = _object({"name": text, "count": whole, "sequences": _list(_object({"name": text, "length": whole}))})
    return {
        "Problem": _object(
            {"type": text, "title": text, "status": whole, "code": text, "detail": text, "cure": text}
        ),
        "Scan": _object(
            {"made": _list(text), "command": text, "windows": whole, "skipped": counts, "models": _list(about),
             "sequences": _list(sequence)}
        ),
        "Score": _object({"command": text, "skipped": counts, "rows": _list(_object(row))}),
        "Call": _object(
            {"made": _list(text), "command": text, "windows": whole, "skipped": counts, "sites": _list(_object(site))}
        ),
        "Explain": _object(
            {"command": text, "chrom": text, **place, "bases": text, "explanations": _list(_object(explained))}
        ),
        "Server": _object(
            {"version": text, "window": whole, "genome": {"anyOf": [genome, {"type": "null"}]},
             "limits": {"type": "object", "additionalProperties": number}}
        ),
        "Models": _object(
            {"models": _list(_object({"id": text, "tf": text, "cell": text, "metrics": {"type": "object"}}))}
        ),
        "Description": {"type": "object"},
    }  # fmt: skip
