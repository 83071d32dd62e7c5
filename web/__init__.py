"""The pages: desk, tracker, operations, in two languages. Views parse, authorise, call a service and present."""
