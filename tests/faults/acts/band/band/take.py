# Which release this is: a manifest that writes this file makes another one.
TAKE = "take-0000"
