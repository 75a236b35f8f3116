"""Looking at TFRecords that anyone made: pictures, figures, faults."""
