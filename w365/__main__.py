"""`python -m w365`."""

from w365.cli import main

if __name__ == "__main__":
    main()
