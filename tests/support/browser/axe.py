"""axe-core out of its npm package: fetched once into var/cache, pinned by hash, never committed."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

PACKAGE = "axe-core@4.14.1"
TARBALL_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
FILE = "package/axe.min.js"
RULES_OF: dict[str, dict[str, object]] = {
    "light": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    # the second theme is the same page in other colours
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
"""Full in the first theme."""


def source(cache: Path) -> str:
    """The script to evaluate in a page. Without npm the test is skipped, in CI it fails."""
    kept = cache / "axe-4.14.1.min.js"
    if not kept.exists():
        if shutil.which("npm") is None:
            if os.environ.get("CI"):
                pytest.fail("axe-core needs npm")
            pytest.skip("axe-core needs npm")
        _fetch(kept)
    return kept.read_text(encoding="utf-8")


def _fetch(kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, timeout=120)
        packed = next(Path(folder).glob("*.tgz"))
        digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
        if digest != TARBALL_SHA512:
            raise AssertionError(f"{PACKAGE} is not the package that was pinned")
        with tarfile.open(packed) as archive:
            member = archive.extractfile(FILE)
            assert member is not None
            draft = kept.with_suffix(f".{os.getpid()}")
            draft.write_bytes(member.read())
    draft.replace(kept)
