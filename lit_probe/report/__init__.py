"""A run as one HTML page that explains itself: what was asked, what was found, how, and what nobody has looked at.

`run_file` writes and reads ``layers.json``; `page.report_html` makes the page from it, and from nothing else.
"""
