"""`python -m megafish_assets.orchestration.webserver`: Dagster's page behind the `Door`."""

import argparse
from collections.abc import Collection

import dagster as dg
import uvicorn
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.cli import DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_MAX_OVERFLOW, DEFAULT_POOL_RECYCLE
from dagster_webserver.version import __version__

from megafish_assets.orchestration.door import Door
from megafish_assets.storage.dagster_internals import WorkspaceFileTarget, WorkspaceProcessContext

LOOPBACK = "127.0.0.1"


def own_names(port: int, others: Collection[str]) -> frozenset[str]:
    """What this page may be called, by a browser on this machine or through a proxy."""
    return frozenset([f"{name}:{port}" for name in (LOOPBACK, "localhost")] + [name.lower() for name in others])


def main(arguments: list[str] | None = None) -> None:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m megafish_assets.orchestration.webserver")
    parser.add_argument("workspace")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--host", action="append", default=[], help="a name under which a proxy gives the UI")
    given = parser.parse_args(arguments)
    hosts = own_names(given.port, given.host)
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW)
        target = WorkspaceFileTarget([given.workspace])
        with WorkspaceProcessContext(instance, target, __version__, given.read_only) as context:
            app = Door(create_app_from_workspace_process_context(context), hosts)
            uvicorn.run(app, host=LOOPBACK, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
