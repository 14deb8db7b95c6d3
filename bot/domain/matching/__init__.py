"""From words to cards: which card does a message ask for, and how sure is that?"""

from bot.domain.matching.matcher import Candidate, Encoder, Example, Learnt, Matcher, Ranking, encode
from bot.domain.matching.packed import Packed
from bot.domain.matching.reading import COMPUTERS, Reader, Said, tell_it_apart
from bot.domain.matching.speller import Speller

__all__ = [
    "COMPUTERS",
    "Candidate",
    "Encoder",
    "Example",
    "Learnt",
    "Matcher",
    "Packed",
    "Ranking",
    "Reader",
    "Said",
    "Speller",
    "encode",
    "tell_it_apart",
]
