"""Who may speak to the UI: this machine, and names that its owner has set. Nothing else changes or reads anything.

The UI has no users, and a browser that shows it shows other pages too: any of them may send requests to the loopback
interface. Here: what is turned away, before Dagster sees it. Not here: passwords, which a proxy asks for, see
`docs/operation.md`.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse

LOG = logging.getLogger("megafish.door")
READING = ("GET", "HEAD", "OPTIONS")
REFUSED = 403

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Callable[[], Awaitable[Any]], Send], Awaitable[None]]


@dataclass(frozen=True)
class Door:
    """An ASGI application that hands on to another what may come in."""

    app: App
    hosts: Collection[str]
    """What a request may say that it is for: `127.0.0.1:3000`; a name without a port stands for any port."""

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        """Hands on, or answers 403 with a sentence that the log has too."""
        why = self.refusal(scope) if scope["type"] in ("http", "websocket") else None
        if why is None:
            await self.app(scope, receive, send)
            return
        LOG.warning("refused %s %r: %s", scope.get("method", "WebSocket"), scope["path"], why)
        if scope["type"] == "websocket":
            await receive()  # the handshake, which can be refused once it has arrived
            await send({"type": "websocket.close", "code": 1008, "reason": why})
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": REFUSED, "headers": headers})
        await send({"type": "http.response.body", "body": f"{why}\n".encode()})

    def refusal(self, scope: Scope) -> str | None:
        """Why this request is turned away; None for one that comes in."""
        if any(ord(letter) < ord(" ") for letter in scope["path"]):
            return "its path holds control characters"  # which routes and this door might read in two ways
        for host in _given(scope, b"host") or [""]:
            if not self._is_ours(host):
                return f"it is for {host!r}, which is not this page's name: set MEGAFISH_HOSTS if it should be"
        for origin in _given(scope, b"origin"):
            if not self._is_ours(_host_of(origin)):
                return f"it comes from a page of {origin!r}, which is not this one"
        if scope["type"] == "websocket":
            return None
        if scope["method"] not in READING:
            kinds = [kind.split(";")[0].strip().lower() for kind in _given(scope, b"content-type")]
            if kinds != ["application/json"]:
                return f"it would change something and is {kinds or 'of no type'}, where application/json is expected"
        elif scope["path"].endswith("/graphql") and _holds_a_change(scope["query_string"]):
            return "it would change something, which takes a POST"
        return None

    def _is_ours(self, host: str) -> bool:
        name, _, port = host.lower().rpartition(":")
        # Of a name that was set without a port, and so of any; what has two colons is no port of it.
        return host.lower() in self.hosts or (":" not in name and port.isdecimal() and name in self.hosts)


def _given(scope: Scope, name: bytes) -> list[str]:
    """Every value of a header."""
    return [value.decode("latin-1") for given, value in scope["headers"] if given.lower() == name]


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _holds_a_change(query_string: bytes) -> bool:
    """Whether a GraphQL query in an address is more than a question."""
    for text in parse_qs(query_string.decode("latin-1"), keep_blank_values=True).get("query", []):
        try:
            parts = parse(text).definitions
        except (GraphQLError, RecursionError):
            return True
        operations = [part.operation for part in parts if isinstance(part, OperationDefinitionNode)]
        if any(operation != OperationType.QUERY for operation in operations):
            return True
    return False
