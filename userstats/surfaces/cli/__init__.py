"""The command line: every question of the catalogue as `noun verb`. Loops over the catalogue and names no question.

`run.main` is the whole program; `query_cli.py` at the project's root starts it.
"""
