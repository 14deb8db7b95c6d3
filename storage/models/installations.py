"""Where the app is installed: the tables that slack_sdk's installation and state stores read and write, in their shape."""

from sqlalchemy import Boolean, Column, DateTime, Index, Integer, String, Table
from sqlmodel import SQLModel

KEPT_OF_BOTS = {
    "client_id": String(32),
    "app_id": String(32),
    "enterprise_id": String(32),
    "enterprise_name": String(200),
    "team_id": String(32),
    "team_name": String(200),
    "bot_token": String(200),
    "bot_id": String(32),
    "bot_user_id": String(32),
    "bot_scopes": String(1000),
    "bot_refresh_token": String(200),
    "bot_token_expires_at": DateTime(),
    "is_enterprise_install": Boolean(),
    "installed_at": DateTime(),
}
KEPT_OF_INSTALLERS = {
    "enterprise_url": String(200),
    "user_id": String(32),
    "user_token": String(200),
    "user_scopes": String(1000),
    "user_refresh_token": String(200),
    "user_token_expires_at": DateTime(),
    "incoming_webhook_url": String(200),
    "incoming_webhook_channel": String(200),
    "incoming_webhook_channel_id": String(200),
    "incoming_webhook_configuration_url": String(200),
    "token_type": String(32),
}
ALWAYS_THERE = {"client_id", "app_id", "user_id", "is_enterprise_install", "installed_at", "state", "expire_at"}


def _table(name: str, kept: dict[str, object], index: tuple[str, ...] = ()) -> Table:
    columns = [Column(each, kind, nullable=each not in ALWAYS_THERE) for each, kind in kept.items()]  # type: ignore[call-overload]
    indexes = [Index(f"{name}_idx", *index)] if index else []
    return Table(name, SQLModel.metadata, Column("id", Integer, primary_key=True, autoincrement=True), *columns, *indexes)


BY = ("client_id", "enterprise_id", "team_id")
BOTS = _table("slack_bots", KEPT_OF_BOTS, (*BY, "installed_at"))
INSTALLATIONS = _table("slack_installations", KEPT_OF_BOTS | KEPT_OF_INSTALLERS, (*BY, "user_id", "installed_at"))
STATES = _table("slack_oauth_states", {"state": String(200), "expire_at": DateTime()})
