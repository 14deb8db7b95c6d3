"""Settings, read once from the environment (or .env). Every setting is explained in .env.example."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]


def is_weak(secret: str) -> bool:
    """Could it be guessed? It signs who is signed in to the console."""
    return len(secret) < 32 or len(set(secret)) < 10


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: str = Field("sqlite:///var/trellis.db", repr=False)
    database_pool: int = 5
    database_overflow: int = 10
    database_connect_seconds: int = 5
    database_statement_seconds: int = 60
    database_lock_seconds: int = 10
    content_dir: Path = Path("content")
    model_dir: Path = Path("var/models")
    encoders: str = "minilm,use"
    slack_bot_token: str = Field("", repr=False)
    slack_app_token: str = Field("", repr=False)
    slack_signing_secret: str = Field("", repr=False)
    slack_api_url: str = "https://slack.com/api/"
    coach_channel: str = ""
    port: Port = 8000
    console_port: Port = 8001
    console_host: str = "127.0.0.1"
    console_url: str = "http://localhost:8001"
    console_secret: str = Field("", repr=False)
    console_access: str = ""
    trusted_proxies: str = "127.0.0.1"
    slack_client_id: str = ""
    slack_client_secret: str = Field("", repr=False)
    slack_web_url: str = "https://slack.com"
    workspaces_file: str = ""
    public_url: str = ""
    operations_host: str = "127.0.0.1"
    operations_port: Port = 9090
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
