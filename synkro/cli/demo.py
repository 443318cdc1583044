"""flask demo."""

COMMANDS = ()
