"""Puts the pack (schemas, rules, templates, example records) into the built package; all else is in pyproject.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

TOP = Path(__file__).resolve().parent
PACK = ("remit.yaml", "schemas", "rules", "templates", "records")


class BuildWithPack(build_py):
    """``build_py``, and the store at the top of the repository as ``remit/pack_data``."""

    def run(self) -> None:
        super().run()
        if getattr(self, "editable_mode", False):
            return  # an editable installation reads the pack where it is
        target = Path(self.build_lib) / "remit" / "pack_data"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name in PACK:
            source = TOP / name
            if source.is_dir():
                shutil.copytree(source, target / name, ignore=shutil.ignore_patterns(".*", "*.tmp"))
            else:
                shutil.copy2(source, target / name)


setup(cmdclass={"build_py": BuildWithPack})
