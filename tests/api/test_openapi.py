"""What the API says of itself."""

from __future__ import annotations

import re

import httpx


async def test_the_description_is_complete(api: httpx.AsyncClient) -> None:
    schema = (await api.get("/openapi.json")).json()
    assert schema["servers"] == [{"url": "/api/v1"}]
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    tags = {tag["name"] for tag in schema["tags"]}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert set(operation["tags"]) <= tags, where
            open_ = path in {"/sessions", "/track/{number}/code", "/track/{number}/sessions"}
            assert bool(operation.get("security")) is not open_, where
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], where
    names = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}
    assert set(re.findall(r'"\$ref": ?"([^"]+)"', (await api.get("/openapi.json")).text)) <= names


async def test_the_pages_about_it_load_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    for path in ("/docs", "/redoc"):
        page = await api.get(path)
        assert page.status_code == 200
        sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert sources
        assert all(source.startswith(("/api/v1/", "data:")) for source in sources), sources
        for source in sources:
            if not source.startswith("data:"):
                assert (await api.get(source.removeprefix("/api/v1"))).status_code == 200
