"""`python -m w365`."""

from w365.cli.main import main

if __name__ == "__main__":
    main()
