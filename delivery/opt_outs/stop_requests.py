"""Recognise requests to stop the messages that are not a STOP word but a sentence.

A match may concern another subject, so it does not opt the sender out; it marks the message for the
staff. The sentences are short on purpose, in English and Spanish; a text that is only a word for "stop"
in another language is marked, too, for a tenant whose own words lack it.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Any

from delivery.models import Message

_LONGEST = 1600
_TEXTS = r"(?:texts?|messages?|texting|messaging|sms)"
_MENSAJES = r"(?:mensajes?|mensajitos|textos?|sms)"
_PATTERNS = (
    # Stop texting me.
    r"\b(?:stop|quit|cease) (?:texting|messaging|contacting|calling|bothering|spamming|writing)"
    r"(?= (?:me|us|this|my)\b| (?:please|now)\b|$)",
    r"\b(?:stop|quit|cease)(?: (?:sending|with|all|me|us|any|the|these|those|your|this|more|of|text)){1,5}"
    rf" {_TEXTS}\b(?! (?:and driv|while|when))",
    r"\b(?:stop|quit|cease) sending(?: (?:me|us|these|this|those|it|stuff|things))*(?: please)?$",
    r"^(?:please )?(?:just )?stop(?: (?:it|this|please|now|already|immediately|thanks|thank you|thx|bye))*$",
    r"\b(?:stop|quit|cease) sending (?:me|us)\b",
    rf"\b(?:cancel|end|discontinue) (?:my subscription|(?:all |the |these |those |your ){{1,2}}{_TEXTS}$)",
    r"\b(?:revoke|withdraw) (?:my |all )?consent\b",
    r"\b(?:dont|do not|never) (?:text|message|contact|write|write to|send) (?:to )?(?:me|us|this number)"
    r"(?: any ?more| again| anything| please| texts?| messages?|$)",
    # I don't want any texts.
    r"\b(?:dont|do not|no longer) (?:want|wish|need)(?: to)?(?: (?:get|getting|receive|be sent))?"
    rf"(?: (?:any|more|anymore|these|those|your|the|text)){{0,3}} {_TEXTS}\b",
    rf"\bno more (?:of )?(?:these |your |text )?{_TEXTS}\b",
    # Take me off the list.
    r"\b(?:take|remove|delete|drop|get|scratch) (?:me|us|my number|my name|this number)"
    r" (?:off|from|out of)(?: of)?(?: (?:the|this|your|all|any|text|texting|message|messaging"
    rf"|phone|contact|mailing|group))* (?:lists?|{_TEXTS}|contacts?|database)\b",
    r"\b(?:remove|delete|take off) (?:my (?:phone )?number|me)(?: please| now)?$",
    r"\btake me off(?: please)?$",
    r"\b(?:unsubscribe|opt) (?:me|us|my number)(?: out)?\b",
    r"\b(?:want|wish|like|how do i|how can i|need|please)(?: to)? (?:unsubscribe|opt out)\b",
    r"\b(?:leave (?:me|us) alone|lose (?:my|this) number)\b",
    r"\b(?:have|got|is|its|texted|texting|texts) (?:the |a )?wrong (?:number|person)\b|^wrong number\b|\bwrong number$",
    # A STOP word with other words: STOP texts, reply STOP, unsubscribe please.
    rf"^(?:please )?(?:stop|end|quit|cancel|no more|dont|do not) (?:(?:all|the|these|your|my) )?{_TEXTS}(?: please)?$",
    r"^(?:i )?(?:text|reply|txt|send) stop$",
    r"^(?:please )?(?:unsubscribe|unsuscribe|unsubcribe|unsubscribed|opt out|optout|cancel|remove|revoke|quit|delete)"
    r"(?: (?:please|pls|thanks|thank you|now))+$",
    r"^please (?:unsubscribe|opt out|cancel|remove|revoke|quit|delete)$",
    r"\bplease remove$",
    r"^(?:stop|unsubscribe|quit) sent from my\b",
    r"^(?:stopp|stpo|sotp|stoop|unsubcribe|unsuscribe|unsubscibe|unsubscribed)$",
    r"\b(?:dont|do not) (?:txt|text) me\b",
    # Spanish.
    r"\bno (?:mand|envi)\w* (?:mas )?(?:mensajes?|textos?)\b",
    r"\b(?:deje|dejen|deja|dejar|pare|paren) de"
    r" (?:enviar|mandar|escribir|textear|molestar|contactar|llamar)\w*",
    r"\bno (?:me|nos) (?:envi|mand|escrib|texte|contact|molest)\w*",
    rf"\bno (?:quiero|queremos|deseo|deseamos)(?: (?:recibir|que me \w+))?(?: (?:mas|sus|estos))* {_MENSAJES}\b",
    rf"\bno mas {_MENSAJES}\b",
    r"\b(?:borr|quit|saqu|elimin|retir)\w*(?:me|nos) de (?:la|su|esta|sus|las|tu) listas?\b",
    r"\b(?:dar|dame|deme|denme|darme|darnos|dar mi numero) de baja\b",
    r"\bnumero (?:equivocado|incorrecto)\b",
    # Only a word for "stop", in other languages.
    r"^(?:por favor )?(?:alto|parar|pare|paren|baja|detener|detenga|cancelar|salir|basta|no mas|sair|remover"
    r"|descadastrar|arret|arreter|desabonner|desinscrire|stoppen|abmelden|rete|sispann|стоп|отписаться|зупинити"
    r"|ngung|dung lai|huy|tigil|ihinto|ايقاف|توقف)(?: por favor)?$",
    r"^(?:그만|중지|수신거부|수신 거부|그만 보내세요|문자 보내지 마세요|停止|退订|退訂|停|解除|配信停止)$",
)
_ASKS = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS))
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def asks_to_stop(text: str) -> bool:
    """Return True if ``text`` looks like a request to stop the messages."""
    folded = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text[:_LONGEST])).casefold()
    letters = "".join(
        letter for letter in folded if unicodedata.category(letter) not in {"Mn", "Cf"}
    )
    letters = unicodedata.normalize("NFC", letters)  # A Korean syllable is one letter again.
    return _ASKS.search(_BETWEEN_WORDS.sub(" ", letters).strip()) is not None


def dismiss(tenant_id: Any, message: int, *, now: datetime) -> str | None:
    """Take the mark from a received message; return its sender, or None without the mark."""
    marked = Message.objects.filter(pk=message, tenant=tenant_id, asks_to_stop=True)
    sender = marked.values_list("from_number", flat=True).first()
    return sender if marked.update(asks_to_stop=False, updated_at=now) else None
