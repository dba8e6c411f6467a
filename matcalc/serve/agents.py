"""The tools for agents: a server of the Model Context Protocol on the standard streams, by its official SDK.

Each call runs in a worker process, as in the web server: with a limit of time and of memory, and without running code.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from matcalc import __version__
from matcalc.errors import missing_dependency
from matcalc.serve.handling import DEFECT, ERROR
from matcalc.serve.pool import Pool
from matcalc.serve.tools import TOOLS, schema_of

if TYPE_CHECKING:
    from mcp import types
    from mcp.server import Server, ServerRequestContext

OFFERED = ("derive", "claim", "check", "solve", "curvature", "code", "ops", "rules")
INSTRUCTIONS = (
    "matcalc derives gradients, Jacobians and Hessians of matrix expressions, proves or refutes claims about them, and "
    "writes them as code. A source is text: * is the matrix product, .* ./ .^ are entry by entry, ' transposes, ^ is a "
    "power; statements stand on lines of their own and the last one is the function; `X: n x p` or "
    "`S: n x n symmetric` declares a variable, `s = X*w` names a value. LaTeX, Unicode mathematics and NumPy are read "
    "as well. Every variable is a matrix: a column is n x 1, a number 1 x 1. `claim` judges what you derived yourself: "
    "prefer it to trusting a derivation. `status` tells whether it succeeded; an error says where the input is wrong."
)
OUTPUT = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "enum": ["ok", "failed", "undecided", ERROR, DEFECT]},
        "text": {"type": "string"},
        "data": {},
    },
    "required": ["status", "text", "data"],
}


def tools() -> list[types.Tool]:
    """The tools with their schemas."""
    from mcp import types  # noqa: PLC0415  (optional)

    hints = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
    return [
        types.Tool(
            name=name,
            description=TOOLS[name].summary,
            input_schema=schema_of(TOOLS[name]),
            output_schema=OUTPUT,
            annotations=hints,
        )
        for name in OFFERED
    ]


def server(pool: Pool) -> Server[Any]:
    """The server over some workers.

    Raises:
        MissingDependencyError: the SDK is not installed.
    """
    if find_spec("mcp") is None:
        raise missing_dependency("matcalc mcp", "mcp")
    from anyio.to_thread import run_sync  # noqa: PLC0415  (optional)
    from mcp import types  # noqa: PLC0415
    from mcp.server import Server  # noqa: PLC0415

    async def listed(context: ServerRequestContext[Any], params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools())

    async def called(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
        answer = await run_sync(_answer, pool, params.name, params.arguments or {})
        text = answer["text"] or json.dumps(answer["data"], ensure_ascii=False)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text)],
            structured_content=answer,
            is_error=answer["status"] in (ERROR, DEFECT),
        )

    return Server("matcalc", version=__version__, instructions=INSTRUCTIONS, on_list_tools=listed, on_call_tool=called)


def _answer(pool: Pool, name: str, given: dict[str, Any]) -> dict[str, Any]:
    if name not in OFFERED:
        said = f"there is no tool {name[:60]}; there are {', '.join(OFFERED)}"
        return {"status": ERROR, "text": said, "data": None}
    return pool.ask(name, given)


def run(limit: float, memory: int, workers: int) -> None:
    """Serve the standard streams until they end.

    Raises:
        MissingDependencyError: the SDK is not installed.
    """
    if find_spec("mcp") is None:
        raise missing_dependency("matcalc mcp", "mcp")
    import anyio  # noqa: PLC0415  (optional)
    from mcp.server.stdio import stdio_server  # noqa: PLC0415

    async def serve() -> None:
        with Pool(workers, limit, memory) as pool:
            made = server(pool)
            async with stdio_server() as (read, write):
                await made.run(read, write, made.create_initialization_options())

    anyio.run(serve)
