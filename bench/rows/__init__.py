"""One module a row (or a few that are measured together)."""
