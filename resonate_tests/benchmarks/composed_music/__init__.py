"""What is asked of the composer, and what is measured of what it makes."""
