"""The Detection Decathlon: ten tasks, their metric and their score.

Reference: SpotPatch: Parameter-Efficient Transfer Learning for Mobile
Object Detection, section 4.
"""
