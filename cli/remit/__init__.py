"""Remit keeps what a service organisation has promised as reviewed files in git, and says what the promises demand.

The floors of the package (imports go down only, held by an import-linter contract in pyproject.toml):
door ``main commands`` - work ``checking evaluating ...`` - edge ``store sources reporters`` - git ``git`` -
law ``engine policies conditions schemas references clocks`` - things ``records facts decisions changes yamltext`` -
words ``errors places findings times``.
"""

__version__ = "0.1.0"
