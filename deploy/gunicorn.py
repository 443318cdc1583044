"""The web server: a few processes with a few threads each, since pages wait for the database and for nothing else."""

import sys
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.http import wsgi
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from config import ConfigError, load
from synkro.services.operations import health


class Response(wsgi.Response):
    """Does not say what serves: gunicorn has no setting for it."""

    def default_headers(self, *args: Any, **more: Any) -> list[str]:
        return [line for line in super().default_headers(*args, **more) if not line.startswith("Server:")]


wsgi.Response = Response

try:
    chosen = load()  # "config" would be a setting of gunicorn
except ConfigError as error:
    sys.exit(str(error))

bind = chosen.bind
workers = chosen.web_workers
threads = chosen.web_threads
timeout = 30
graceful_timeout = 10
max_requests = 5_000
max_requests_jitter = 500
control_socket_disable = True  # it would lie in the home folder


def post_worker_init(worker: Any) -> None:
    """With a wrong key, rights or tables nothing is served: the exit code tells the parent not to try again."""
    with worker.app.wsgi().app_context():
        try:
            health.verify()
        except health.Unfit as error:
            worker.log.error(str(error))
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
        except OperationalError as error:
            worker.log.warning("the database is away, so key and rights were not tried: %s", type(error).__name__)
        except SQLAlchemyError as error:
            worker.log.error("the database is not as ours, is it upgraded? (flask db upgrade): %s", error)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
