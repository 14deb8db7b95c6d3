"""Everything in content/, read whole, checked whole, ready to answer.

`load` is the only way in; it raises ContentError with every problem when the content can't be trusted.
"""

from bot.knowledge_base.base import KnowledgeBase, Page, load

__all__ = ["KnowledgeBase", "Page", "load"]
