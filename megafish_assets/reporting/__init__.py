"""What a person is told: limits and verdicts, metadata, figures, progress.

Here: how numbers become words and pictures in the UI and the terminal. Not here: what is measured.
"""
