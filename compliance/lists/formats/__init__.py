"""The forms in which lists are published, one file each; `compliance/lists/loader.py` tells them apart."""
