"""The promises of Etalon, kept against real servers."""
