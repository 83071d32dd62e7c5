"""Every case's words, kept in the transaction that changes what it is called, and made anew with its rows (ui.md 3).

How Chinese names sound comes from pypinyin's table of characters, one reading for each; which surnames and given names
are read in more than one way is our own list.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice, product
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.db.crypto import KeyRing
from lian.db.journal import Damage, case_ids
from lian.db.tables import Case, CaseWords, Party
from lian.domain import journal as j
from lian.domain.parties import PartyRole
from lian.domain.search_words import (
    EMAIL,
    OF_REPORTER,
    PHONE,
    endings_of_phone,
    mail,
    words_of_name,
    words_of_number,
    words_of_policy,
)

# Its table of phrases is of no use for names, and takes 40 MB of every process.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")
from pypinyin import Style, pinyin

CALLED: tuple[type[j.Event], ...] = (
    j.CaseDrafted,
    j.DraftSaved,
    j.ClaimReported,
    j.CaseReported,
    j.PartyAdded,
    j.CaseCorrected,
    j.CorrectionApplied,
)
"""What happens to a case that may change the words it is found by."""
MARK = 16
"""So much of a keyed hash tells endings of phone numbers apart."""
MOST_READINGS = 8

COMPOUND_SURNAMES = {
    "万俟": ("mo qi",),
    "单于": ("chan yu",),
    "尉迟": ("yu chi",),
    "澹台": ("tan tai",),
    "长孙": ("zhang sun",),
    "乐正": ("yue zheng",),
    "令狐": ("ling hu",),
}
SURNAMES = {
    "仇": ("qiu", "chou"),
    "任": ("ren",),
    "佴": ("nai",),
    "冼": ("xian",),
    "区": ("ou", "qu"),
    "单": ("shan", "dan"),
    "卜": ("bu",),
    "召": ("shao", "zhao"),
    "吕": ("lü",),
    "员": ("yun", "yuan"),
    "哈": ("ha",),
    "宓": ("mi", "fu"),
    "宿": ("su",),
    "尉": ("wei", "yu"),
    "幺": ("yao",),
    "应": ("ying",),
    "折": ("she", "zhe"),
    "撒": ("sa",),
    "晟": ("cheng", "sheng"),
    "曲": ("qu",),
    "曾": ("zeng", "ceng"),
    "朴": ("piao", "pu"),
    "查": ("zha", "cha"),
    "柏": ("bai", "bo"),
    "洗": ("xian", "xi"),
    "盖": ("ge", "gai"),
    "盛": ("sheng",),
    "眭": ("sui",),
    "祭": ("zhai", "ji"),
    "种": ("chong", "zhong"),
    "繁": ("po", "fan"),
    "缪": ("miao", "mou"),
    "翟": ("zhai", "di"),
    "能": ("nai", "neng"),
    "莘": ("shen", "xin"),
    "葛": ("ge",),
    "薄": ("bo", "bao"),
    "覃": ("qin", "tan"),
    "解": ("xie", "jie"),
    "谌": ("chen", "shen"),
    "贲": ("ben",),
    "车": ("che",),
    "逄": ("pang",),
    "郇": ("huan", "xun"),
    "郗": ("xi", "chi"),
    "那": ("na",),
    "都": ("du", "dou"),
    "阚": ("kan",),
    "隗": ("kui", "wei"),
    "黑": ("he", "hei"),
    "乐": ("yue", "le"),
    "华": ("hua",),
    "牟": ("mou", "mu"),
    "强": ("qiang", "jiang"),
    "燕": ("yan",),
    "石": ("shi",),
    "纪": ("ji",),
    "适": ("kuo", "shi"),
    "行": ("xing",),
}
"""How a character is read at the beginning of a name: as a surname, and as people take it who do not know that."""
GIVEN_NAMES = {
    "乐": ("le", "yue"),
    "伽": ("jia", "qie"),
    "单": ("dan", "shan"),
    "卜": ("bu",),
    "嬛": ("huan", "xuan"),
    "娜": ("na", "nuo"),
    "尉": ("wei", "yu"),
    "强": ("qiang",),
    "曾": ("zeng",),
    "朝": ("chao", "zhao"),
    "柏": ("bai", "bo"),
    "栎": ("li", "yue"),
    "炅": ("jiong", "gui"),
    "琢": ("zhuo",),
    "盛": ("sheng", "cheng"),
    "晟": ("sheng", "cheng"),
    "茜": ("qian", "xi"),
    "莎": ("sha", "suo"),
    "莘": ("xin", "shen"),
    "菀": ("wan", "yu"),
    "蔚": ("wei", "yu"),
    "行": ("xing", "hang"),
    "藏": ("cang", "zang"),
    "重": ("zhong", "chong"),
    "长": ("chang", "zhang"),
    "阿": ("a",),
    "隽": ("jun", "juan"),
    "颉": ("jie", "xie"),
}
"""Characters of given names that are read in more than one way, or not as the table has them first."""


# --- how names sound --------------------------------------------------------------------------------------------------


def readings(name: str) -> tuple[tuple[str, ...], ...]:
    """The ways to read a Chinese name aloud, without tones, at most eight; a syllable for each character."""
    surname = next((name[:2] for known in COMPOUND_SURNAMES if name.startswith(known)), "")
    first = [tuple(spoken.split()) for spoken in COMPOUND_SURNAMES.get(surname, ())]
    if not first:
        first = [(spoken,) for spoken in _spoken(name[0], SURNAMES)]
    rest = product(*(_spoken(character, GIVEN_NAMES) for character in name[len(first[0]) :]))
    both = (tuple(filter(None, (*beginning, *given))) for given in rest for beginning in first)
    return tuple(islice(dict.fromkeys(filter(None, both)), MOST_READINGS))


def _spoken(character: str, known: dict[str, tuple[str, ...]]) -> list[str]:
    """The syllables of one character; an empty one where nobody knows how it is read."""
    syllables = known.get(character) or _by_table(character)
    return [written for syllable in syllables for written in _written(syllable)]


@lru_cache(maxsize=10_000)
def _by_table(character: str) -> tuple[str]:
    """Its commonest reading. Characters are kept, names are not: they go when their person's key goes."""
    found = pinyin(character, style=Style.NORMAL, v_to_u=True, errors="ignore")
    return (found[0][0] if found else "",)


def _written(syllable: str) -> tuple[str, ...]:
    """A ü is written as v or u, on passports as yu."""
    return tuple(syllable.replace("ü", written) for written in ("v", "u", "yu")) if "ü" in syllable else (syllable,)


# --- the words of a case ----------------------------------------------------------------------------------------------


def words_of_case(ring: KeyRing, case: Case, parties: Iterable[Party]) -> list[str]:
    """What a case is found by, in order: its number, its policy, and everybody who takes part in it."""
    words = words_of_number(case.number) | words_of_policy(case.policy_number)
    for party in parties:
        words |= _words_of_party(ring, party)
    return sorted(words)


def _words_of_party(ring: KeyRing, party: Party) -> set[str]:
    names = words_of_name(party.name, readings)
    if party.role == PartyRole.REPORTER:
        names |= {f"{OF_REPORTER}{word}" for word in names}
    phones = {phone_word(ring, ending) for ending in endings_of_phone(party.phone)}
    return names | phones | ({email_word(ring, party.email)} if party.email else set())


def phone_word(ring: KeyRing, ending: str) -> str:
    """The mark of a phone number's last digits: without the key it cannot be told which they are (SEC-2)."""
    return f"{PHONE}:{ring.fingerprint(f'phone:{ending}')[:MARK]}"


def email_word(ring: KeyRing, address: str) -> str:
    """The mark of a whole e-mail address."""
    return f"{EMAIL}:{ring.fingerprint(f'email:{mail(address)}')[:MARK]}"


# --- keeping them -----------------------------------------------------------------------------------------------------


async def note_words(session: AsyncSession, ring: KeyRing, case_id: UUID, events: Iterable[j.Event]) -> None:
    """Write a case's words anew if these events may have changed them; the caller has its chain locked."""
    if any(isinstance(event, CALLED) for event in events):
        await rewrite_words(session, ring, case_id)


async def rewrite_words(session: AsyncSession, ring: KeyRing, case_id: UUID) -> None:
    """Write a case's words as its rows say."""
    case = await session.get_one(Case, case_id)
    words = words_of_case(ring, case, await _parties(session, case_id))
    fresh = insert(CaseWords).values(case_id=case_id, words=words)
    await session.execute(
        fresh.on_conflict_do_update(
            index_elements=["case_id"],
            set_={"words": fresh.excluded.words},
            where=col(CaseWords.words) != fresh.excluded.words,
        )
    )


async def wrong_words(session: AsyncSession, ring: KeyRing) -> list[Damage]:
    """Cases whose words are not those that their rows say; `lian journal rebuild` mends them.

    So it is, for phone numbers and addresses, after another key became the first of the ring.
    """
    found: list[Damage] = []
    async for case_id in case_ids(session):
        if case := await session.get(Case, case_id):  # a comparison of rows names those that are gone
            found += await _difference(session, ring, case)
        session.expunge_all()
    return found


async def _difference(session: AsyncSession, ring: KeyRing, case: Case) -> list[Damage]:
    kept = await session.get(CaseWords, case.id, populate_existing=True)
    if kept and kept.words == words_of_case(ring, case, await _parties(session, case.id)):
        return []
    return [Damage(case.id, 0, f"case_words: {'differ' if kept else 'not stored'}")]


async def _parties(session: AsyncSession, case_id: UUID) -> Sequence[Party]:
    return (await session.execute(select(Party).where(Party.case_id == case_id))).scalars().all()
