"""How the installation is: health, queues, and the keys that seal."""
