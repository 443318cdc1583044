"""In and out: signing in, the second factor, links into the cabinet, the own account."""
