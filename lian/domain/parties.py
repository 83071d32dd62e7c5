"""People in a case, by their exact role."""

from __future__ import annotations

from enum import StrEnum

from lian.domain.labels import Label


class PartyRole(StrEnum):
    """How a person stands in a case or policy."""

    POLICYHOLDER = "policyholder"
    INSURED = "insured"
    CLAIMANT = "claimant"
    BENEFICIARY = "beneficiary"
    REPORTER = "reporter"
    COMPLAINANT = "complainant"
    INTERMEDIARY = "intermediary"
    REPRESENTATIVE = "representative"
    LAWYER = "lawyer"
    HEIR = "heir"
    WITNESS = "witness"
    THIRD_PARTY = "third_party"


class Channel(StrEnum):
    """How a report reached us (CLM-1)."""

    PHONE = "phone"
    WEB = "web"
    IN_PERSON = "in_person"
    AGENT = "agent"
    API = "api"
    IMPORT = "import"


ROLE_LABELS: dict[PartyRole, Label] = {
    PartyRole.POLICYHOLDER: Label("Policyholder", "投保人"),
    PartyRole.INSURED: Label("Insured", "被保险人"),
    PartyRole.CLAIMANT: Label("Claimant", "索赔人"),
    PartyRole.BENEFICIARY: Label("Beneficiary", "受益人"),
    PartyRole.REPORTER: Label("Reporter", "报案人"),
    PartyRole.COMPLAINANT: Label("Complainant", "投诉人"),
    PartyRole.INTERMEDIARY: Label("Intermediary", "代理人"),
    PartyRole.REPRESENTATIVE: Label("Representative", "代表人"),
    PartyRole.LAWYER: Label("Lawyer", "律师"),
    PartyRole.HEIR: Label("Heir", "继承人"),
    PartyRole.WITNESS: Label("Witness", "证人"),
    PartyRole.THIRD_PARTY: Label("Third party", "第三方"),
}
CHANNEL_LABELS: dict[Channel, Label] = {
    Channel.PHONE: Label("Phone", "电话"),
    Channel.WEB: Label("Web", "网络"),
    Channel.IN_PERSON: Label("In person", "柜面"),
    Channel.AGENT: Label("Agent", "代理人"),
    Channel.API: Label("API", "接口"),
    Channel.IMPORT: Label("Import", "导入"),
}
