"""the whole claim: corrections, investigation, risk, panel, objections, recoveries, ledger, links and tags"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEW_COLUMNS = (
    ("case_parties", "is_minor"),
    ("cases", "opened_by"),
    ("cases", "minors"),
    ("cases", "maturity"),
    ("cases", "risk_score"),
    ("cases", "risk_level"),
    ("cases", "risk_findings"),
    ("cases", "details"),
    ("decisions", "subject"),
    ("decisions", "authority_version"),
    ("decisions", "overridden_why"),
    ("exposures", "expense_reserve_amount"),
    ("payees", "account_mark"),
    ("payees", "named_by"),
    ("payees", "is_changed"),
    ("payees", "sanctions"),
    ("payees", "verified_by"),
    ("payees", "verified"),
    ("payees", "confirmed"),
    ("payments", "reversal_asked_by"),
    ("payments", "reversed_by"),
)
"""Filled for the rows that are there; from now on the models say what a new row holds."""
APPEND_ONLY = ("panel_votes", "ledger_lines", "recovery_receipts")


def upgrade() -> None:
    op.create_table(
        "case_links",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("other_case_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("other_number", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "other_case_id", "relation"),
    )
    op.create_index(op.f("ix_case_links_other_case_id"), "case_links", ["other_case_id"], unique=False)
    op.create_table(
        "case_tags",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("tagged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tagged_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "tag", "code"),
    )
    op.create_index("case_tags_code", "case_tags", ["tag", "code"], unique=False)
    op.create_table(
        "catastrophes",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("causes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "corrections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("exposure_id", sa.Uuid(), nullable=True),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("decided_by = '' OR decided_by <> proposed_by", name="correction_four_eyes"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_corrections_case_id"), "corrections", ["case_id"], unique=False)
    op.create_table(
        "investigations",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("task_id"),
    )
    op.create_index(op.f("ix_investigations_case_id"), "investigations", ["case_id"], unique=False)
    op.create_table(
        "ledger_lines",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("chain_seq", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "chain_seq", "account"),
    )
    op.create_table(
        "objections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("decision_by", sa.Text(), nullable=False),
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("lodged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lodged_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.CheckConstraint("decided_by = '' OR decided_by <> decision_by", name="objection_four_eyes"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_objections_case_id"), "objections", ["case_id"], unique=False)
    op.create_table(
        "panel_votes",
        sa.Column("panel_id", sa.Uuid(), nullable=False),
        sa.Column("voter", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("vote", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("voter <> decided_by", name="panel_four_eyes"),
        sa.PrimaryKeyConstraint("panel_id", "voter"),
    )
    op.create_index(op.f("ix_panel_votes_case_id"), "panel_votes", ["case_id"], unique=False)
    op.create_table(
        "panels",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("convened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_panels_case_id"), "panels", ["case_id"], unique=False)
    op.create_table(
        "recoveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("recovery", sa.Text(), nullable=False),
        sa.Column("counterparty", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("expected_amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("received_amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("closed_why", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("received_amount >= 0", name="recovery_not_negative"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_recoveries_case_id"), "recoveries", ["case_id"], unique=False)
    op.create_table(
        "recovery_receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("recovery_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.CheckConstraint("amount > 0", name="recovery_receipt_positive"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("recovery_id", "reference", name="recovery_receipt_once"),
    )
    op.create_index(op.f("ix_recovery_receipts_case_id"), "recovery_receipts", ["case_id"], unique=False)
    op.create_table(
        "referrals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("referred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("referred_by", sa.Text(), nullable=False),
        sa.Column("concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("concluded_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_referrals_case_id"), "referrals", ["case_id"], unique=False)
    op.add_column("case_parties", sa.Column("is_minor", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("case_parties", sa.Column("represents", sa.Uuid(), nullable=True))
    op.create_index("case_parties_phone", "case_parties", ["phone"], unique=False)
    op.create_index("case_parties_email", "case_parties", ["email"], unique=False)
    op.add_column("cases", sa.Column("opened_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("cases", sa.Column("minors", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("cases", sa.Column("maturity", sa.Text(), nullable=False, server_default="draft"))
    op.add_column("cases", sa.Column("risk_score", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("cases", sa.Column("risk_level", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "cases",
        sa.Column("risk_findings", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="[]"),
    )
    op.add_column(
        "cases", sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="{}")
    )
    op.create_index(op.f("ix_cases_opened_by"), "cases", ["opened_by"], unique=False)
    op.add_column("decisions", sa.Column("subject", sa.Text(), nullable=False, server_default="claim"))
    op.add_column("decisions", sa.Column("authority_version", sa.Text(), nullable=False, server_default=""))
    op.add_column("decisions", sa.Column("overridden_why", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "exposures",
        sa.Column("expense_reserve_amount", sa.Numeric(precision=14, scale=2), nullable=False, server_default="0"),
    )
    op.add_column("payees", sa.Column("account_mark", sa.Text(), nullable=False, server_default=""))
    op.add_column("payees", sa.Column("named_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("payees", sa.Column("is_changed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("payees", sa.Column("sanctions", sa.Text(), nullable=False, server_default=""))
    op.add_column("payees", sa.Column("verified_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("payees", sa.Column("verified", sa.Text(), nullable=False, server_default=""))
    op.add_column("payees", sa.Column("confirmed", sa.Text(), nullable=False, server_default=""))
    op.create_index("payees_person", "payees", ["person_id"], unique=False)
    op.add_column("payments", sa.Column("reversal_asked_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("payments", sa.Column("reversed_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("payments", sa.Column("recovery_id", sa.Uuid(), nullable=True))
    for table, column in NEW_COLUMNS:
        op.alter_column(table, column, server_default=None)
    op.execute("UPDATE cases SET maturity = 'reported' WHERE status <> 'draft'")
    _check_constraints()
    _balance_ledger()
    _grant()


def _check_constraints() -> None:
    """No one verifies the account they named themselves (CLM-9)."""
    op.create_check_constraint("reversal_four_eyes", "payments", "reversed_by = '' OR reversed_by <> reversal_asked_by")
    op.create_check_constraint("account_four_eyes", "payees", "verified_by = '' OR verified_by <> named_by")


def _balance_ledger() -> None:
    """The lines of one event add up to zero, or the transaction does not end (I3). Checked at its end: a rebuild
    removes and writes line by line."""
    op.execute(
        """
        CREATE FUNCTION ledger_entry_is_balanced(entry_case uuid, entry_seq integer) RETURNS boolean LANGUAGE sql STABLE
        RETURN coalesce((SELECT sum(amount) FROM ledger_lines WHERE case_id = entry_case AND chain_seq = entry_seq), 0) = 0
        """
    )
    op.execute(
        """
        CREATE FUNCTION refuse_crooked_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (TG_OP <> 'DELETE' AND NOT ledger_entry_is_balanced(NEW.case_id, NEW.chain_seq))
                OR (TG_OP <> 'INSERT' AND NOT ledger_entry_is_balanced(OLD.case_id, OLD.chain_seq))
            THEN
                RAISE EXCEPTION 'the ledger lines of one event must add up to zero'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_balanced', TABLE = 'ledger_lines';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        """
        CREATE CONSTRAINT TRIGGER ledger_entry_balanced AFTER INSERT OR UPDATE OR DELETE ON ledger_lines
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_crooked_ledger_entry()
        """
    )


def _grant() -> None:
    """Votes, ledger lines and receipts are only ever added; a rebuild may remove them and write them again."""
    config = op.get_context().config
    role = config.attributes["app_role"] if config else None
    if role is None:
        return
    quoted = f'"{role}"'
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}")
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON journal, command_receipts FROM {quoted}")
    op.execute(f"REVOKE UPDATE, TRUNCATE ON {', '.join(APPEND_ONLY)} FROM {quoted}")
