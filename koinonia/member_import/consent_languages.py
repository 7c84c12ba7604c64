"""Translation of consent headers and remarks from other languages into English.

The rules of `koinonia.member_import.consent_headers` apply to the result. The list is short on purpose: a
missing phrase makes a column unclear, and the import rejects the rows of unclear columns.
"""

from __future__ import annotations

import re
from functools import lru_cache

from koinonia.names import search_key

_PHRASES = {
    # Spanish, and Portuguese where it differs.
    "text message": "mensaje de texto, mensajes de texto, mensagem de texto, mensagens de texto",
    "text": "textos, texto, mensajito, mensajitos, texteo, textear",
    "message": "mensaje, mensajes, mensagem, mensagens",
    "accepts": "acepta, acepto, aceptar, aceita, aceito, aceitar",
    "receive": "recibe, recibir, recibo, recebe, receber, recebo",
    "wants": "quiere, quiero, desea, deseo, quer, quero, deseja",
    "allow": "permite, permitir, autoriza, autorizo, autorizado, autorizada",
    "permission": "permiso, autorizacion, permissao, autorizacao",
    "consent": "consentimiento, consiente, consentimento",
    "subscribed": "suscrito, suscrita, suscripcion, inscrito sms, assinante",
    "unsubscribed": "desuscrito, desuscrita, dado de baja, dada de baja, desinscrito,"
    " desinscrita, descadastrado, descadastrada, cancelo la suscripcion",
    "do not send": "no enviar, no envie, no enviarle, no mandar, no mande, nao enviar, nao mandar",
    "do not text": "no textear",
    "do not contact": "no contactar, nao contatar, nao contactar",
    "do not call": "no llamar, nao ligar",
    "does not want": "no quiere, no desea, nao quer, nao deseja",
    "does not accept": "no acepta, no aceptar, nao aceita, no autoriza, nao autoriza",
    "does not receive": "no recibe, no recibir, nao recebe, nao receber",
    "no text": "no mensajes, no textos, sin mensajes, sin textos, nao mensagens, sem mensagens",
    "blocked": "bloqueado, bloqueada",
    "church": "iglesia, igreja, eglise",
    "date": "fecha, data de",
    # French, German, Haitian Creole.
    "text  message": "messages texte, message texte, textnachricht, textnachrichten",
    "consents": "consentement, einwilligung, zustimmung, einverstandnis",
    "accept": "accepte, accepter, dako",
    "agrees": "einverstanden",
    "receives": "recoit, recevoir, empfangt, erhalt, resevwa",
    "allowed": "autorise, autorisation, erlaubt, erlaubnis, darf",
    "unsubscribe": "desabonne, desabonnee, desinscrit, abgemeldet, abbestellt",
    "do not  send": "ne pas envoyer, pas de, keine, nicht senden",
    "do not  contact": "ne pas contacter, nicht kontaktieren",
    "messages": "nachricht, nachrichten, mesaj",
    # Russian, Ukrainian.
    "sms": "смс",
    "consent ": "согласие, згода",
    "decline": "отказ, відмова",
    "unsubscribed ": "отписан, отписана",
    # Korean, Chinese, Japanese, Vietnamese.
    "texts": "문자메시지, 문자, 短信, 簡訊, 简讯, 短訊, ショートメール, tin nhắn",
    "opt out": "수신거부, 수신 거부, 退订, 退訂, 拒收, 配信停止",
    "consented": "수신동의, 수신 동의, 동의, 同意, đồng ý",
    "receiving": "수신, 接收, 受信",
    "refuse": "거부, 拒绝, 拒絕, 拒否, từ chối",
    "allows": "허용, 允许, 允許, 許可",
}
"""Maps English to phrases of other languages. Extra blanks make equal English keys different."""
_FILLER_WORDS = (
    "de del el la los las le les a al y e o para por con que se su mi me da do das dos um uma em na"
    " favor на за den die das der von fur per zu des du par pour kein"
)
_FILLERS = frozenset(_FILLER_WORDS.split())
_EAST_ASIAN = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]")
_BY_PHRASE = {
    search_key(phrase): " ".join(english.split())
    for english, phrases in _PHRASES.items()
    for phrase in phrases.split(", ")
}


def _pattern() -> re.Pattern[str]:
    longest_first = sorted(_BY_PHRASE, key=len, reverse=True)
    return re.compile(
        "|".join(
            re.escape(phrase)
            if _EAST_ASIAN.search(phrase)
            else rf"(?<!\w){re.escape(phrase)}(?!\w)"
            for phrase in longest_first
        )
    )


_FOREIGN = _pattern()


@lru_cache(maxsize=4096)
def in_english(name: str) -> str:
    """Translate the known foreign phrases of a normalised ``name``, and remove filler words.

    Other names are returned unchanged.
    """
    english, found = _FOREIGN.subn(lambda match: f" {_BY_PHRASE[match[0]]} ", name)
    if not found:
        return name
    ours = {word for phrase in _BY_PHRASE.values() for word in phrase.split()}
    words = english.split()
    kept = (word for word in words if word in ours or word not in _FILLERS)
    return " ".join(kept)


_CIRCLE = frozenset("oOㅇ○◯〇")
_CROSS = frozenset("xX×✕✗✘")


def answer_in_english(cell: str, header: str) -> str:
    """Return "yes" or "no" for a circle or a cross under an East Asian header, else ``cell``.

    There a cross means no. In a form of another language it marks a box.
    """
    sign = cell.strip()
    if len(sign) != 1 or not _EAST_ASIAN.search(header):
        return cell
    return "yes" if sign in _CIRCLE else "no" if sign in _CROSS else cell
