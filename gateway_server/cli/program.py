"""``gateway-server``: its verbs by the people who use them, and the edge where errors become messages."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Sequence

import click

from gateway_server import __version__
from gateway_server.cli.call import call as call_group
from gateway_server.cli.call_night import call_night
from gateway_server.cli.call_plan import call_plan, call_resume
from gateway_server.cli.demo import demo
from gateway_server.cli.errors import run_program
from gateway_server.cli.file import file
from gateway_server.cli.invocation import Invocation
from gateway_server.cli.meter import meter
from gateway_server.cli.modem import modem
from gateway_server.cli.read import read
from gateway_server.cli.reading import reading
from gateway_server.cli.reprocess import reprocess
from gateway_server.cli.run import check_config, run
from gateway_server.cli.session import session
from gateway_server.cli.simulate import simulate
from gateway_server.cli.store import store
from gateway_server.cli.workbench import workbench

NAME = "gateway-server"

# Who needs what; the order of the help.
PEOPLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("To see it work", ("demo",)),
    ("For the operator of the server", ("run", "check-config", "store", "modem")),
    ("For the planner: meters and their readings", ("meter", "read", "reading", "call")),
    ("For the support engineer: what was said, byte by byte", ("session", "file", "reprocess", "simulate")),
    ("For the engineer of a new protocol: from captures to a profile", ("workbench",)),
)


class VerbsByPerson(click.Group):
    """A group whose help lists the verbs by who uses them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in PEOPLE:
            with formatter.section(title):
                commands = [(name, self.commands[name]) for name in names]
                formatter.write_dl([(name, command.get_short_help_str(70)) for name, command in commands])


@click.group(cls=VerbsByPerson, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=NAME)
@click.option("-v", "--verbose", count=True, help="Say more on standard error; twice says everything.")
@click.option("--debug", is_flag=True, help="Show where in the program an error arose.")
@click.pass_context
def program(context: click.Context, verbose: int, debug: bool) -> None:
    """Remote-communication gateway for gas volume correctors: reaches them, reads them, keeps every byte.

    Begin with `gateway-server demo`. Every listing verb takes --json.
    """
    invocation = context.ensure_object(Invocation)
    invocation.verbose = verbose
    invocation.debug = debug
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    invocation.log_level(level)


call_group.add_command(call_night)
call_group.add_command(call_plan)
call_group.add_command(call_resume)
for _command in (
    run,
    check_config,
    demo,
    meter,
    read,
    session,
    reading,
    call_group,
    modem,
    file,
    reprocess,
    simulate,
    store,
    workbench,
):
    program.add_command(_command)


def call(arguments: Sequence[str] | None = None, invocation: Invocation | None = None) -> int:
    """Runs one command line and gives its exit status; messages are on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    invocation = invocation or Invocation()
    return run_program(
        lambda: program.main(given, prog_name=NAME, standalone_mode=False, obj=invocation),
        debug="--debug" in given,
    )


def main() -> None:
    """The program."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal in KOI8-R or Latin-1 does not know every character; it shows what it can.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(call())
