"""The JSON API, mounted at `/api/v1`: for other systems, robots and scripts. It calls services, nothing below them."""
