"""The procedures: each kind's `run()` reads like the manual (idea 1); the engine does the rest."""
