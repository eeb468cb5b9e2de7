"""What the build runs: nothing, until a test lays its own text over this one."""
