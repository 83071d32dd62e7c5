"""How text becomes the words a case is found by: its number, names, policy, endings of phone numbers (ui.md 3).

A word is a mark of its class and what is looked for, such as `h:王芳`. What a case is called and what somebody types
are cut up by the same rules, so that finding is having all of the typed words: an index over lists of words is enough,
and nothing that was typed is ever a pattern.

    Chinese names   the first character, and every two that stand side by side; their sound as one reads it, from each
                    character on, and its initials (`wf` and `wangfang` find 王芳)
    other names     the beginnings of each word, without accents
    case numbers    whole, without the letters, the last digits, and the running number alone
    policies        whole, without blanks and strokes
    phones, mail    a mark of the last 4 to 11 digits, or of the whole address, made by whoever has the key

Words of the person who reported a case are kept once more, for those who may know no other name (SEC-1).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lian.domain.errors import Invalid

Readings = Callable[[str], Iterable[Sequence[str]]]
"""The ways to read some Chinese characters aloud: each a syllable per character."""

NUMBER, SERIAL, TAIL, POLICY, HAN, LETTERS, PHONE, EMAIL = "n", "s", "t", "o", "h", "l", "p", "m"
OF_REPORTER = "r"
"""Before the mark of a name's words: it is the reporter's."""

LONGEST_TEXT = 80
LONGEST_NAME = 200
LONGEST_BEGINNING = 20
"""Of a longer word its first letters count."""
MOST_INITIALS = 8
SPOKEN_FROM_EACH = 4
"""Longer Chinese names are no person's: they are looked for from their beginning."""
LEAST_TAIL = 3
PHONE_ENDINGS = range(4, 12)
APOSTROPHES = re.compile(r"['’ʼ`]")
HAN_RUN = re.compile(r"[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]+")
PHONE_TEXT = re.compile(r"[0-9 ()+./-]+")
DIGITS_AT_END = re.compile(r"[0-9]+$")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text may mean. Names are its words, each as the set of marks that somebody's name must have."""

    text: str
    """As it was typed, normalised."""
    number: str
    """As case numbers are written."""
    numbers: tuple[str, ...]
    """Words of case numbers, the likeliest first; none when it cannot be one."""
    policy: str
    names: tuple[frozenset[str], ...]
    phone: str
    """The last digits, at most eleven; empty when it is no phone number."""
    email: str


# --- what is typed ----------------------------------------------------------------------------------------------------


def read_text(text: str) -> Asked:
    """What somebody looks for. Raises `Invalid` for the field `q`: nothing, more than 80 characters, no text."""
    said = " ".join(unicodedata.normalize("NFKC", text).split())
    if not said or len(said) > LONGEST_TEXT or not said.isprintable():
        raise Invalid("Search needs between 1 and 80 characters.", field="q")
    bare, is_email = _bare(said), "@" in said
    has_digits = any(c in "0123456789" for c in bare)
    return Asked(
        text=said,
        number=said.upper(),
        numbers=tuple(_number_asked(bare)) if has_digits and not is_email else (),
        policy=f"{POLICY}:{bare}" if has_digits and not is_email else "",
        names=() if is_email else tuple(_names_asked(said)),
        phone=_phone_asked(said),
        email=mail(said) if is_email else "",
    )


def _number_asked(bare: str) -> Iterator[str]:
    yield f"{NUMBER}:{bare}"
    if bare.isdecimal():
        yield f"{SERIAL}:{bare.lstrip('0')}"
        yield f"{TAIL}:{bare}"


def _names_asked(said: str) -> Iterator[frozenset[str]]:
    for run in _runs(said, is_typed=True):
        if HAN_RUN.fullmatch(run):
            yield frozenset(f"{HAN}:{pair}" for pair in (_pairs(run) if len(run) > 1 else [run]))
        else:
            yield frozenset({f"{LETTERS}:{run[:LONGEST_BEGINNING]}"})


def _phone_asked(said: str) -> str:
    digits = _digits(said) if PHONE_TEXT.fullmatch(said) else ""
    return digits[-PHONE_ENDINGS[-1] :] if len(digits) >= PHONE_ENDINGS[0] else ""


# --- what cases are called --------------------------------------------------------------------------------------------


def words_of_number(number: str) -> set[str]:
    """The words of a case number such as CLM-2026-000123: all of it, CLM123, 123, its last digits."""
    bare, prefix = _bare(number), _bare(number.partition("-")[0])
    tail = found[0] if (found := DIGITS_AT_END.search(number)) else ""
    serial = tail.lstrip("0")
    words = {f"{NUMBER}:{bare}", f"{NUMBER}:{bare.removeprefix(prefix)}", f"{NUMBER}:{prefix}{serial}"}
    return words | {f"{SERIAL}:{serial}"} | {f"{TAIL}:{tail[-n:]}" for n in range(LEAST_TAIL, len(tail) + 1)}


def words_of_policy(number: str) -> set[str]:
    """The word of a policy number; none without one."""
    return {f"{POLICY}:{bare}"} if (bare := _bare(number)) else set()


def words_of_name(name: str, readings: Readings) -> set[str]:
    """The words somebody is found by; none for a name that is no longer known."""
    words: set[str] = set()
    for run in _runs(unicodedata.normalize("NFKC", name[:LONGEST_NAME])):
        if HAN_RUN.fullmatch(run):
            words |= {f"{HAN}:{piece}" for piece in (run[0], *_pairs(run))}
            words |= {f"{LETTERS}:{spoken}" for syllables in readings(run) for spoken in _spoken(syllables)}
        else:
            words |= {f"{LETTERS}:{beginning}" for beginning in _beginnings(run)}
    return words


def endings_of_phone(phone: str) -> list[str]:
    """The last 4 to 11 digits of a phone number, as many of these as it has."""
    digits = _digits(unicodedata.normalize("NFKC", phone))
    return [digits[-n:] for n in PHONE_ENDINGS if n <= len(digits)]


def mail(address: str) -> str:
    """An e-mail address in the one way in which it is compared."""
    return unicodedata.normalize("NFKC", address).strip().casefold()


def _spoken(syllables: Sequence[str]) -> Iterator[str]:
    """The beginnings of a name as it sounds, and of its initials."""
    yield from _beginnings("".join(syllable[0] for syllable in syllables[:MOST_INITIALS]))
    starts = range(len(syllables)) if len(syllables) <= SPOKEN_FROM_EACH else range(1)
    for start in starts:
        yield from _beginnings("".join(syllables[start:]))


def _beginnings(word: str) -> Iterator[str]:
    return (word[:n] for n in range(1, min(len(word), LONGEST_BEGINNING) + 1))


def _pairs(run: str) -> Iterator[str]:
    return (run[i : i + 2] for i in range(len(run) - 1))


# --- pieces of text ---------------------------------------------------------------------------------------------------


def _bare(text: str) -> str:
    """Letters and digits alone, small, without accents: however a number is written, it is the same one."""
    return "".join(c for c in plain(text) if c.isalnum())


def plain(text: str) -> str:
    """Small letters without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


def _digits(text: str) -> str:
    return "".join(c for c in text if c in "0123456789")


def _runs(text: str, *, is_typed: bool = False) -> list[str]:
    """The words of a name, Chinese ones apart from others.

    Chinese parts of one name belong together, whatever stands between them (王 芳, 阿卜杜拉·买买提). Where several
    names may have been typed, blanks part them, unless a single character shows that it is one name.
    """
    pieces = [_cut(piece) for piece in plain(APOSTROPHES.sub("", text)).split()]
    han = [run for piece in pieces for run in piece if HAN_RUN.fullmatch(run)]
    rest = [run for piece in pieces for run in piece if not HAN_RUN.fullmatch(run)]
    are_apart = is_typed and all(len(run) > 1 for run in han)
    by_piece = ["".join(run for run in piece if HAN_RUN.fullmatch(run)) for piece in pieces]
    joined = by_piece if are_apart else ["".join(han)]
    return [*filter(None, joined), *rest]


def _cut(piece: str) -> list[str]:
    """Runs of letters and digits, and of Chinese characters."""
    parted = HAN_RUN.sub(lambda run: f" {run[0]} ", "".join(c if c.isalnum() else " " for c in piece))
    return parted.split()
