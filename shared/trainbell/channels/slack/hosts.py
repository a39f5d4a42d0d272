"""Slack's hosts for incoming webhooks, of its public and its government service."""

HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
