"""The scanners are tried on known flaws: these have to be served by the copy that they are planted in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from security.scan import _plant


def test_the_planted_flaws_are_among_the_pages(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    _plant(tree)
    asked = "from synkro import blueprints; print([one.name for g in blueprints.GROUPS for one in g.BLUEPRINTS])"
    told = subprocess.run([sys.executable, "-c", asked], cwd=tree, capture_output=True, text=True, check=False)
    assert "'flaws'" in told.stdout, told.stderr
