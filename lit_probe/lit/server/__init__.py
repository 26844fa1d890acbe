"""The web server around LIT: the page, our files, and the guard at the door."""
