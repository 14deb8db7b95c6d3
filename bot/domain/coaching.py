"""The employer's rules for coaching: how soon somebody takes over, and how long what was said is kept."""

from pydantic import Field

from bot.domain.cards import Content


class CoachingPolicy(Content):
    """Stands in content/employer.yaml under `coaching`."""

    claim_within_hours: float = Field(default=4, gt=0)  # working time; then the lead coaches are told
    urgent_within_minutes: float = Field(default=10, gt=0)  # any hour of the week
    reply_within_hours: float = Field(default=4, gt=0)  # to an employee who writes to a coach
    keep_months: int = Field(default=24, ge=1)  # conversations older than this are erased, counts stay
    backups_kept_days: int = Field(default=35, ge=0)  # erased words may still be in backups for so long
    smallest_group: int = Field(default=5, ge=1)  # smaller groups of people are not shown in figures
