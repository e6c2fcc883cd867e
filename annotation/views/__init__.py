"""The annotator's pages: each view parses, calls one process, answers."""
