"""The Flask extensions and our own two: the vault of secrets and the connection to Redis."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app
from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from redis import Redis

from config import Config
from synkro.crypto import Vault

babel = Babel()
csrf = CSRFProtect()
login = LoginManager()
migrate = Migrate()


def remember(app: Flask, config: Config, vault: Vault, redis: Redis) -> None:
    app.extensions["synkro"] = (config, vault, redis)


def settings() -> Config:
    return cast(Config, current_app.extensions["synkro"][0])


def vault() -> Vault:
    return cast(Vault, current_app.extensions["synkro"][1])


def redis() -> Redis:
    return cast(Redis, current_app.extensions["synkro"][2])
