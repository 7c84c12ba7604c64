"""Column names, answers and remarks in the languages of churches beside English."""

from __future__ import annotations

import pytest

from tests.koinonia.member_import.reading import people_in, remarks_in, rows_of

ANN = ("Ann", "Lee", "+13125550101")


@pytest.mark.parametrize(
    "header",
    ["Nombre,Apellidos,Número de celular", "Nombre,Apellido paterno,Cel.", "Nome,Sobrenome,Celular",
     "Prénom,Nom,Téléphone portable", "Vorname,Nachname,Mobil", "Vorname,Name,Mobil",
     "Prenon,Siyati,Nimewo telefòn", "Имя,Фамилия,Мобильный", "Ім'я,Прізвище,Телефон",
     "이름,성,휴대폰번호", "名字,姓氏,手机号码", "Tên,Họ,Số điện thoại", "Pangalan,Apelyido,CP No.",
     "First Name (legal),Surname,Best Contact Phone", "First Name *,Last Name *,Phone (no dashes)",
     "First,Last,Cell/Mobile", "First,Last,Cell Phone 1", "First Name,Name,Mobile Ph"],
)  # fmt: skip
def test_column_names_are_known(header: str) -> None:
    assert people_in(f"{header}\nAnn,Lee,3125550101\n") == [ANN]


@pytest.mark.parametrize(
    "header", ["No Cell", "Parent Cell", "Spouse Mobile", "Number", "Cell Group", "Mobile Status"]
)
def test_a_column_with_other_words_beside_phone_is_no_number(header: str) -> None:
    text = f"First,Last,{header},Home Phone\nAnn,Lee,7085550102,3125550101\n"
    assert people_in(text) in ([ANN], [])


def test_both_family_names_of_spanish_are_kept() -> None:
    text = "Nombre,Apellido paterno,Apellido materno,Celular\nAna,Ruiz,Vega,3125550101\n"
    assert people_in(text) == [("Ana", "Ruiz Vega", "+13125550101")]


def test_the_last_name_comes_from_the_whole_name_if_it_has_no_column() -> None:
    assert people_in("First Name,Full Name,Phone\nAnn,Ann Lee,3125550101\n") == [ANN]
    assert people_in("First Name,Display Name,Phone\nAnn,Annie,3125550101\n")[0][1] == ""


@pytest.mark.parametrize(
    ("header", "yes", "no"),
    [
        ("Acepta mensajes de texto", "Sí", "No"), ("Recibe mensajes", "Sí", "No"),
        ("Permiso para SMS", "S", "N"), ("Aceita SMS", "Sim", "Não"),
        ("Consentement SMS", "Oui", "Non"), ("SMS erlaubt", "Ja", "Nein"),
        ("문자 수신 동의", "예", "아니오"), ("문자수신", "O", "X"), ("同意接收短信", "是", "否"),
        ("Согласие на СМС", "да", "нет"), ("Text Messaging", "Enabled", "Declined"),
        ("SMS Status", "Opt In", "Revoked"), ("Text Messaging", "☑", "☐"),
    ],
)  # fmt: skip
def test_a_no_in_another_language_opts_out(header: str, yes: str, no: str) -> None:
    text = f"First,Phone,{header}\nAnn,3125550101,{yes}\nBen,3125550102,{no}\n"
    ann, ben = rows_of(text)
    assert (ann.opted_out, ben.opted_out) == (False, True)
    assert ann.person
    assert ben.person


@pytest.mark.parametrize(
    "header",
    ["No enviar SMS", "Dado de baja", "Desuscrito", "Não enviar SMS", "SMS 수신거부", "Keine SMS"],
)
def test_a_yes_in_another_language_opts_out(header: str) -> None:
    ann, ben = rows_of(f"First,Phone,{header}\nAnn,3125550101,yes\nBen,3125550102,no\n")
    assert (ann.opted_out, ben.opted_out) == (True, False)


@pytest.mark.parametrize(
    "note",
    ["prefers calls, no text", "Opted out 5/2025", "OPTED OUT (3/2/2025)", "STOP", "Text: No", "DNT",
     "asked to be removed from texts", "Moved in May. No texts. Prefers e-mail", "no mensajes",
     "no quiere mensajes", "문자 수신거부", "landline, can't text", "Do not text - moved", "SMS = no"],
)  # fmt: skip
def test_a_refusal_in_a_remark_opts_out(note: str) -> None:
    (row,) = rows_of(f'First,Phone,Notes\nAnn,3125550101,"{note}"\n')
    assert (row.opted_out, bool(row.person)) == (True, True)
    assert row.remarks[0].startswith("Notes: ")


def test_a_refusal_in_a_line_of_a_long_remark_opts_out() -> None:
    note = "Born in Ohio,\nsings alto\n\nDo not text"
    (row,) = rows_of(f'First,Phone,Notes\nAnn,3125550101,"{note}"\n')
    assert row.opted_out


@pytest.mark.parametrize("tag", ["Opted Out", "unsubscribed", "Text opt out"])
def test_a_tag_that_says_opted_out_opts_out(tag: str) -> None:
    assert rows_of(f"First,Phone,Tags\nAnn,3125550101,Choir; {tag}\n")[0].opted_out


@pytest.mark.parametrize(
    "note",
    ["Do not text before 9am", "texts ok, do not call", "Do not call; text instead", "no text yet",
     "Opted in by text 3/1", "Stop by on Tuesday", "bus stop, 5th St", "No contact since 2020",
     "opted out of photos", "Text: yes", "Email: no", "Do not contact at work", "Cannot contact",
     "no messages left", "Left message, no answer", "opt-out form received", "quiere mensajes"],
)  # fmt: skip
def test_another_remark_opts_nobody_out(note: str) -> None:
    (row,) = rows_of(f'First,Phone,Notes\nAnn,3125550101,"{note}"\n')
    assert (row.opted_out, bool(row.person)) == (False, True)


@pytest.mark.parametrize(
    ("header", "cell"),
    [("Membership", "Deceased"), ("Member Type", "deceased"), ("Died", "1/2/2020"), ("DOD", "3/4/2021"),
     ("Fallecido", "Sí"), ("Fecha de defunción", "2020-01-02"), ("Estado", "Fallecida"),
     ("Falecido", "Sim"), ("Notes", "Deceased 3/1/2025"), ("Tags", "Deceased"), ("Removal Reason", "Death")],
)  # fmt: skip
def test_a_person_who_died_is_not_imported(header: str, cell: str) -> None:
    text = f"First,Phone,{header}\nAnn,3125550101,{cell}\n"
    assert people_in(text) == []
    assert "has died" in remarks_in(text)[0][1]


@pytest.mark.parametrize(
    ("header", "cell"),
    [("Father", "Deceased"), ("Spouse Status", "Deceased"), ("Notes", "Husband died 2020"),
     ("Death benefit", "yes"), ("Died", "No"), ("Notes", "Deceased wife Ann")],
)  # fmt: skip
def test_the_death_of_another_person_leaves_nobody_out(header: str, cell: str) -> None:
    assert len(people_in(f"First,Phone,{header}\nAnn,3125550101,{cell}\n")) == 1


def test_a_date_of_death_in_a_vcard_leaves_the_person_out() -> None:
    card = "BEGIN:VCARD\nVERSION:4.0\nFN:Ann Lee\nN:Lee;Ann;;;\nTEL:3125550101\nDEATHDATE:1996\nEND:VCARD\n"
    (row,) = rows_of(card)
    assert (row.person, row.departed) == (None, True)
