"""Running Etalon on one machine: embedded servers and a supervisor. Production does without."""
