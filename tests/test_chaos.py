"""Reminders under killed processes and a Slack that fails: none is lost, none comes twice. The long form is `trellis bench chaos`."""

from pathlib import Path

from bot.bench.chaos import Trial, run_trial


def test_no_reminder_is_lost_or_sent_twice_whatever_fails(tmp_path, request):
    database = request.config.getoption("--database")
    trial = Trial(reminders=120, processes=2, database=database, speed=20, limit=150)
    found = run_trial(trial, tmp_path, Path("content"), lambda words: None)
    assert (found.lost, found.twice) == (0, 0)
    assert found.kills > 3
    assert found.faults.total() > 3
