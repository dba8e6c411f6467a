"""Doors for other programs: tools over plain data, a web page with its server, and the same page as a folder."""
