"""make security: outside scanners look at the running product, and at a copy with known flaws: do they look?"""
