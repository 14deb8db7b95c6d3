"""What Trellis is not for, and other languages: honest replies that say who can help."""

from bot.domain.cards import Content, Text, Utterances


class OutsideTopic(Content):
    """A topic that employees bring and Trellis does not answer. `answer` says who can help, in one or two lines."""

    id: str
    title: Text
    answer: Text
    utterances: Utterances


class OtherLanguage(Content):
    """A language without content. `telltale` are frequent short words that give it away; `script` a Unicode range name."""

    id: str  # ISO 639-1 or -3
    name: Text
    reply: str  # in that language: Trellis answers in English and Spanish; a coach with an interpreter can help
    button: str  # label of the button that asks for a coach, in that language
    telltale: tuple[str, ...] = ()
    script: str | None = None
