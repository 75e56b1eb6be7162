"""Reads sweep directories and shows what is in them: rankings, grids, figures, one page for a person.

Nothing here trains or launches. `runs` is the only reader of the files of a sweep; everything else takes its frames.
"""
