"""Endpoints: parse, authorise, call, present. Everything else is a service's."""
