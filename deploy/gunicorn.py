"""The web server: two processes, each with a few threads, since pages wait for the database and for nothing else."""

import os

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = 2
threads = 4
timeout = 30
graceful_timeout = 10
max_requests = 5_000
max_requests_jitter = 500
control_socket_disable = True  # it would lie in the home folder
