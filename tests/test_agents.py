"""The tools for agents, asked by the SDK's own client: in this process, and over the command's standard streams."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from matcalc.serve import agents
from matcalc.serve.pool import Pool

mcp = pytest.importorskip("mcp")
anyio = pytest.importorskip("anyio")
jsonschema = pytest.importorskip("jsonschema")


def with_client(work: Callable[[Any], Coroutine[Any, Any, None]], *, by_command: bool = False) -> None:
    """Run what uses a client of the SDK."""

    async def run() -> None:
        if by_command:
            command = mcp.StdioServerParameters(command=sys.executable, args=["-m", "matcalc", "mcp"])
            async with mcp.Client(command) as client:
                await work(client)
        else:
            with Pool(1, limit=60) as pool:
                async with mcp.Client(agents.server(pool)) as client:
                    await work(client)

    anyio.run(run)


def test_tools_and_their_answers() -> None:
    async def work(client: Any) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == list(agents.OFFERED)
        for tool in tools.values():
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            jsonschema.Draft202012Validator.check_schema(tool.output_schema)
            assert tool.description
            assert tool.annotations.read_only_hint
        calls: list[tuple[str, dict[str, Any], str, str]] = [
            ("derive", {"source": "norm2(X*w - y)^2/2", "wrt": "w", "style": "result"}, "ok", "X'*(X*w - y)"),
            ("derive", {"source": "x'*x", "format": "json"}, "ok", '"gradient": "2*x"'),
            ("claim", {"claim": "2*A*x", "of": "x'*A*x", "name": "x"}, "failed", "right only for symmetric A"),
            ("check", {"source": "x'*x", "trials": 1}, "ok", "agrees"),
            ("solve", {"source": "norm2(X*w - y)^2", "over": "w"}, "ok", "pinv(X)*y"),
            ("curvature", {"source": "norm2(x)^2"}, "ok", "strongly convex"),
            ("code", {"source": "x'*x", "target": "c"}, "ok", "#include"),
            ("ops", {"words": "logdet"}, "ok", "logdet"),
            ("derive", {"source": "x'*x'"}, "error", "line 1, column 3"),
            ("derive", {}, "error", "needs the field 'source'"),
            ("export", {"source": "x'*x", "format": "html"}, "error", "there is no tool export"),
        ]
        for name, given, status, said in calls:
            found = await client.call_tool(name, given)
            assert found.structured_content["status"] == status, (name, given, found.content[0].text)
            assert said in found.content[0].text
            assert found.is_error == (status == "error")
            jsonschema.validate(found.structured_content, agents.OUTPUT)
            if name in tools and given:
                jsonschema.validate(given, tools[name].input_schema)

    with_client(work)


def test_the_command_serves_the_standard_streams() -> None:
    async def work(client: Any) -> None:
        assert "matrix product" in client.instructions
        found = await client.call_tool("claim", {"claim": "(A*B)' = B'*A'"})
        assert found.structured_content["status"] == "ok"
        assert found.structured_content["data"]["rules"] == ["transpose_of_product"]

    with_client(work, by_command=True)
