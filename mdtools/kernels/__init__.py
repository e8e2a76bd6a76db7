"""Arrays in, arrays out: pure jitted mathematics without names, units or I/O. One subject a file."""
