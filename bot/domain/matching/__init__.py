"""From words to cards: which card does a message ask for, and how sure is that?"""

from bot.domain.matching.matcher import Candidate, Example, Matcher, Ranking

__all__ = ["Candidate", "Example", "Matcher", "Ranking"]
