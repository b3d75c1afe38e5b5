"""What a session is given."""

from __future__ import annotations

from gateway_server.model import ReadOrder
from gateway_server.session.plan import Plan, Role


def test_plan_without_more_asks_whoever_is_there_for_everything() -> None:
    plan = Plan(())
    assert plan.role is Role.ASK
    assert plan.order == ReadOrder()
    assert plan.expected is None
