"""The door by itself, with requests as an ASGI server hands them on."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from megafish_assets.orchestration.door import Door
from megafish_assets.orchestration.webserver import own_names

HERE = "127.0.0.1:3000"
MUTATION, QUESTION = "mutation { removeEverything }", "{ version }"


def asked(method: str = "GET", path: str = "/graphql", query: str | None = None, **headers: str) -> list[dict]:
    """What a request is answered with; the application itself answers 200."""

    async def app(scope: dict, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)

    async def receive() -> dict:
        return {"type": "websocket.connect"}

    given = {"host": HERE} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "websocket" if method == "WEBSOCKET" else "http",
        "method": method,
        "path": path,
        "query_string": b"" if query is None else urlencode({"query": query}).encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
    }
    asyncio.run(Door(app, own_names(3000, ["fish.example.org"]))(scope, receive, send))
    return sent


def comes_in(*given: Any, **headers: str) -> bool:
    return asked(*given, **headers) == [{"type": "http.response.start", "status": 200}]


@pytest.mark.parametrize(
    "host", [HERE, "localhost:3000", "LocalHost:3000", "fish.example.org", "fish.example.org:8443"]
)
def test_the_page_is_given_under_its_own_names(host: str) -> None:
    assert comes_in("GET", "/", host=host)
    assert comes_in("POST", host=host, origin=f"https://{host}", content_type="application/json; charset=utf-8")
    assert comes_in("WEBSOCKET", host=host, origin=f"http://{host}")


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example:3000",
        "127.0.0.1:3001",
        "",
        "fish.example.org.evil",
        "127.0.0.1",
        "127.0.0.1:3000:evil",
        "fish.example.org:evil",
    ],
)
def test_a_name_that_is_not_its_own_is_turned_away(host: str) -> None:
    assert not comes_in("GET", "/", host=host)
    assert not comes_in("POST", host=host, content_type="application/json")
    assert not comes_in("WEBSOCKET", host=host)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:5000", "file://", "http://[", "x"])
def test_another_page_is_turned_away(origin: str) -> None:
    assert not comes_in("GET", "/", origin=origin)
    assert not comes_in("POST", origin=origin, content_type="application/json")
    assert not comes_in("WEBSOCKET", origin=origin)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("path", ["/graphql", "/report_asset_materialization/crops"])
def test_what_a_form_can_send_changes_nothing(kind: str, path: str) -> None:
    assert not comes_in("POST", path, content_type=kind)


@pytest.mark.parametrize("text", [MUTATION, f"query A {QUESTION} {MUTATION}", "subscription { a }", "no GraphQL"])
def test_an_address_changes_nothing(text: str) -> None:
    assert not comes_in("GET", "/graphql", text)
    assert not comes_in("HEAD", "/graphql", text)


@pytest.mark.parametrize("path", ["/graphql\n", "/graphql\r", "/x\n/graphql", "/graphql\0"])
def test_a_path_that_two_readers_could_read_in_two_ways_is_turned_away(path: str) -> None:
    """A route ends with `$`, which also matches before a line's end."""
    assert not comes_in("GET", path, MUTATION)
    assert not comes_in("POST", path, content_type="application/json")


def test_an_address_may_ask(caplog: pytest.LogCaptureFixture) -> None:
    assert comes_in("GET", "/graphql", QUESTION)
    assert comes_in("GET", "/runs", "no GraphQL")
    assert caplog.text == ""


def test_a_refusal_is_a_sentence_for_the_asker_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    start, body = asked("POST", origin="http://evil.example", content_type="application/json")
    assert start["status"] == 403 and "http://evil.example" in body["body"].decode()
    assert "refused POST '/graphql'" in caplog.text and "http://evil.example" in caplog.text
    (closed,) = asked("WEBSOCKET", host="rebound.example")
    assert closed["type"] == "websocket.close"
