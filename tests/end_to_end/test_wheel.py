"""What ``pip install .`` gives: the program and its bundled plugins, with nothing of the working copy in reach.

The new environment gets the wheel and, to spare the network, the dependencies that are already installed beside us.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.end_to_end, pytest.mark.xdist_group("wheel")]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel in it; gives its folder of programs."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run([*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(place), str(ROOT)], place)
    (wheel,) = place.glob("gateway_server-*.whl")
    venv.create(place / "fresh", with_pip=False)
    programs = place / "fresh" / "bin"
    run([*pip, "--python", str(programs / "python"), "install", "--no-deps", "--no-index", str(wheel)], place)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(place / "fresh")}))
    # A path named in a .pth file is searched, but its own .pth files (our working copy) are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def run(command: list[str], place: Path) -> str:
    """Runs a program to its end far from the working copy; gives what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GATEWAY"))}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_installed_program_starts_without_the_working_copy(installed: Path, tmp_path: Path) -> None:
    where = run([str(installed / "python"), "-c", "import gateway_server; print(gateway_server.__file__)"], tmp_path)

    assert Path(where.strip()).is_relative_to(installed.parent)
    assert "meter" in run([str(installed / "gateway-server"), "--help"], tmp_path)


def test_installed_program_brings_the_bundled_codecs(installed: Path, tmp_path: Path) -> None:
    ask = (
        "from gateway_server.codec.registry import load_codecs\n"
        "registry = load_codecs()\n"
        "print(registry.names, registry.problems, registry.path('lis200'))"
    )
    said = run([str(installed / "python"), "-c", ask], tmp_path)

    names, _, rest = said.partition(") ")
    assert {"lis200", "reference-push", "dtu-transparent"} <= set(names.strip("('").replace("'", "").split(", "))
    assert rest.startswith("[] ")
    assert str(installed.parent) in rest


def test_installed_program_brings_the_schema_of_meter_profiles(installed: Path, tmp_path: Path) -> None:
    ask = (
        "import json, pathlib, gateway_server\n"
        "from gateway_server.codec.meter_profile.schema import schema\n"
        "file = pathlib.Path(gateway_server.__file__).parent / 'meter-profile.schema.json'\n"
        "print(json.loads(file.read_text('utf-8')) == schema())"
    )
    assert run([str(installed / "python"), "-c", ask], tmp_path).strip() == "True"
