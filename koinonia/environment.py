"""The environment, read once, typed; all bad variables are reported together.

What is not in the environment is read from ``DATA_DIR``, where ``manage.py up`` wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from environs import Env


@dataclass(frozen=True, kw_only=True)
class Environment:
    debug: bool
    secret_key: str
    allowed_hosts: list[str]
    csrf_trusted_origins: list[str]
    data_dir: Path
    database_url: str
    redis_url: str
    public_url: str
    telnyx_api_key: str
    telnyx_api_base: str
    telnyx_public_key: str
    trusted_proxies: list[str]


def read(base_dir: Path) -> Environment:
    env = Env(eager=False)
    data_dir = Path(env.str("DATA_DIR", "var"))
    if not data_dir.is_absolute():
        data_dir = base_dir / data_dir
    values = Environment(
        debug=env.bool("DEBUG", False),
        secret_key=env.str("SECRET_KEY", ""),
        allowed_hosts=env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"]),
        csrf_trusted_origins=env.list("CSRF_TRUSTED_ORIGINS", []),
        data_dir=data_dir,
        database_url=env.str("DATABASE_URL", ""),
        redis_url=env.str("REDIS_URL", f"unix://{data_dir / 'valkey.sock'}"),
        public_url=env.str("PUBLIC_URL", "http://127.0.0.1:8000"),
        telnyx_api_key=env.str("TELNYX_API_KEY", ""),
        telnyx_api_base=env.str("TELNYX_API_BASE", ""),
        telnyx_public_key=env.str("TELNYX_PUBLIC_KEY", ""),
        trusted_proxies=env.list("TRUSTED_PROXIES", []),
    )
    env.seal()
    return values


def redis_database(url: str, number: int) -> str:
    """``url`` with its database number replaced: each use has its own."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return urlunsplit(parts._replace(query=f"db={number}"))
    return urlunsplit(parts._replace(path=f"/{number}"))
