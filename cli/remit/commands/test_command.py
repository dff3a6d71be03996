"""remit test: run the cases of the policies."""

from __future__ import annotations

from collections.abc import Sequence

import click

from remit.commands.loading import loaded
from remit.commands.options import format_option, print_json, ref_option


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--coverage", is_flag=True, help="List the levels that no case sees fire, or sees stay silent.")
@ref_option
@format_option("text", "json")
@click.pass_context
def command(ctx: click.Context, paths: Sequence[str], coverage: bool, ref: str | None, fmt: str) -> int:
    """Run the cases beside the policies, or those under PATH (a folder, a policy or a case file).

    Example: remit test rules/escalation
    """
    from remit.errors import NotFound
    from remit.findings import has_errors
    from remit.reporters.findings import finding_lines
    from remit.reporters.terminal import plural, safe
    from remit.testing import run_all

    wanted = [path.rstrip("/").removesuffix(".yaml").removesuffix(".cases") for path in paths]
    run = run_all(loaded(ctx, ref), only=lambda path: not wanted or any(_under(path, want) for want in wanted))
    failed = [result for result in run.results if result.failures]
    if wanted and not run.results and not run.findings:
        raise NotFound(f"No case file is under {', '.join(paths)}.", "Paths are relative to the store: rules/warning")
    if fmt == "json":
        results = [
            {
                "policy": r.policy,
                "case": r.name,
                "path": r.place.path,
                "line": r.place.line,
                "failures": list(r.failures),
            }
            for r in run.results
        ]
        print_json(
            {"cases": results, "uncovered": list(run.uncovered), "findings": [f.to_json() for f in run.findings]}
        )
    else:
        for line in finding_lines(run.findings):
            click.echo(line)
        for text in run.uncovered if coverage else ():
            click.echo(f"uncovered  {safe(text)}")
        policies = len({r.policy for r in run.results})
        passed = len(run.results) - len(failed)
        of, gaps = plural(policies, "policy", "policies"), plural(len(run.uncovered), "gap")
        click.echo(f"{plural(passed, 'case')} passed, {len(failed)} failed, of {of}; {gaps} in coverage")
    return int(bool(failed) or has_errors(run.findings))


def _under(path: str, wanted: str) -> bool:
    return path == f"{wanted}.cases.yaml" or path.startswith(f"{wanted}/")
