"""remit test: run the cases of the policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from remit.commands.loading import loaded
from remit.commands.options import at_option, format_option, print_json, ref_option, store_of

if TYPE_CHECKING:
    from remit.evaluating import Loaded
    from remit.policies.watch import Watch
    from remit.store import Store


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--coverage", is_flag=True, help="Show how much of each policy its cases see, and each gap.")
@click.option("--min", "least", type=click.IntRange(0, 100), help="Fail when a policy's coverage is less, in percent.")
@click.option("--mutate", is_flag=True, help="Break each policy in small ways and list what no case notices.")
@click.option("--suggest", metavar="POLICY", help="Print boundary cases of a policy for its author to confirm.")
@click.option("--write", is_flag=True, help="With --suggest: add them to the case file of the policy.")
@at_option
@ref_option
@format_option("text", "json")
@click.pass_context
def command(
    ctx: click.Context,
    paths: Sequence[str],
    coverage: bool,
    least: int | None,
    mutate: bool,
    suggest: str | None,
    write: bool,
    at: datetime,
    ref: str | None,
    fmt: str,
) -> int:
    """Run the cases beside the policies, or those under PATH (a folder, a policy or a case file).

    Example: remit test --coverage --min 100 rules/escalation

    Suggested cases expect what the policy decides today; --at gives the year in which working days are looked for.
    """
    from remit.findings import has_errors
    from remit.reporters.coverage import coverage_lines, coverage_summary
    from remit.reporters.findings import finding_lines
    from remit.reporters.terminal import plural
    from remit.testing import run_all

    read = loaded(ctx, ref)
    if mutate:
        return _mutate(read, paths, fmt)
    if suggest is not None:
        return _suggest(read, suggest, at, fmt, store_of(ctx) if write else None)
    run = run_all(read, only=under(paths))
    failed = [result for result in run.results if result.failures]
    refuse_nothing(paths, bool(run.results or run.findings))
    if fmt == "json":
        body = {"cases": [r.to_json() for r in run.results], "coverage": [c.to_json() for c in run.coverage]}
        print_json({**body, "findings": [f.to_json() for f in run.findings]})
    else:
        for line in finding_lines(run.findings):
            click.echo(line)
        for line in coverage_lines(run.coverage) if coverage or least is not None else ():
            click.echo(line)
        policies = plural(len({r.policy for r in run.results}), "policy", "policies")
        passed = plural(len(run.results) - len(failed), "case")
        click.echo(f"{passed} passed, {len(failed)} failed, of {policies}; {coverage_summary(run.coverage)}")
    poor = least is not None and any(one.percent < least for one in run.coverage)
    return int(bool(failed) or has_errors(run.findings) or poor)


def _mutate(read: Loaded, paths: Sequence[str], fmt: str) -> int:
    from remit.findings import has_errors
    from remit.mutating import mutate_all
    from remit.reporters.findings import finding_lines
    from remit.reporters.mutation import mutation_lines, mutation_summary

    run = mutate_all(read, only=under(paths))
    refuse_nothing(paths, bool(run.mutations or run.findings))
    if fmt == "json":
        findings = [f.to_json() for f in run.findings]
        print_json({"mutations": [one.to_json() for one in run.mutations], "findings": findings})
    else:
        for line in (*finding_lines(run.findings), *mutation_lines(run.mutations)):
            click.echo(line)
        click.echo(mutation_summary(run.mutations))
    return int(has_errors(run.findings) or any(one.survivors for one in run.mutations))


def _suggest(read: Loaded, name: str, at: datetime, fmt: str, store: Store | None) -> int:
    from remit.explaining import find_policy
    from remit.reporters.case_text import cases_text
    from remit.suggesting import suggest

    watch = find_policy(read, name)
    cases = suggest(read, watch, at)
    if fmt == "json":
        print_json({"policy": watch.record.id, "cases": cases})
    elif store is None:
        click.echo(cases_text(cases), nl=False)
    if not cases:
        click.echo(f"No facts were found that make {watch.record.id} decide anything: write a case by hand.", err=True)
    elif store is not None:
        path, data = _with_cases(read, watch, cases_text(cases))
        store.write(path, data)
        click.echo(f"{len(cases)} cases added to {path}. Confirm each, then: remit test {path}", err=True)
    return 0


def _with_cases(read: Loaded, watch: Watch, text: str) -> tuple[str, bytes]:
    """The case file of a policy with more cases at its end.

    Raises:
        UserError: the list of cases is not the last thing in the file, so that text cannot simply be added.
    """
    from remit.errors import UserError
    from remit.records import CASES_SUFFIX
    from remit.reporters.case_text import new_file
    from remit.yamltext import read as read_yaml

    path = watch.record.path.removesuffix(".yaml") + CASES_SUFFIX
    old = read.snapshot.files.get(path)
    start = f"{old.decode('utf-8').rstrip()}\n\n" if old else new_file(watch.name)
    data = (start + text).encode()
    document, _ = read_yaml(data, path)
    before = read.snapshot.cases[path].value["spec"] if old else {"cases": []}
    after = document.value["spec"] if document else {}
    if after.get("cases", [])[: len(before["cases"])] != before["cases"] or len(after["cases"]) == len(before["cases"]):
        raise UserError(f"{path} does not end with its cases.", "Print them and paste them: leave --write out.")
    return path, data


def refuse_nothing(paths: Sequence[str], found: bool) -> None:
    """Stop where paths were given and nothing is there.

    Raises:
        NotFound: naming the paths.
    """
    from remit.errors import NotFound

    if paths and not found:
        raise NotFound(f"No case file is under {', '.join(paths)}.", "Paths are relative to the store: rules/warning")


def under(paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether a case file is one of ``paths`` or under one of them; every file without any."""
    wanted = [path.rstrip("/").removesuffix(".yaml").removesuffix(".cases") for path in paths]
    return lambda path: not wanted or any(path == f"{one}.cases.yaml" or path.startswith(f"{one}/") for one in wanted)
