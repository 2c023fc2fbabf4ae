"""The floor: a bare aiohttp loop that sends the questions of a file and reads the answers."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiohttp


async def main(url: str, items: list[dict[str, str]], connections: int) -> None:
    """Send every question once, `connections` at a time, and print the share that is right."""
    waiting, right = iter(items), 0
    connector = aiohttp.TCPConnector(limit=connections)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            nonlocal right
            for item in waiting:
                message = {"role": "user", "content": item["question"]}
                body = {"model": "mock", "messages": [message], "temperature": 0, "max_tokens": 32}
                async with session.post(f"{url}/chat/completions", json=body) as answer:
                    found = await answer.json()
                right += found["choices"][0]["message"]["content"] == item["answer"]

        await asyncio.gather(*(work() for _ in range(connections)))
    print(right / len(items))


if __name__ == "__main__":
    rows = [json.loads(line) for line in Path(sys.argv[2]).read_text().splitlines()]
    asyncio.run(main(sys.argv[1], rows, int(sys.argv[3])))
