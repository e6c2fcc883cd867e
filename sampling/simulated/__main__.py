"""`python -m sampling.simulated`: run the simulated endpoint until SIGINT or SIGTERM."""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from sampling.simulated.misbehaviour import BEHAVIOURS
from sampling.simulated.orders import Order, OrderError, read_order
from sampling.simulated.server import Options, Server


def main() -> int:
    """Return 0 after a signal, 1 when the address is taken, 2 for a bad argument."""
    arguments = _parser().parse_args()
    if arguments.behaviours:
        print("\n".join(f"{name:24} {found.says}" for name, found in BEHAVIOURS.items()))
        return 0
    try:
        options = _options(arguments)
    except OrderError as error:
        print(error, file=sys.stderr)
        return 2
    return _run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sampling.simulated", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and prints it")
    parser.add_argument(
        "--key",
        default=os.environ.get("SIMULATED_KEY", ""),
        help="asked for as a Bearer token (default: $SIMULATED_KEY, else none)",
    )
    parser.add_argument("--model", action="append", help="a served name; may be repeated")
    parser.add_argument("--speed", type=float, default=40, help="tokens a second; 0: at once")
    parser.add_argument("--first-token", type=float, default=0.4, help="seconds before it")
    parser.add_argument("--context", type=int, default=8192, help="tokens of prompt and answer")
    parser.add_argument("--queue", type=int, default=0, help="answers before a 503; 0: no limit")
    parser.add_argument(
        "--answer-tokens", type=int, default=0, help="an answer takes as long as so many tokens"
    )
    parser.add_argument(
        "--schema-tokens", type=int, default=0, help="the same for an answer under a schema"
    )
    parser.add_argument(
        "--together", type=float, default=0, help="answers begin at multiples of these seconds"
    )
    parser.add_argument("--log", type=Path, help="append every request as a JSON line")
    parser.add_argument(
        "--order",
        action="append",
        default=[],
        help="misbehave: a behaviour's name or an order as JSON; repeatable",
    )
    parser.add_argument("--behaviours", action="store_true", help="list the behaviours and exit")
    return parser


def _options(arguments: argparse.Namespace) -> Options:
    return Options(
        host=arguments.host,
        port=arguments.port,
        key=arguments.key,
        models=tuple(arguments.model or Options.models),
        speed=arguments.speed,
        first_token=arguments.first_token,
        context=arguments.context,
        queue=arguments.queue,
        answer_tokens=arguments.answer_tokens,
        schema_tokens=arguments.schema_tokens,
        together=arguments.together,
        log=arguments.log,
        orders=tuple(_order(told) for told in arguments.order),
    )


def _order(told: str) -> Order:
    if not told.startswith("{"):
        return read_order(told)
    try:
        return read_order(json.loads(told))
    except json.JSONDecodeError as error:
        raise OrderError(f"{told}: {error}") from None


def _run(options: Options) -> int:
    try:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(options))
    except ImportError:
        return asyncio.run(_serve(options))


async def _serve(options: Options) -> int:
    server = Server(options)
    try:
        await server.start()
    except OSError as error:
        print(f"Cannot listen on {options.host}:{options.port}: {error}", file=sys.stderr)
        return 1
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    print(f"listening on http://{options.host}:{server.port}/v1", flush=True)
    await stopped.wait()
    await server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
