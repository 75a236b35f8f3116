"""File formats that several datasets share, parsed strictly."""
