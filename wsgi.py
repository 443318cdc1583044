"""What gunicorn and the flask command start from."""

from click import ClickException

from config import ConfigError
from synkro import create_app

try:
    app = create_app()
except ConfigError as error:
    # the flask command shows it without a trace and exits with 1; gunicorn gives up instead of trying again for ever
    raise ClickException(str(error)) from None
