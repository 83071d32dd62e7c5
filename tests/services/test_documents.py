"""Documents of a case that is not yet a claim (DOC-1)."""

from __future__ import annotations

from lian.domain.parties import Channel
from lian.services.context import Context
from lian.services.documents import add_document
from lian.services.intake import save_draft
from lian.services.policies import put_policy
from tests.cast import OFFICE, POLICY, motor_policy, once, pdf


async def test_a_document_added_to_a_draft_is_filed_under_other(context: Context) -> None:
    await put_policy(context, OFFICE, motor_policy())
    number = await save_draft(context, OFFICE, number="", policy_number=POLICY, draft={}, channel=Channel.PHONE)
    added = await add_document(context, OFFICE, number, item_code="other", filename="photo.pdf", chunks=once(pdf()))
    assert added.item_code == "other"
