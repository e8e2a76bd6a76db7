"""Programs that a few tests need: found, or on a CI machine on which we are root installed from Debian's packages."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["found", "lacking"]


def found(name: str) -> str | None:
    """Where a program is; daemons are beside the path of a user."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def lacking(programs: Sequence[str], packages: Sequence[str]) -> str:
    """What is lacking, after installing what a CI machine allows; nothing where all is there."""
    if all(map(found, programs)):
        return ""
    if not os.environ.get("CI") or not found("apt-get") or os.getuid() != 0:
        return f"{', '.join(one for one in programs if not found(one))} is not there: apt-get install --no-install-recommends {' '.join(packages)}"
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    try:
        for words in (["apt-get", "update"], install):
            subprocess.run(words, env=quiet, check=True, capture_output=True, text=True, timeout=90)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as reason:
        return f"{' '.join(packages)} could not be installed: {reason}"
    return "" if all(map(found, programs)) else f"{' '.join(packages)} were installed, and {', '.join(programs)} are not there on {sys.platform}"
