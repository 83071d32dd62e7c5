"""From what services return to plain view models: templates never see a table object."""
