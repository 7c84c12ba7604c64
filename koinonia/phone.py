"""Normalisation of phone numbers to E.164, for the API, the import and the admin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import phonenumbers
from django.utils.translation import gettext as _

from delivery.content.visible_text import clean

_MAX_INPUT_LENGTH = 40
_MAX_CELL_LENGTH = 400
_MAX_NUMBERS = 5
_WRAPPED = re.compile(r"""^=?\s*["“”']?\s*(.*?)\s*["“”']?$""", re.DOTALL)
"""``="3125550101"`` and ``'3125550101``: spreadsheet notations for a number as text."""
_SCHEME = re.compile(r"^(?:tel|sms|callto)\s*:\s*", re.IGNORECASE)
_EXPONENT = re.compile(r"^[+-]?(\d+)(?:[.,](\d+))?\s*[eE]\s*([+-]?\s*\d{1,4})$")
_DECIMAL_ZERO = re.compile(r"^(\+?\d{7,15})[.,]0+$")
_SEPARATORS = str.maketrans("·•∙‧_~", "------")
"""Separators of digit groups that phonenumbers does not know."""
_NO_NUMBER = frozenset({"none", "na", "n/a", "#n/a", "nil", "null", "unknown", "nan"})
_BETWEEN_NUMBERS = re.compile(r"[,;/|\n]|:::|\s(?:or|and|o|y|und|oder|et|ou)\s|[&]", re.IGNORECASE)
_BLANKS = re.compile(r"[^\S\n]")
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_WORD_IN_CELL = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_EXTENSION = re.compile(
    r"(?:\bext(?:ension|n)?\b|;ext=|(?<![^\W\d])x|#)\.?\s*\d{1,7}\s*$", re.IGNORECASE
)
_MOBILES = frozenset(
    {"cell", "cellular", "cellphone", "mobile", "mob", "mbl", "iphone", "c", "m", "text", "texts",
     "sms", "movil", "móvil", "celular", "cel", "cp", "handy", "portable", "휴대폰", "핸드폰",
     "휴대전화", "手机", "手機", "携帯"}
)  # fmt: skip
_HOMES = frozenset(
    {"home", "hm", "house", "h", "work", "wk", "w", "office", "o", "casa", "trabajo", "oficina",
     "집", "집전화", "자택", "회사", "宅"}
)  # fmt: skip
_KINDS = (
    _MOBILES
    | _HOMES
    | {"phone", "ph", "telephone", "telefon", "telefono", "teléfono", "tel", "main", "primary",
       "preferred", "number", "nr", "num", "p", "t", "personal", "private", "default", "best",
       "전화", "电话", "電話"}
)  # fmt: skip
"""Words beside a number that only name its kind."""
_NUMBER_WORD = re.compile(
    r"\b(phone|telephone|tel|cell|cellular|mobile|home|work|office)[\s.]+no\b(?=[\s.:#]*[+(]?\d)",
    re.IGNORECASE,
)
"""``Cell no. 312 …``. Any other "no" can be an opt-out."""
_NOT_TEXTED = frozenset({"fax", "telefax", "pager", "beeper", "landline"})
_E164 = re.compile(r"\+[0-9]{7,15}")
_MEXICO = 52
_OLD_MEXICAN = re.compile(r"^(?:(?:044|045|01)(\d{10})|1(\d{10}))$")
"""Mobile prefixes until 2019: 044 and 045, and from abroad a 1 after the country code."""


class UnusableNumberError(ValueError):
    """The number cannot receive texts. The message is a sentence for users."""


def normalise(raw: str, country: str) -> str:
    """Return the number in ``raw`` as E.164; ``country`` (ISO 3166) applies without a country code.

    Raise UnusableNumberError unless there is exactly one number.
    """
    if len(raw) > _MAX_INPUT_LENGTH:
        raise UnusableNumberError(_sentence(raw))
    numbers = numbers_in(raw, country)
    if len(numbers) > 1:
        raise UnusableNumberError(_sentence(raw, _("There are two numbers here; give one")))
    return numbers[0]


def numbers_in(cell: str, country: str) -> list[str]:
    """Return the numbers in ``cell`` as E.164, in order and without duplicates, at most 5.

    Ignore words for a kind ("cell", "home"). Raise UnusableNumberError without a usable number, and
    for other words beside a number: they can mean another owner or an opt-out.
    """
    if len(cell) > _MAX_CELL_LENGTH:
        raise UnusableNumberError(_sentence(cell, _("This is too long")))
    text = _unwrapped(cell)
    if not has_digits(text):
        raise UnusableNumberError(_sentence(cell))
    if (match := _EXPONENT.match(text)) and not (text := _all_digits(match)):
        reason = _("A spreadsheet has cut off digits; format the column as text and save it again")
        raise UnusableNumberError(_sentence(cell, reason))
    if number := _one(text, country, cell):
        return [number]
    numbers: list[str] = []
    for part in sorted(_parts(text), key=_preference):
        if not any(letter.isdigit() for letter in part):
            _check_words(part, cell)
        elif number := _one(part, country, cell):
            numbers.append(number)
        elif sum(letter.isdigit() for letter in part) >= _MIN_DIGITS:
            raise UnusableNumberError(_not_a_number(cell))
    if not numbers:
        raise UnusableNumberError(_not_a_number(cell))
    return list(dict.fromkeys(numbers))[:_MAX_NUMBERS]


def _all_digits(match: re.Match[str]) -> str:
    """Return the digits of a number with an exponent, "" if the program has cut some off.

    Java and Python write 3.125550123E9, with all ten digits; Excel writes 3.13E+09.
    """
    whole, fraction, exponent = match[1], match[2] or "", int(match[3].replace(" ", ""))
    return whole + fraction if exponent == len(fraction) else ""


def _preference(part: str) -> int:
    """Return a sort key: mobile numbers first, home and work numbers last."""
    words = {word.casefold() for word in _WORD.findall(part)}
    return 0 if words & _MOBILES else 2 if words & _HOMES else 1


_MIN_DIGITS = 7
_MAX_DIGITS = 15
"""Limits of a number in E.164; national forms are shorter."""


def _not_a_number(cell: str) -> str:
    several = sum(letter.isdigit() for letter in cell) > _MAX_DIGITS
    return _sentence(cell, _("Separate two numbers with a comma") if several else "")


def is_number(name: str) -> bool:
    """Return True for E.164: a member who joined by a keyword has the number as last name."""
    return bool(_E164.fullmatch(name))


@lru_cache(maxsize=4096)
def as_written(number: str, country: str) -> str:
    """Return an E.164 number as people of ``country`` write it."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    formats = phonenumbers.PhoneNumberFormat
    is_here = phonenumbers.country_code_for_region(country) == parsed.country_code
    return phonenumbers.format_number(
        parsed, formats.NATIONAL if is_here else formats.INTERNATIONAL
    )


def is_missing(cell: str) -> bool:
    """Return True for a placeholder instead of a number: blanks, dashes, zeros, "N/A"."""
    if len(cell) > _MAX_CELL_LENGTH:
        return False
    text = _unwrapped(cell)
    return text.casefold() in _NO_NUMBER or not any(
        letter.isalnum() and letter != "0" for letter in text
    )


def has_digits(cell: str) -> bool:
    """Return False for a cell of words: "see above", "no cell"."""
    return any(letter.isdigit() for letter in cell)


def words_beside(cell: str) -> tuple[str, str]:
    """Return all words in ``cell``, and the cell without words."""
    text = _unwrapped(cell[:_MAX_CELL_LENGTH])
    words = " ".join(word[0] for word in _WORD_IN_CELL.finditer(text))
    return words, _WORD_IN_CELL.sub(" ", text)


def _unwrapped(cell: str) -> str:
    # phonenumbers knows only some of the blanks of Unicode.
    text = _BLANKS.sub(" ", clean(cell)).strip()
    for _layer in range(2):
        match = _WRAPPED.match(text)
        text = match[1] if match else text
    return _DECIMAL_ZERO.sub(r"\1", _SCHEME.sub("", text)).translate(_SEPARATORS)


def _parts(text: str) -> Iterator[str]:
    split = [part for part in _BETWEEN_NUMBERS.split(text) if part.strip()]
    if len(split) == 1 and (labelled := _labelled(split[0])):
        split = labelled
    yield from split


def _labelled(text: str) -> list[str]:
    """Split labelled numbers such as ``H: 312-555-0101 C: 312-555-0102``.

    Return an empty list unless exactly one end of the text has a label.
    """
    labels = [word for word in _WORD.finditer(text) if word[0].casefold() in _KINDS]
    digits = [at for at, letter in enumerate(text) if letter.isdigit()]
    if len(labels) < len("HC") or not digits:
        return []
    leads, trails = labels[0].start() < digits[0], labels[-1].end() > digits[-1]
    if leads == trails:
        return []
    cuts = [label.start() if leads else label.end() for label in labels]
    edges = [0, *(cuts[1:] if leads else cuts[:-1]), len(text)]
    return [text[begin:end] for begin, end in pairwise(edges)]


def _one(text: str, country: str, cell: str) -> str | None:
    """Return the number if all of ``text`` is one number, else None."""
    if _EXTENSION.search(text):
        stem = _EXTENSION.sub("", text)
        if _parsed(stem, country):
            reason = _("A text cannot reach an extension")
            raise UnusableNumberError(_sentence(cell, reason))
    digits_alone = _WORD.sub(" ", _SCHEME.sub("", text))
    digits_alone = re.sub(r"[:()\[\]\s*#._-]*$", "", digits_alone)
    digits_alone = re.sub(r"^[:)\[\]\s*#._-]*", "", digits_alone).replace("( )", " ")
    number = _parsed(digits_alone, country)
    if number:
        _check_words(text, cell)
    return number


def _check_words(text: str, cell: str) -> None:
    text = _NUMBER_WORD.sub(r"\1", text)
    words = [word.casefold() for word in _WORD.findall(text)]
    if unsuitable := [word for word in words if word in _NOT_TEXTED]:
        reason = _("A %(device)s takes no texts") % {"device": unsuitable[0]}
        raise UnusableNumberError(_sentence(cell, reason))
    if strange := [word for word in words if word not in _KINDS]:
        named = " ".join(strange)[:_MAX_INPUT_LENGTH]
        reason = _("Words stand beside the number (%(words)s); write the number alone")
        reason %= {"words": named}
        raise UnusableNumberError(_sentence(cell, reason))


def _parsed(text: str, country: str) -> str | None:
    found = _valid(text, country)
    # Many countries dial 00 before a country code.
    return found or (_valid(f"+{text.strip()[2:]}", country) if _ZEROS.match(text) else None)


_ZEROS = re.compile(r"\s*00\s*[1-9]")


def _valid(text: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if number.country_code == _MEXICO and not phonenumbers.is_valid_number(number):
        number = _modern_mexican(number)
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _modern_mexican(number: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    national = phonenumbers.national_significant_number(number)
    match = _OLD_MEXICAN.match(national.removeprefix(str(_MEXICO)))
    if not match:
        return number
    return phonenumbers.PhoneNumber(country_code=_MEXICO, national_number=int(match[1] or match[2]))


def _sentence(raw: str, reason: str = "") -> str:
    shown = clean(raw[:_MAX_INPUT_LENGTH])
    shown = "".join(letter if letter.isprintable() else " " for letter in shown)
    sentence = _("%(number)r is not a phone number that can be texted.") % {"number": shown}
    return f"{reason}: {sentence}" if reason else sentence
