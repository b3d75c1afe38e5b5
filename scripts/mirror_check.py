"""Says which source files have no mirror test file: gateway_server/codec/buffer.py -> tests/codec/test_buffer.py."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Without a mirror, each for its reason.
EXEMPT = {
    "gateway_server/codec/codec.py": "types only: held by tests/plugins/test_contract.py over every codec",
    "gateway_server/codec/dialogue.py": "types only: spoken by every dialogue's and session's test",
    "gateway_server/codec/meter_profile/form.py": "types only: made by the parser's tests, used by all others",
    "gateway_server/codec/meter_profile/form_meaning.py": "types only: held by test_parse_meaning.py",
    "gateway_server/codec/meter_profile/form_steps.py": "types only: held by test_parse_dialogue.py",
    "gateway_server/codec/meter_profile/form_types.py": "types only: held by test_parse_types.py",
    "gateway_server/session/line.py": "types only: implemented and tested by each transport",
    "gateway_server/store/records.py": "types only: filled and compared by the store's tests",
    "gateway_server/store/plan_records.py": "types only: filled and compared by the tests of the plan and its queries",
    "gateway_server/transports/calls.py": "types only: held by the tests of the pool and of the plan",
    "gateway_server/store/store.py": "types only: held by the tests of the store that implements them",
}


def mirror_of(source: Path) -> Path:
    """Where the test of a source file belongs; both relative to the repository."""
    parts = source.parts if source.parts[0] == "plugins" else source.parts[1:]
    return Path("tests", *parts[:-1], f"test_{source.name}")


def sources() -> list[Path]:
    """Every file that must have a mirror, relative to the repository."""
    found = (
        path.relative_to(ROOT) for folder in ("gateway_server", "plugins") for path in ROOT.glob(f"{folder}/**/*.py")
    )
    return sorted(path for path in found if path.name not in {"__init__.py", "__main__.py"})


def main() -> int:
    """Prints what is missing, and exemptions that have lost their file; 1 if there is any."""
    faults = []
    for name in EXEMPT:
        if not (ROOT / name).exists():
            faults.append(f"{name}: exempt in scripts/mirror_check.py, but there is no such file")
    for source in sources():
        if source.as_posix() not in EXEMPT and not (ROOT / mirror_of(source)).exists():
            faults.append(f"{source}: no {mirror_of(source)}")
    print("\n".join(faults) or "every source file has its test file")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
