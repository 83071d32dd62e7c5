"""What customers read of a claim that has ended, and which stages lie off its main way."""

from __future__ import annotations

from lian.domain.case_kind import Ending
from lian.domain.labels import Label

NOTHING_MORE = Label("Nothing more is needed from you.", "您无需再做任何事。")
REASONS_BELOW = Label(
    "Below are the reasons, and what you can do if you do not agree.", "以下是理由，以及您不同意时可以采取的途径。"
)

ENDINGS = {
    "paid": Ending(Label("Your claim is paid", "您的赔款已支付"), NOTHING_MORE, "ok"),
    "denied": Ending(
        Label("We cannot pay this claim", "很抱歉，本次理赔未能通过"), REASONS_BELOW, "bad", stage="denial"
    ),
    "withdrawn": Ending(Label("You withdrew this claim", "您已撤回本次理赔"), NOTHING_MORE),
    "merged": Ending(
        Label("Your claim is handled together with another one", "您的案件已与另一案件合并处理"),
        Label("Follow it under the other case number.", "请凭另一案件编号查询进度。"),
    ),
}

DETOURS: dict[str, tuple[str, ...]] = {
    "denial": ("settlement", "payment"),
    "investigation": (),
    "aftercare": (),
}
"""Stages off the main way, each with those it stands in for."""

BINDING = frozenset({"settlement", "payment"})
"""From here on a claim can no longer be withdrawn: money has been promised."""

REOPENS = ("review", "assessment", "decision")
"""Stages from which a closed claim may be handled again (CLM-15)."""
