"""Task patches for detectors of the TF2 Object Detection API.

Importing this package imports nothing heavy; each room is imported by name.
"""

__version__ = "0.1.0"
