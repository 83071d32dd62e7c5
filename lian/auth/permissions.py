"""The one vocabulary of permissions, `subject:action`, and what each role has (SEC-1). Alphabetical, both of them."""

from __future__ import annotations

from lian.domain.labels import Label

PERMISSIONS: dict[str, str] = {
    "absence:write": "say when one is away, and who stands in",
    "absence:write_others": "say when others of one's team are away",
    "authority:override": "let a decision stand above the table of limits, and answer for it (break-glass)",
    "calendar:write": "revise the calendars of working days",
    "case:bar": "say that a case is not for a colleague (TSK-5)",
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
    "desk:bulk": "do something to many tasks at once",
    "desk:load": "see who has how much work, and move it",
    "desk:route": "publish where tasks belong, and apply it to open ones",
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
    "task:ask_colleague": "ask a colleague what they think of a task",
    "task:assess": "assess losses",
    "task:assign": "hand tasks to others",
    "task:assign_any": "hand tasks of any team to others",
    "task:authorise": "authorise decisions above another's limit",
    "task:cancel": "take back a question that nothing waits for",
    "task:claim": "take a task of one's queues on",
    "task:clear_sanctions": "look at payees whom the sanctions list names",
    "task:comment": "write remarks for colleagues",
    "task:delegate": "have a colleague do a task for one, and return it",
    "task:draw": "be given the most urgent task of a queue",
    "task:explain_lateness": "say why a promise was broken and who answers for it",
    "task:hold": "put a task aside until a day",
    "task:inquire": "answer customers' questions",
    "task:investigate": "survey scenes, review records, interview witnesses",
    "task:investigate_fraud": "carry out special investigations",
    "task:panel": "vote on a panel",
    "task:prioritise": "put a task ahead of others",
    "task:reassign": "give a task that somebody has to another",
    "task:release": "give a task back to its queue",
    "task:review": "review reports and documents, judge possible duplicates",
    "task:review_objection": "look again at a decision somebody objects to",
    "task:settle": "agree settlements",
    "task:survey": "survey a loss, also as an external adjuster",
    "task:unassign": "take a task out of somebody's hands",
    "task:verify": "take the second look at corrections, reversals and changed accounts",
    "view:share": "share a list of the desk with one's team",
}

_HANDLING = frozenset({"task:comment", "task:hold", "task:release"})
"""What everybody does with a task they have."""
_WORKING = _HANDLING | {"absence:write", "task:ask_colleague", "task:claim", "task:delegate", "task:draw"}
_READING = frozenset({"case:read", "document:read", "sla:read"})
_ADJUSTING = (
    _READING
    | _WORKING
    | {
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
)
_SECOND_LOOK = frozenset({"task:authorise", "task:panel", "task:review_objection", "task:verify"})
_LEADING = (
    _READING
    | _SECOND_LOOK
    | _WORKING
    | {"absence:write_others", "case:bar", "desk:bulk", "desk:load", "task:cancel", "task:prioritise", "view:share"}
    | {"case:correct", "case:link", "case:reopen", "case:tag", "case:withdraw", "catastrophe:write", "claim:advance"}
    | {"claim:refer", "document:add", "message:write", "payment:reverse", "recovery:write", "request:withdraw"}
    | {"clock:ask", "clock:extend", "reserve:set", "risk:read", "task:assign", "task:explain_lateness", "task:inquire"}
    | {"task:reassign", "task:unassign"}
)

ROLES: dict[str, frozenset[str]] = {
    "administrator": frozenset(
        {"calendar:write", "clock:plan", "desk:route", "notice:read", "pack:write", "policy:write", "staff:write"}
    ),
    "agent": frozenset({"case:read_own", "case:report", "document:add", "document:read"}),
    "archivist": frozenset(),
    "claims_adjuster_junior": _ADJUSTING,
    "claims_adjuster_senior": _ADJUSTING | _SECOND_LOOK | {"case:reopen", "case:withdraw", "task:inquire"},
    "claims_manager": _LEADING | {"authority:override", "task:assign_any"},
    "complaint_handler": frozenset(),
    "compliance": _READING | _WORKING | {"journal:verify", "notice:read", "risk:read", "task:clear_sanctions"},
    "customer": frozenset(),
    "customer_service": _READING
    | _WORKING
    | {"case:correct", "case:link", "case:report", "case:withdraw", "claim:object"}
    | {"clock:ask", "document:add", "message:write", "notice:read", "policy:write", "task:inquire"},
    "external_adjuster": _HANDLING | {"case:read_assigned", "document:add", "document:read", "task:survey"},
    "operations": frozenset(
        {"calendar:write", "case:read", "case:tag", "catastrophe:write", "clock:plan", "desk:load", "desk:route"}
        | {"pack:write", "sla:read"}
    ),
    "panel_member": _WORKING | {"case:read", "document:read", "task:panel"},
    "special_investigator": _READING
    | _WORKING
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


def roles_with(permission: str) -> tuple[str, ...]:
    """The roles that may do this."""
    return tuple(role for role, permissions in ROLES.items() if permission in permissions)


def permissions_of(roles: list[str]) -> frozenset[str]:
    """Everything these roles may do together."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
