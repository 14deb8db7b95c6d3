"""Pay and outlook by occupation, from the U.S. Bureau of Labor Statistics."""

from datetime import date

from bot.domain.cards import Content, Text


class Dataset(Content):
    """Where a table of figures comes from and until when it may be stated as true."""

    file: str
    source: Text
    national_source: Text
    year: int
    as_of: date
    owner: str
    review_by: date


class Wage(Content):
    """Dollars an hour. Ten percent earn less than p10, half less than the median, and so on."""

    soc: str
    oews_title: str
    area: str
    industry: str
    hourly_p10: float
    hourly_p25: float
    hourly_median: float
    hourly_p75: float
    hourly_p90: float
    annual_median: int
    note: str = ""

    @property
    def in_hospitals(self) -> bool:
        return "622" in self.industry


class Outlook(Content):
    """`change_pct` is the expected change in the number of jobs in the country over the ten years."""

    soc: str
    title: str
    employment_2024_thousands: float
    change_pct: float
    openings_annual_thousands: float
    typical_education: str
