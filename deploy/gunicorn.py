"""The web server: two processes, each with a few threads, since pages wait for the database and for nothing else."""

import os
import sys
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.http import wsgi
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from synkro.services.operations import health


class Response(wsgi.Response):
    """Does not say what serves: gunicorn has no setting for it."""

    def default_headers(self, *args: Any, **more: Any) -> list[str]:
        return [line for line in super().default_headers(*args, **more) if not line.startswith("Server:")]


wsgi.Response = Response

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = 2
threads = 4
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
