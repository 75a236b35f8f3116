"""From annotated images to the TFRecords that the TF2 OD API trains on.

Needs neither TensorFlow nor `object_detection_patch`: numpy, Pillow, protobuf
and google-crc32c suffice. `python -m tfrecords_tools --help` lists the tools.
"""
