"""How well the usual level tells trouble from what is ordinary, by months of known truth."""
