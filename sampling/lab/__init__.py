"""The lab: sets made side by side, so that a researcher can pick a plan.

`asking` makes the rows of a run, `making` makes its sets in a worker, `figures` says what became of
them, `marking` keeps what readers of each language say about the texts. Nothing of it is ever shown
to an annotator, and nothing of it is in an export.
"""
