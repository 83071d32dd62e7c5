"""The one vocabulary of permissions, `subject:action`, and what each role has (SEC-1). Alphabetical, both of them."""

from __future__ import annotations

from lian.domain.labels import Label

PERMISSIONS: dict[str, str] = {
    "authority:override": "let a decision stand above the table of limits, and answer for it (break-glass)",
    "calendar:write": "revise the calendars of working days",
    "case:correct": "say that a recorded figure is wrong",
    "case:link": "link cases that belong together",
    "case:read": "see cases of one's departments",
    "case:read_assigned": "see only cases in which a task is or was one's own",
    "case:read_own": "see only cases one reported",
    "case:reopen": "reopen a closed case",
    "case:report": "report a loss on a customer's behalf",
    "case:tag": "count cases together under a code, such as a catastrophe's",
    "case:withdraw": "record that a customer withdraws",
    "catastrophe:write": "declare and end catastrophes",
    "claim:advance": "pay the undisputed part before the decision",
    "claim:object": "record a customer's objection to a decision",
    "claim:refer": "refer a claim to special investigation",
    "clock:ask": "ask for a longer time, note what a case waits for",
    "clock:extend": "agree to a longer time where the rules allow it",
    "clock:plan": "see what another policy or calendar would do to open promises, and apply it to them",
    "document:add": "add a document to a case",
    "document:read": "open and download documents",
    "journal:verify": "run and read journal checks",
    "message:write": "write to the customer",
    "notice:read": "see notices that were sent to customers",
    "pack:write": "publish versions of policy packs",
    "payment:reverse": "propose to reverse a payment made in error",
    "policy:write": "add and change policies and customers of the register",
    "recovery:write": "claim money back and book what comes",
    "request:withdraw": "withdraw an open document request",
    "reserve:set": "set reserves within one's authority limit",
    "risk:read": "see risk scores and their reasons",
    "sla:read": "see the board of promises",
    "staff:write": "create staff accounts and reset passwords",
    "task:adjudicate": "decide claims within one's authority limit",
    "task:assess": "assess losses",
    "task:assign": "hand tasks to others",
    "task:authorise": "authorise decisions above another's limit",
    "task:clear_sanctions": "look at payees whom the sanctions list names",
    "task:explain_lateness": "say why a promise was broken and who answers for it",
    "task:inquire": "answer customers' questions",
    "task:investigate": "survey scenes, review records, interview witnesses",
    "task:investigate_fraud": "carry out special investigations",
    "task:panel": "vote on a panel",
    "task:review": "review reports and documents, judge possible duplicates",
    "task:review_objection": "look again at a decision somebody objects to",
    "task:settle": "agree settlements",
    "task:survey": "survey a loss, also as an external adjuster",
    "task:verify": "take the second look at corrections, reversals and changed accounts",
}

_READING = frozenset({"case:read", "document:read", "sla:read"})
_ADJUSTING = _READING | {
    "case:correct",
    "case:link",
    "case:tag",
    "claim:advance",
    "claim:refer",
    "clock:ask",
    "document:add",
    "message:write",
    "payment:reverse",
    "recovery:write",
    "request:withdraw",
    "reserve:set",
    "risk:read",
    "task:adjudicate",
    "task:assess",
    "task:investigate",
    "task:review",
    "task:settle",
    "task:survey",
}
_SECOND_LOOK = frozenset({"task:authorise", "task:panel", "task:review_objection", "task:verify"})
_LEADING = (
    _READING
    | _SECOND_LOOK
    | {"case:correct", "case:link", "case:reopen", "case:tag", "case:withdraw", "catastrophe:write", "claim:advance"}
    | {"claim:refer", "document:add", "message:write", "payment:reverse", "recovery:write", "request:withdraw"}
    | {"clock:ask", "clock:extend", "reserve:set", "risk:read", "task:assign", "task:explain_lateness", "task:inquire"}
)

ROLES: dict[str, frozenset[str]] = {
    "administrator": frozenset(
        {"calendar:write", "clock:plan", "notice:read", "pack:write", "policy:write", "staff:write"}
    ),
    "agent": frozenset({"case:read_own", "case:report", "document:add", "document:read"}),
    "archivist": frozenset(),
    "claims_adjuster_junior": _ADJUSTING,
    "claims_adjuster_senior": _ADJUSTING | _SECOND_LOOK | {"case:reopen", "case:withdraw", "task:inquire"},
    "claims_manager": _LEADING | {"authority:override"},
    "complaint_handler": frozenset(),
    "compliance": _READING | {"journal:verify", "notice:read", "risk:read", "task:clear_sanctions"},
    "customer": frozenset(),
    "customer_service": _READING
    | {"case:correct", "case:link", "case:report", "case:withdraw", "claim:object"}
    | {"clock:ask", "document:add", "message:write", "notice:read", "policy:write", "task:inquire"},
    "external_adjuster": frozenset({"case:read_assigned", "document:add", "document:read", "task:survey"}),
    "operations": frozenset(
        {"calendar:write", "case:read", "case:tag", "catastrophe:write", "clock:plan", "pack:write", "sla:read"}
    ),
    "panel_member": frozenset({"case:read", "document:read", "task:panel"}),
    "special_investigator": _READING
    | {"case:link", "claim:refer", "document:add", "risk:read", "task:investigate_fraud"},
    "team_lead": _LEADING,
    "underwriter": frozenset(),
}
"""Every role of the catalogue; those without permissions wait for the issue that brings their work."""

ROLE_LABELS: dict[str, Label] = {
    "administrator": Label("Administrator", "管理员"),
    "agent": Label("Agent", "代理人"),
    "archivist": Label("Archivist", "档案管理员"),
    "claims_adjuster_junior": Label("Junior claims adjuster", "初级理赔员"),
    "claims_adjuster_senior": Label("Senior claims adjuster", "高级理赔员"),
    "claims_manager": Label("Claims manager", "理赔经理"),
    "complaint_handler": Label("Complaint handler", "投诉专员"),
    "compliance": Label("Compliance and audit", "合规内审"),
    "customer": Label("Customer", "客户"),
    "customer_service": Label("Customer service", "客服"),
    "external_adjuster": Label("External adjuster", "公估"),
    "operations": Label("Operations", "运营"),
    "panel_member": Label("Panel member", "集体讨论成员"),
    "special_investigator": Label("Special investigator", "特别调查员"),
    "team_lead": Label("Team lead", "主管"),
    "underwriter": Label("Underwriter", "核保员"),
}


def permissions_of(roles: list[str]) -> frozenset[str]:
    """Everything these roles may do together."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
