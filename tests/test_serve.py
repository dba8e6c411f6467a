"""The JSON API and its server: answers, limits, killed workers, wrong requests, and who may ask."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from matcalc.api.requests import FIELDS
from matcalc.errors import MatcalcError, MissingDependencyError
from matcalc.export.formats import FORMATS
from matcalc.serve import agents
from matcalc.serve.handling import handled
from matcalc.serve.pool import Pool
from matcalc.serve.schemas import fields
from matcalc.serve.server import LARGEST, Server, is_local
from matcalc.serve.tools import TOOLS, call, schema_of

EXAMPLES = call("about", {})["data"]["examples"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(Pool(1, limit=30))
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join(timeout=10)


Sent = tuple[int, dict[str, str], bytes]


def sent(server: Server, method: str, path: str, body: Any = None, **headers: str | None) -> Sent:
    """What comes back: the code, the headers, the body. A header that is None is not sent."""
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    given: dict[str, str | None] = {"Host": f"127.0.0.1:{port}"}
    if content is not None:
        given |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in given.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(content)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def asked(server: Server, tool: str, given: Any, **headers: str | None) -> tuple[int, dict[str, Any]]:
    code, _, body = sent(server, "POST", f"/api/{tool}", given, **headers)
    return code, json.loads(body)


# ------------------------------------------------------------------------------------------------ tools


def test_every_command_is_a_tool_with_a_schema_for_each_field() -> None:
    assert set(FIELDS) <= set(TOOLS)
    for name, tool in TOOLS.items():
        schema = schema_of(tool)
        assert list(schema["properties"]) == [f for f in tool.fields if f != "format"] + ["format"] * (
            "format" in tool.fields
        )
        assert set(tool.required) <= set(tool.fields), name
        assert all(field["description"] for field in schema["properties"].values())
        json.dumps(schema)
    assert {f for tool in TOOLS.values() for f in tool.fields} - {"format"} == set(fields())


REQUESTS: list[tuple[str, dict[str, Any], str]] = [
    ("derive", {"source": "x'*A*x", "wrt": "x", "fact": {"A": "symmetric"}, "style": "result"}, "df/dx = 2*A*x"),
    ("derive", {"source": "A*X*B", "wrt": ["X"], "kind": "jacobian", "format": "latex"}, r"\otimes"),
    ("claim", {"claim": "(A*B)' = A'*B'"}, "disproved"),
    ("check", {"source": "norm2(X*w - y)^2", "wrt": "w", "trials": 2}, "agrees"),
    ("solve", {"source": "norm2(X*w - y)^2", "over": "w"}, "w = pinv(X)*y"),
    ("curvature", {"source": "norm2(X*w - y)^2", "wrt": "w"}, "convex in w"),
    ("code", {"source": "x'*x", "target": "jax", "kind": "gradient"}, "import jax"),
    ("ops", {"words": "trace"}, "trace"),
    ("rules", {"words": ["kron_times_vec"]}, "vec(A X B)"),
]


@pytest.mark.parametrize(("tool", "given", "said"), REQUESTS, ids=lambda v: v if isinstance(v, str) else "")
def test_tools_answer(tool: str, given: dict[str, Any], said: str) -> None:
    assert said in call(tool, given)["text"]


WRONG: list[tuple[str, Any, str]] = [
    ("derive", [], "derive needs an object with fields, got a list"),
    ("derive", {}, "derive needs the field 'source'"),
    ("derive", {"source": 5}, "'source' must be a text, got a whole number"),
    ("derive", {"source": ["x"]}, "must be a text, got a list"),
    ("derive", {"source": "x'*x", "sorce": "x"}, "did you mean source?"),
    ("derive", {"source": "x'*x", "shape": {"x": 3}}, "'shape', 'x', must be a text, got a whole number"),
    ("derive", {"source": "x" * 20_001}, "has 20001 letters; at most 20000"),
    ("derive", {"source": "x'*x", "wrt": ["x"] * 101}, "has 101 entries; at most 100"),
    ("derive", {"source": "x'*x", "format": "pdf"}, "must be one of text, latex, markdown, json"),
    ("check", {"source": "x'*x", "trials": True}, "must be a whole number, got true or false"),
    ("check", {"source": "x'*x", "trials": 51}, "must be from 1 to 50, got 51"),
    ("check", {"source": "x'*x", "seed": 1.5}, "must be a whole number, got a number"),
    ("export", {"source": "x'*x", "format": "exe"}, "must be one of"),
    ("show", {"source": "x'*x", "hessian": "yes"}, "must be true or false, got a text"),
    ("show", {"source": "x'*x'"}, "line 1, column 3"),
    ("derivee", {}, "did you mean derive?"),
]


@pytest.mark.parametrize(("tool", "given", "said"), WRONG)
def test_what_is_wrong_is_said(tool: str, given: Any, said: str) -> None:
    with pytest.raises(MatcalcError, match=re.escape(said)):
        call(tool, given)
    found = handled(tool, given)
    assert found["status"] == "error"
    assert said in found["text"]


def test_fields_that_are_null_are_as_left_out() -> None:
    assert call("derive", {"source": "x'*x", "wrt": None, "format": None})["status"] == "ok"


def test_files_and_functions_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "loss.py"
    path.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\ndef loss(w):\n    return w @ w\n")
    for source in (str(path), f"{path}:loss", "__import__('os').getcwd()", path.read_text(), "-"):
        assert handled("show", {"source": source})["status"] == "error"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e["title"])
def test_examples_are_shown(example: dict[str, str]) -> None:
    data = call("show", {"source": example["source"], **({"wrt": example["wrt"]} if example["wrt"] else {})})["data"]
    assert data["results"]
    assert data["lesson"].count("<h3>") >= 2
    assert data["variables"]


def test_what_is_shown_is_plain_text_where_it_is_not_ours() -> None:
    data = call("show", {"source": "# <img src=x onerror=alert(1)>\nx: n x 1   # <b>\nx'*x"})["data"]
    assert "<img" not in data["lesson"]
    assert data["variables"] == [{"name": "x", "shape": "n x 1", "latex": "x", "facts": [], "assumed": False}]
    assumed = call("show", {"source": "norm2(X*w)^2"})["data"]
    assert [v["assumed"] for v in assumed["variables"]] == [True, True]
    again = call("show", {"source": "\n".join([*assumed["declarations"], "norm2(X*w)^2"])})["data"]
    assert again["declarations"] == []
    assert again["results"] == assumed["results"]


@pytest.mark.parametrize("style", ["jacobians", "differential", "result", "components"])
def test_every_style_is_shown(style: str) -> None:
    data = call("show", {"source": "y'*tanh(W*x)", "style": style, "hessian": style == "differential"})["data"]
    assert 'class="d"' in data["lesson"]


@pytest.mark.parametrize("name", [f.name for f in FORMATS.values() if not f.needs and f.always])
def test_documents_come_as_files(name: str) -> None:
    suffix = FORMATS[name].suffix
    data = call("export", {"source": "x'*A*x", "format": name, "title": "A form/../x"})["data"]
    assert data["name"] == f"a-form-x{suffix}"
    assert b"A" in base64.b64decode(data["content"])
    assert all(beside.endswith(".svg") for beside in data["files"])
    assert data["files"] or name != "markdown"
    loop = EXAMPLES[-2]["source"]
    assert call("export", {"source": loop, "format": name, "language": "en", "hessian": False})["status"] == "ok"


def test_notebooks_come_without_having_been_run() -> None:
    for source in ("x'*A*x", EXAMPLES[-2]["source"]):
        data = call("export", {"source": source, "format": "notebook", "title": "T"})["data"]
        cells = json.loads(base64.b64decode(data["content"]))["cells"]
        assert not any(cell["outputs"] for cell in cells if cell["cell_type"] == "code")
        assert "mc.derive" in "".join("".join(cell["source"]) for cell in cells)


# ------------------------------------------------------------------------------------------------ the server


def test_the_server_answers(server: Server) -> None:
    code, found = asked(server, "show", {"source": "x'*x"})
    assert (code, found["text"]) == (200, "df/dx = 2*x")
    code, found = asked(server, "claim", {"claim": "A' = A"})
    assert (code, found["status"]) == (200, "failed")
    code, found = asked(server, "show", {"source": "x'*x'"})
    assert (code, found["status"]) == (200, "error")
    assert found["data"] == {"type": "ParseError", "line": 1, "column": 3}


def test_the_page_and_the_list_of_tools(server: Server) -> None:
    code, headers, body = sent(server, "GET", "/")
    assert code == 200
    assert b"<h1>matcalc</h1>" in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Server"] == "matcalc"
    for name in re.findall(r'(?:src|href)="([\w.]+)"', body.decode()):
        assert sent(server, "GET", f"/{name}")[0] == 200
    assert sent(server, "GET", "/katex.js", If_None_Match=sent(server, "GET", "/katex.js")[1]["ETag"])[0] == 304
    assert sent(server, "HEAD", "/")[2] == b""
    tools = json.loads(sent(server, "GET", "/api/")[2])["tools"]
    assert [t["name"] for t in tools] == list(TOOLS)


@pytest.mark.parametrize("path", ["/..%2f..%2fetc/passwd", "/../pyproject.toml", "/static/index.html", "/api/x/y"])
def test_there_are_no_other_files(server: Server, path: str) -> None:
    assert sent(server, "GET", path)[0] in (404, 405)


def test_only_our_own_page_and_programs_may_ask(server: Server) -> None:
    given, port = {"source": "x'*x"}, server.server_address[1]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1.evil.example:{port}", "", None):
        assert sent(server, "POST", "/api/show", given, Host=host)[0] in (400, 421), host
        assert sent(server, "GET", "/", Host=host)[0] in (400, 421), host
    for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", f"http://localhost:{port + 1}"):
        assert asked(server, "show", given, Origin=origin)[0] == 403, origin
    assert asked(server, "show", given, Sec_Fetch_Site="cross-site")[0] == 403
    assert asked(server, "show", given, Content_Type="text/plain")[0] == 415
    assert asked(server, "show", given, Content_Type=None)[0] == 415
    own = {"Origin": f"http://localhost:{port}", "Host": f"LOCALHOST:{port}", "Sec_Fetch_Site": "same-origin"}
    assert asked(server, "show", given, **own)[0] == 200
    assert "Access-Control-Allow-Origin" not in sent(server, "POST", "/api/show", given)[1]


def test_requests_have_limits(server: Server) -> None:
    assert asked(server, "show", {"source": "x" * LARGEST})[0] == 413
    assert asked(server, "show", {"source": "x"}, Content_Length=None)[0] == 411
    assert asked(server, "show", {"source": "x"}, Content_Length="-1")[0] == 411
    assert asked(server, "show", {"source": "x"}, Content_Length=None, Transfer_Encoding="chunked")[0] == 411
    for body in (b"{", b"\xff", b"[" * 50_000, b'{"source": NaN}', b"9" * 5_000, b'{"source": "x", "source": "a"}'):
        code, found = asked(server, "show", body)
        assert code == 400
        assert "no JSON" in found["text"]
    assert asked(server, "show", [1])[1]["status"] == "error"
    assert sent(server, "POST", "/api/nothing", {})[0] == 404
    assert sent(server, "GET", "/api/show")[0] == 405
    assert sent(server, "PUT", "/api/show", {})[0] == 501


def test_many_at_once_are_all_answered(server: Server) -> None:
    found: list[int] = []

    def ask(k: int) -> None:
        found.append(asked(server, "show", {"source": f"norm2(x)^{k}"})[0])

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(2, 42)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == [200] * 40


def test_addresses_of_this_machine() -> None:
    assert all(map(is_local, ("127.0.0.1", "::1", "localhost", "127.8.8.8")))
    assert not any(map(is_local, ("0.0.0.0", "192.168.1.1", "::", "example.com")))


# ------------------------------------------------------------------------------------------------ workers

SLOW = {"source": "x'*x", "trials": 50}


def test_a_worker_that_takes_too_long_is_killed_and_another_works() -> None:
    with Pool(1, limit=60) as pool:
        assert pool.ask("show", {"source": "x'*x"})["status"] == "ok"
        (first,) = pool.all
        pool.limit = 0.001
        found = pool.ask("check", SLOW)
        assert (found["status"], found["data"]["type"]) == ("error", "TimeLimit")
        assert first.process.returncode is not None
        pool.limit = 60
        assert pool.ask("show", {"source": "x'*x"})["text"] == "df/dx = 2*x"
        assert first not in pool.all
        (second,) = pool.all
        os.kill(second.process.pid, signal.SIGKILL)
        assert pool.ask("show", {"source": "x'*x"})["data"]["type"] == "Died"
        assert pool.ask("show", {"source": "x'*x"})["status"] == "ok"
    assert pool.all == set()


def test_a_call_that_finds_no_free_worker_is_told_so() -> None:
    with Pool(1, waiting=0.05) as pool:
        held = pool.free.get()
        assert pool.ask("show", {"source": "x"})["data"]["type"] == "Busy"
        pool.free.put(held)
        assert pool.ask("show", {"source": "x'*x"})["status"] == "ok"


def test_a_worker_has_its_memory_only() -> None:
    pytest.importorskip("resource")
    with Pool(1, memory=1) as pool:
        assert "memory" in pool.ask("show", {"source": "x'*x"})["text"]


def test_the_command_serves_until_it_is_interrupted() -> None:
    command = [sys.executable, "-m", "matcalc", "serve", "--port", "0", "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
            assert found, line
            connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=60)
            connection.request("POST", "/api/show", '{"source": "x\'*x"}', {"Content-Type": "application/json"})
            assert json.loads(connection.getresponse().read())["text"] == "df/dx = 2*x"
            connection.close()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 130
        finally:
            process.kill()
            time.sleep(0)


def test_a_port_that_is_taken_is_an_error(server: Server) -> None:
    with Pool(0) as pool, pytest.raises(MatcalcError, match=r"cannot listen on 127[.]0[.]0[.]1, port"):
        Server(pool, port=server.server_address[1])


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"matcalc mcp needs the MCP SDK: pip install matcalculus\[mcp\]"):
        agents.run(1, 0, 1)


def test_a_port_that_there_is_not_is_an_error() -> None:
    with Pool(0) as pool, pytest.raises(MatcalcError, match=r"port 99999: port must be 0-65535"):
        Server(pool, port=99999)
