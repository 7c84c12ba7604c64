"""Column names in the exports of church programs, address books and mailers, by meaning.

The names are in lower case without accents and punctuation; `koinonia.member_import.columns`
normalises headers to this form. They come from vendors' templates and public tools that read these
exports.
"""

from __future__ import annotations

from koinonia.member_import import header_languages as languages

MOBILE = (
    "sms phone number", "sms number", "sms phone", "sms", "text number",
    "texting number", "text message number", "text messages number", "txt number", "text phone number", "text phone", "texting phone",
    "text mobile", "text cell", "sms mobile", "sms cell", "sms mobile number",
    "mobile phone number", "mobile phone", "mobile number", "mobile", "mobile tel",
    "mobile telephone", "mobile no", "mobile nr", "cell phone number", "cell phone", "cell number",
    "cell", "cellphone", "cell no", "cellular phone", "cellular", "phone mobile", "phone cell",
    "mobilephone", *languages.MOBILE,
)  # fmt: skip
"""Most specific first: the first column with a value counts."""
ANY_PHONE = (
    "primary phone number", "primary phone", "preferred phone number", "preferred phone",
    "contact phone", "contact number", "phone number", "phone", "phone no", "phone nr", "phone 1",
    "telephone number", "telephone", "tel", *languages.PHONE,
)  # fmt: skip
SECOND_CHOICE = (
    "home phone number", "home phone", "home tel", "home telephone", "phone home",
    "work phone number", "work phone", "work tel", "work telephone", "phone work",
    "business phone", "npe01 work phone c", *languages.HOME_PHONE,
)  # fmt: skip
"""Used if the columns above are empty; the report mentions it."""
MOBILE_WORDS = frozenset({"cell", "cellphone", "cellular", "mobile"})
PHONE_WORDS = frozenset({"phone", "phones", "telephone", "tel", "ph"})
WORDS_BESIDE = frozenset(
    {"number", "numbers", "no", "nr", "num", "primary", "main", "best", "preferred", "contact",
     "daytime", "your", "my", *"123456789"}
)  # fmt: skip
"""A header of these words only names a phone: "Best Contact Phone", "Cell / Mobile", "Mobile 2"."""
HOME_AND_WORK = ("home", "work")
"""Phones beside a column named mobile or cell (Breeze); otherwise addresses."""
MOBILE_LABELS = frozenset({"mobile", "cell", "iphone", "cellular", "cell phone", "mobile phone",
                           "movil", "handy", "celular", "portable", "text", "sms"})  # fmt: skip
PLAIN_LABELS = frozenset({"", "voice", "pref", "main", "other", "primary", "phone", "personal",
                          "default"})  # fmt: skip
HOME_LABELS = frozenset({"home", "work", "home phone", "work phone", "business"})
PHONE_COUNTRY = ("mobile phone country code", "phone country code", "country code")

FIRST_NAME = (
    "first name", "first", "fname", "forename", "given name", "given names", "christian name",
    *languages.FIRST_NAME, "preferred name", "preferred first name", "goes by name", "goes by",
    "nick name", "nickname",
)  # fmt: skip
"""A later column counts if the columns before it are empty."""
GIVEN_NAME = frozenset({"given name", "given names"})
LAST_NAME = (
    "last name", "last", "lname", "surname", *languages.LAST_NAME,
)  # fmt: skip
FAMILY_NAME = "family name"
"""The last name beside a given name (Google); otherwise the household's name (Jethro, Rock, ChurchTrac)."""
SUFFIX = ("name suffix", "suffix")
SECOND_LAST_NAME = languages.SECOND_LAST_NAME
FULL_NAME = (
    "full name", "name", "names", "display name", "file as", "member name", "contact name",
    "last name first name", "first name last name", "last first", "first last", "first and last name",
    *languages.FULL_NAME,
)  # fmt: skip

GROUPS = (
    "groups", "group", "group membership", "group memberships", "labels", "tags", "tag", "tag name",
    "categories", "group membership list", "group name", "group names", "congregation",
    *languages.GROUPS,
)  # fmt: skip
STARRED_GROUPS = frozenset({"labels", "group membership"})
"""Google's columns. A star marks the labels of all contacts (``* myContacts``)."""

OPTED_OUT = frozenset(
    {
        "opted out", "opt out", "is opted out", "opted out of texts", "opted out of sms",
        "opted out of texting", "opt out of texts", "opt out of texting", "opt out of sms",
        "opt out of text messages", "opt out date", "sms opt out", "sms opted out",
        "sms opt out date", "text opt out", "text opted out", "texting opt out", "has sms opt out",
        "has opted out of sms", "has text opt out", "do not text", "do not text message",
        "do not sms", "do not contact", "do not call", "dnc", "npsp do not contact c",
        "sms blacklisted", "sms blocked", "no sms", "no text", "no texts", "no texting",
        "no text messages", "unsubscribed", "unsub time", "sms unsubscribed", "text unsubscribed",
        "unsubscribed from sms", "unsubscribed from texts", "stop texting", "text stop", "sms stop",
        "revoked",
    }
)  # fmt: skip
"""A "yes" opts out."""
MAY_TEXT = frozenset(
    {
        "allow sms", "allow text", "allow texts", "allow texting", "allow text messages",
        "allows sms", "allows texts", "sms allowed", "text allowed", "texting allowed",
        "sms consent", "text consent", "texting consent", "text message consent",
        "sms marketing consent", "consent to text", "consent to texts", "consent to sms",
        "sms opt in", "sms opted in", "text opt in", "text opted in", "texting opt in", "opt in",
        "opted in", "text ok", "texts ok", "texting ok", "sms ok", "ok to text", "okay to text",
        "ok to sms", "can text", "may text", "can be texted", "may be texted", "can we text you",
        "is messaging enabled", "messaging enabled", "sms enabled", "text enabled",
        "texting enabled", "receive sms", "receive texts", "receive text messages", "receives sms",
        "receives texts", "receives text messages", "receive sms from church", "wants texts",
        "general sms", "communication general sms", "engage sms subscribed", "sms subscribed",
        "text subscribed", "subscribed to sms", "subscribed to texts", "sms status", "text status",
        "texting status", "sms subscription status", "sms permission", "text permission",
        "texting permission", "permission to text", "accepts sms", "accepts sms marketing",
        "accepts texts", "text messages", "text message", "text messaging", "texting", "texts",
        "sms messages", "sms messaging", "sms notifications", "text notifications", "text alerts",
        "sms alerts", "text updates", "agrees to texts", "sms agreement",
    }
)  # fmt: skip
"""A "no" opts out."""
DEATH = frozenset(
    {"deceased", "death", "died", "dod", "fallecido", "fallecida", "fallecimiento", "defuncion",
     "falecido", "falecida", "falecimento", "obito", "decede", "deces", "verstorben", "sterbedatum"}
)  # fmt: skip
"""A "yes" or a date in a column with one of these words: the person has died."""
DEATH_OF_ANOTHER = frozenset(
    {"spouse", "husband", "wife", "father", "mother", "parent", "parents", "child", "relative",
     "cause", "place", "benefit", "padre", "madre", "esposo", "esposa", "conyuge"}
)  # fmt: skip
"""With one of these words the column is about another person or subject."""
GONE = frozenset({"archived", "is archived", "inactive", "is inactive", "inactive remove",
                  "inactivo", "inativo", "baja"})  # fmt: skip
"""A "yes": the person has left the church."""
PRESENT = frozenset({"active", "is active", "active profile", "active record", "living",
                     "is living", "alive", "is alive", "activo", "ativo"})  # fmt: skip
"""A "no": the person has left the church."""
STATUS = frozenset({"record status", "status", "member status", "membership status",
                    "person status", "inactive reason", "membership", "membership type",
                    "member type", "connection status", "removal reason", "reason removed",
                    "estado", "estatus", "situacao", "estado de membresia"})  # fmt: skip
"""Statuses; some values mean that the person has left."""
GONE_SINCE = frozenset({"inactive date", "inactive reason", "date removed", "removed date",
                        "date left", "removed", "fecha de baja"})  # fmt: skip
"""Any value means that the person has left, unless a status says "active"."""
