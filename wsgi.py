"""What gunicorn and the flask command start from."""

from synkro import create_app

app = create_app()
