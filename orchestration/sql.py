"""How a text and a name are written in SQL. No query belongs here."""

from __future__ import annotations


def literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
