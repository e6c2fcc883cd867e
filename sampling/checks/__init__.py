"""Optional checks by a model of another kind: whether candidates are near in sense, and whether
people's own messages and candidates are safe.

The plan names the endpoint of each, which speaks the same protocol and serves something else.
`settings` is what a plan says, `resolving` finds the endpoints, `checking` makes the calls.
"""
