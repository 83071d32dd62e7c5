"""Lian (立案): durable case management for insurers."""
