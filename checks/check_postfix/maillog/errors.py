"""What can be wrong with a log or its store, told to an administrator."""


class LogError(Exception):
    """The log cannot be read. The message names the file, the cause and the fix."""


class StoreError(Exception):
    """The store cannot be used. The message names the file, the cause and the fix."""


class DamagedStore(StoreError):
    """The store's file is no database of ours any more."""
