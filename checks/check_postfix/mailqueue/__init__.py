"""The mail queue: what `postqueue` lists, and the table of ages that `qshape` prints of it."""
