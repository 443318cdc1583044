"""flask audit."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from synkro.cli.words import EXITS, command, fail, say, show
from synkro.infra import clock
from synkro.models.audit import STAFF_CHAIN
from synkro.services.audit import heads, proof
from synkro.services.audit.proof import FAULTS, Chain, Verdict

group = AppGroup("audit", help="Who did what, and the proof of it.", epilog=EXITS)
COMMANDS = (group,)


@group.command("verify")
@click.option("--json", "json_wanted", is_flag=True, help="Print the counts and the findings as JSON.")
@click.option(
    "--heads",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with this file, too: what `audit heads` printed once.",
)
@command
def verify(file: Path | None, *, json_wanted: bool) -> None:
    """Prove that nothing was changed, taken out or cut off. Exit 1 with the first fault of each chain."""
    kept = heads.read(heads.path(), *([file] if file else []))
    if file and not heads.read(file).count:
        raise click.UsageError("there is no head in the file that --heads names")
    verdict = proof.verify(kept)
    if json_wanted:
        show(_as_json(verdict))
    else:
        _tell(verdict)
    if verdict.is_key_wrong:
        fail("No chain begins with a link that fits AUDIT_KEY: it is not the key that the log was written with")
    if not verdict.in_order:
        fail("the audit log is not as it was written")


@group.command("heads")
@command
def print_heads() -> None:
    """Print the last link of every chain, one JSON object a line: keep it where the database cannot be reached."""
    found, now = heads.current(), clock.now()
    for head in found:
        click.echo(head.line(now))
    say(f"chains {len(found)}, sha256 {heads.fingerprint(found)}")


def _counts(verdict: Verdict) -> dict[str, int]:
    return {
        "rows": sum(chain.rows for chain in verdict.chains),
        "emptied": sum(chain.emptied for chain in verdict.chains),
        "unchained": verdict.unchained,
        "heads": verdict.kept.count,
        "unreadable_heads": verdict.kept.unreadable,
    }


def _as_json(verdict: Verdict) -> dict[str, Any]:
    chains = [{**asdict(chain), "chain": str(chain.chain)} for chain in verdict.chains]
    return {"ok": verdict.in_order, "wrong_key": verdict.is_key_wrong, **_counts(verdict), "chains": chains}


def _tell(verdict: Verdict) -> None:
    counts = _counts(verdict)
    say(f"chains {len(verdict.chains)}, rows {counts['rows']}, of deleted companies {counts['emptied']}")
    say(f"kept heads compared {counts['heads']}, unreadable {counts['unreadable_heads']}")
    if counts["unchained"]:
        say(f"rows from before the chain, for which nothing is proven: {counts['unchained']}")
    if not counts["heads"]:
        say("no head was kept: a tail that was cut off would not be seen")
    for chain in verdict.chains:
        if chain.finding:
            say(f"{_name(chain)}: link {chain.finding.seq} {FAULTS[chain.finding.code]} ({chain.finding.code})")


def _name(chain: Chain) -> str:
    return "staff" if chain.chain == STAFF_CHAIN else f"company {chain.chain}"
