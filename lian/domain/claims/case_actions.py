"""What people do to the file itself: link it, tag it, put a person's details right, add somebody (CLM-1, 3, 15).

None of it moves the procedure, so all of it is the desk's. What may be chosen is known only at run time: the action's
`ask` lists it under `options`, and nothing else is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

from lian.domain.claims.duplicates import LINKS
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.parties import ROLE_LABELS, PartyRole
from lian.domain.tasks import ActionKind, Json, check_offered, question

LINKED_BY_HAND = {code: LINKS[code] for code in ("related_to", "complaint_about", "appeal_of")}
"""A duplicate is not linked by hand: saying so closes a claim, and is asked at its registration."""
ACTS_FOR_OTHERS = frozenset({PartyRole.REPRESENTATIVE.value, PartyRole.LAWYER.value, PartyRole.HEIR.value})
ADDED_BY_HAND: dict[str, Label] = {
    role.value: ROLE_LABELS[role]
    for role in (
        *(PartyRole.REPRESENTATIVE, PartyRole.LAWYER, PartyRole.HEIR, PartyRole.WITNESS),
        *(PartyRole.THIRD_PARTY, PartyRole.BENEFICIARY, PartyRole.INTERMEDIARY),
    )
}
"""A claimant is not added by hand: a loss comes with them."""
LONGEST = {"name": 200, "phone": 40, "email": 254}


@dataclass(frozen=True, slots=True)
class LinkCase:
    """This case belongs with another one."""

    other_number: str = question(Label("Number of the other case", "另一案件编号"), "name")
    relation: str = question(Label("How they belong together", "关联方式"), "choice", options=LINKED_BY_HAND)


@dataclass(frozen=True, slots=True)
class TagCatastrophe:
    """The loss is one of a catastrophe's."""

    code: str = question(Label("Catastrophe", "巨灾事件"), "choice")


@dataclass(frozen=True, slots=True)
class CorrectParty:
    """What is right about a person; what stays empty stays as it is."""

    party: str = question(Label("Whose details", "更正对象"), "choice")
    name: str = question(Label("Name", "姓名"), "name", default="", personal=True)
    phone: str = question(Label("Phone", "电话"), "name", default="", personal=True)
    email: str = question(Label("E-mail", "电子邮箱"), "name", default="", personal=True)
    reason: str = question(Label("What was wrong", "更正原因"), "text", default="", personal=True)


@dataclass(frozen=True, slots=True)
class AddParty:
    """Somebody takes part from now on."""

    role: str = question(Label("Role", "角色"), "choice", options=ADDED_BY_HAND)
    name: str = question(Label("Name", "姓名"), "name", personal=True)
    phone: str = question(Label("Phone", "电话"), "name", default="", personal=True)
    email: str = question(Label("E-mail", "电子邮箱"), "name", default="", personal=True)
    represents: str = question(
        Label("Acts for", "代表"),
        "choice",
        default="",
        help=Label("For a representative, lawyer or heir.", "代表人、律师或继承人须选择。"),
    )


def check_link(outcome: LinkCase, _: Json) -> None:
    """A number and a known relation."""
    if not outcome.other_number.strip():
        raise Invalid("Give the number of the other case.", field="other_number")
    if outcome.relation not in LINKED_BY_HAND:
        raise Invalid("That is not one of the choices.", field="relation")


def check_tag(outcome: TagCatastrophe, ask: Json) -> None:
    """Only a catastrophe of the list."""
    check_offered(outcome.code, ask, "code")


def check_correction(outcome: CorrectParty, ask: Json) -> None:
    """Something must be put right, and the reason goes on record."""
    check_offered(outcome.party, ask, "party")
    given = {"name": outcome.name, "phone": outcome.phone, "email": outcome.email}
    if not any(value.strip() for value in given.values()):
        raise Invalid("Enter what is right.", field="name")
    _check_lengths(given)
    if not outcome.reason.strip():
        raise Invalid("Say what was wrong.", field="reason")


def check_addition(outcome: AddParty, ask: Json) -> None:
    """Whoever acts for another says for whom, and can be reached."""
    if outcome.role not in ADDED_BY_HAND:
        raise Invalid("That is not one of the choices.", field="role")
    if not outcome.name.strip():
        raise Invalid("Enter a name.", field="name")
    _check_lengths({"name": outcome.name, "phone": outcome.phone, "email": outcome.email})
    if outcome.represents or outcome.role in ACTS_FOR_OTHERS:
        check_offered(outcome.represents, ask, "represents")
    if outcome.role in ACTS_FOR_OTHERS and not (outcome.phone.strip() or outcome.email.strip()):
        raise Invalid("A phone number or an e-mail address is needed to reach them.", field="phone")


def _check_lengths(given: dict[str, str]) -> None:
    for name, value in given.items():
        if len(value) > LONGEST[name]:
            raise Invalid(f"At most {LONGEST[name]} characters.", field=name)


LINK_CASE = ActionKind(
    id="link_case",
    label=Label("Link to another case", "关联案件"),
    help=Label("Both files then show each other.", "关联后，两个案件的档案互相可见。"),
    permission="case:link",
    outcome=LinkCase,
    on="desk",
    check=check_link,
    when_closed=True,
)
TAG_CATASTROPHE = ActionKind(
    id="tag_catastrophe",
    label=Label("Count with a catastrophe", "标记巨灾"),
    help=Label("The claim is listed with the others of that event.", "本案将与该事件的其他案件一并列示。"),
    permission="case:tag",
    outcome=TagCatastrophe,
    on="desk",
    check=check_tag,
    when_closed=True,
)
UNTAG_CATASTROPHE = ActionKind(
    id="untag_catastrophe",
    label=Label("No longer count with a catastrophe", "取消巨灾标记"),
    help=Label("The claim has nothing to do with that event.", "本案与该事件无关。"),
    permission="case:tag",
    outcome=TagCatastrophe,
    on="desk",
    check=check_tag,
    when_closed=True,
)
CORRECT_PARTY = ActionKind(
    id="correct_party",
    label=Label("Correct a person's details", "更正人员信息"),
    help=Label("Old and new details stay on record.", "更正前后的信息均留痕。"),
    permission="case:correct",
    outcome=CorrectParty,
    on="desk",
    check=check_correction,
    when_closed=True,
)
ADD_PARTY = ActionKind(
    id="add_party",
    label=Label("Add a person", "添加人员"),
    help=Label("A representative, lawyer, heir, witness or other.", "代表人、律师、继承人、证人或其他人员。"),
    permission="case:correct",
    outcome=AddParty,
    on="desk",
    check=check_addition,
    when_closed=True,
)
CASE_ACTIONS = (LINK_CASE, TAG_CATASTROPHE, UNTAG_CATASTROPHE, CORRECT_PARTY, ADD_PARTY)
