"""Speed and lost lines, beside what else an administrator would pick."""
