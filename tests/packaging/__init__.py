"""What is given to people: wheel, sdist, Debian package."""
