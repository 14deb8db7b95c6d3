"""For the people who run Trellis: probes, metrics, logs, traces, backups and the doctor. No words of employees leave here."""
