# Names the release: a manifest that writes this file makes another release.
TAKE = "take-0000"
