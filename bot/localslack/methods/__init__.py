"""Slack's methods, a file for each family. Each takes the workspace and its arguments and returns the answer's body."""
