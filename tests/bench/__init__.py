"""What guards our speed and our count of each line, and what it is measured with."""
