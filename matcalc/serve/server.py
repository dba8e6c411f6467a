"""The server of the page and of the JSON API: standard library only, on this machine only unless told otherwise.

A request is answered only under a name that the server was given (so that no other name leads here), from no page but
its own, with a body that is JSON and not long. Nothing of a request is stored, logged, or run. The code of an answer is
200 where a tool answered, also where it says that the input is wrong: its `status` tells.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import socket
import threading
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from matcalc.errors import MatcalcError
from matcalc.serve.assets import Asset, assets
from matcalc.serve.handling import DEFECT, ERROR, failure
from matcalc.serve.pool import BUSY, DIED, LATE, Pool
from matcalc.serve.tools import TOOLS, schema_of

API = "/api/"
LARGEST = 100_000  # bytes of a request
DIGITS = 400  # of a whole number
PATIENCE = 15.0  # seconds between two bytes of a request
CONNECTIONS = 64
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src data:; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
CODES = {BUSY: HTTPStatus.SERVICE_UNAVAILABLE, LATE: HTTPStatus.GATEWAY_TIMEOUT, DIED: HTTPStatus.INSUFFICIENT_STORAGE}


class Server(ThreadingHTTPServer):
    """The server; `serve_forever()` runs it, and it closes its workers when it is closed.

    Args:
        pool: the workers.
        host: the address to listen on.
        port: 0 for a free one.
        names: further names under which the server may be reached.

    Attributes:
        address: of the page.
    """

    daemon_threads = True
    request_queue_size = CONNECTIONS

    def __init__(self, pool: Pool, host: str = "127.0.0.1", port: int = 0, names: Iterable[str] = ()) -> None:
        self.pool = pool
        self.assets = assets()
        self.room = threading.BoundedSemaphore(CONNECTIONS)
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error).removeprefix("bind(): ")
            raise MatcalcError(f"cannot listen on {host}, port {port}: {reason}") from None
        port = self.server_address[1]
        shown = f"[{host}]" if ":" in host else host
        own = ["localhost", "127.0.0.1", "[::1]"] if is_local(host) or host in ("0.0.0.0", "::") else []
        self.names = {f"{name.lower()}:{port}" for name in (*own, shown, *names)}
        self.names |= {name.rpartition(":")[0] for name in self.names} if port == 80 else set()
        self.address = f"http://{shown}:{port}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; too many connections at once are closed."""
        if self.room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is no event."""

    def server_close(self) -> None:
        super().server_close()
        self.pool.close()


def is_local(host: str) -> bool:
    """Whether an address leads to this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE

    def version_string(self) -> str:
        return "matcalc"

    def log_message(self, *what: Any) -> None:
        """Nothing is logged."""

    def do_GET(self) -> None:
        if not self._welcome():
            return
        path = urlsplit(self.path).path
        asset = self.server.assets.get("index.html" if path == "/" else path.lstrip("/"))
        if path in (API, API.rstrip("/")):
            tools = [{"name": t.name, "summary": t.summary, "schema": schema_of(t)} for t in TOOLS.values()]
            self._json({"tools": tools})
        elif path.startswith(API):
            self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, "a tool is called by POST", Allow="POST")
        elif asset is None:
            self._refuse(HTTPStatus.NOT_FOUND, f"there is no page {path[:80]}")
        else:
            self._asset(asset)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        if not self._welcome():
            return
        path = urlsplit(self.path).path
        tool = path.removeprefix(API)
        if not path.startswith(API) or tool not in TOOLS:
            known = ", ".join(API + name for name in TOOLS)
            self._refuse(HTTPStatus.NOT_FOUND, f"there is no tool {path[:80]}; there are {known}")
        elif (body := self._body()) is not None:
            self._answer(tool, body)

    def _answer(self, tool: str, body: bytes) -> None:
        try:
            given = json.loads(body, parse_constant=_no_number, parse_int=_whole, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            why = error if isinstance(error, ValueError) else "it is nested too deeply"
            self._json(failure(f"the request is no JSON: {why}"), HTTPStatus.BAD_REQUEST)
            return
        answer = self.server.pool.ask(tool, given)
        code = HTTPStatus.OK
        if answer["status"] == DEFECT:
            code = HTTPStatus.INTERNAL_SERVER_ERROR
        elif answer["status"] == ERROR:
            code = CODES.get(answer["data"]["type"], HTTPStatus.OK)
        self._json(answer, code)

    # -------------------------------------------------------------------------------------------- what may come in

    def _welcome(self) -> bool:
        """Whether the request is for a name of ours and from our own page, or from a program that is no browser."""
        hosts = self.headers.get_all("Host") or []
        origin, site = self.headers.get("Origin"), self.headers.get("Sec-Fetch-Site", "none")
        if len(hosts) != 1 or hosts[0].lower() not in self.server.names:
            self._refuse(
                HTTPStatus.MISDIRECTED_REQUEST, "this server does not answer under that name (--name adds one)"
            )
        elif (origin is not None and origin.lower() != f"http://{hosts[0].lower()}") or (
            site not in ("none", "same-origin") and self.command == "POST"
        ):
            self._refuse(HTTPStatus.FORBIDDEN, "other pages may not use this server")
        else:
            return True
        return False

    def _body(self) -> bytes | None:
        """The body of a request that is JSON and not too long; None where it was refused."""
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        length = self.headers.get("Content-Length", "")
        if kind != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the request must be application/json")
        elif "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit() and len(length) < 19):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "the request must say its length")
        elif int(length) > LARGEST:
            said = f"the request has {length} bytes; at most {LARGEST} are read"
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                return body
            self.close_connection = True
        return None

    # -------------------------------------------------------------------------------------------- what goes out

    def _refuse(self, code: HTTPStatus, message: str, **headers: str) -> None:
        """An error; the connection ends, since the body may not have been read."""
        self.close_connection = True
        self._json(failure(message), code, **headers)

    def _json(self, data: Any, code: HTTPStatus = HTTPStatus.OK, **headers: str) -> None:
        body = json.dumps(data, ensure_ascii=False).encode()
        self._send(code, "application/json", body, {"Cache-Control": "no-store", **headers})

    def _asset(self, asset: Asset) -> None:
        tag = f'"{hashlib.sha256(asset.content).hexdigest()[:24]}"'
        caching = {"ETag": tag, "Cache-Control": "no-cache"}
        if self.headers.get("If-None-Match") == tag:
            self._send(HTTPStatus.NOT_MODIFIED, asset.type, b"", caching)
        else:
            self._send(HTTPStatus.OK, asset.type, asset.content, caching)

    def _send(self, code: HTTPStatus, kind: str, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in {**HEADERS, **headers, "Content-Type": kind}.items():
            self.send_header(name, value)
        if code != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"a number with {len(digits)} digits")
    return int(digits)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, in which no field is given twice: it would be a guess which of them is meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is given twice")
    return found
