"""What people see: thin routes. Each view says with @access who may come."""

from __future__ import annotations

from flask import Flask

from synkro.blueprints import public


def init_app(app: Flask) -> None:
    for blueprint in (public.blueprint,):
        app.register_blueprint(blueprint)
