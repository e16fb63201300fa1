"""One loss a file, each tested against a plain loop."""
