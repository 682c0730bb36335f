"""Speed, beside what else an administrator would pick."""
