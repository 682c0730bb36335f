"""Whole runs of the checks where something is in the way of seeing, and where nothing is."""
