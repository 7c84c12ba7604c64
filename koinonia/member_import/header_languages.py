"""Column names in the languages of churches beside English, by meaning.

`koinonia.member_import.header_names` adds them to its English names. Spanish comes first, then
Portuguese, French, German, Dutch, Polish, Haitian Creole, Russian, Ukrainian, Korean, Chinese,
Japanese, Vietnamese, Tagalog and Arabic.
"""

from __future__ import annotations

from koinonia.names import search_key


def _keys(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(search_key(name) for name in names))


MOBILE = _keys(
    "teléfono móvil", "móvil", "número móvil", "número de móvil", "celular", "teléfono celular",
    "número de celular", "número celular", "no de celular", "núm de celular", "cel",
    "telefone celular", "telemóvel", "celular whatsapp",
    "téléphone mobile", "téléphone portable", "portable", "numéro de portable", "numéro mobile",
    "mobiltelefon", "mobil", "mobilnummer", "handynummer", "handy",
    "cellulare", "mobiele telefoon", "mobiel", "telefon komórkowy", "komórka", "nimewo selilè",
    "мобильный", "мобильный телефон", "мобильный номер", "мобільний", "мобільний телефон",
    "휴대폰", "휴대폰번호", "휴대폰 번호", "휴대전화", "휴대전화번호", "휴대전화 번호", "핸드폰",
    "핸드폰번호", "핸드폰 번호",
    "手机", "手机号", "手机号码", "手機", "手機號碼", "行动电话", "行動電話", "携帯", "携帯電話", "携帯番号",
    "di động", "số di động", "điện thoại di động", "cp no", "cp number", "cp", "الجوال", "رقم الجوال",
)  # fmt: skip
PHONE = _keys(
    "teléfono", "número de teléfono", "núm de teléfono", "no de teléfono", "número telefónico",
    "telefone", "número de telefone", "fone", "numéro de téléphone", "telefon", "telefonnummer",
    "telefoon", "telefoonnummer", "numer telefonu", "telefòn", "nimewo telefòn",
    "телефон", "номер телефона", "номер телефону", "전화", "전화번호", "전화 번호", "연락처",
    "电话", "电话号码", "電話", "電話號碼", "電話番号", "联系电话", "聯絡電話",
    "điện thoại", "số điện thoại", "sđt", "numero ng telepono", "telepono", "الهاتف", "رقم الهاتف",
)  # fmt: skip
HOME_PHONE = _keys(
    "teléfono de casa", "teléfono de la casa", "teléfono casa", "teléfono fijo",
    "telefone residencial", "telefone fixo", "téléphone fixe", "téléphone domicile", "festnetz",
    "집전화", "집 전화", "자택전화", "家庭电话", "住宅電話", "домашний телефон",
)  # fmt: skip
FIRST_NAME = _keys(
    "nombre", "nombres", "primer nombre", "nombre de pila", "nome", "primeiro nome", "prénom",
    "vorname", "voornaam", "fornavn", "imię", "prenon", "имя", "ім'я", "이름", "名", "名字",
    "tên", "pangalan", "unang pangalan", "الاسم الأول",
    # Whole names in languages that write the family name first: the program cannot split them.
    "성명", "성함", "姓名", "氏名", "お名前", "họ và tên", "họ tên", "фио", "піб",
)  # fmt: skip
LAST_NAME = _keys(
    "apellidos", "apellido", "apellido paterno", "primer apellido", "sobrenome", "nom",
    "nom de famille", "nachname", "familienname", "cognome", "achternaam", "etternavn",
    "nazwisko", "siyati", "фамилия", "прізвище", "성", "성씨", "姓", "姓氏", "họ", "apelyido",
    "اسم العائلة",
)  # fmt: skip
SECOND_LAST_NAME = _keys("apellido materno", "segundo apellido")
"""The second of the two family names in Spanish; it follows the first one."""
FULL_NAME = _keys(
    "nombre completo", "nombre y apellido", "nombre y apellidos", "nombres y apellidos",
    "apellidos y nombre", "apellidos y nombres", "apellido y nombre", "nome completo",
    "nome e sobrenome", "nom complet", "nom et prénom", "prénom et nom", "volledige naam",
    "imię i nazwisko", "non konplè", "الاسم", "الاسم الكامل",
)  # fmt: skip
GROUPS = _keys(
    "grupo", "grupos", "etiqueta", "etiquetas", "groupe", "groupes", "gruppe", "gruppen",
    "группа", "группы", "група", "групи", "그룹", "소그룹", "小组", "小組", "群组", "nhóm", "gwoup",
)  # fmt: skip
