"""Trees of files as the ten datasets' archives unpack to; one file each."""
