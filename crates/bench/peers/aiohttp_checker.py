"""A website checker as one would write it in an afternoon: 64 checks at a time, each on a
connection of its own, with certificate verification, a status and a content assertion, and the
result as JSON. It checks one URL again and again until it is stopped.

    aiohttp_checker.py URL AUTHORITY.pem
"""

import asyncio
import json
import re
import ssl
import sys
import time
from datetime import datetime, timezone

import aiohttp

IN_FLIGHT = 64
PATTERN = re.compile("ok")


async def check(session, url):
    started_at = datetime.now(timezone.utc)
    started = time.perf_counter()
    result = {"url": url, "started_at": started_at.isoformat()}
    try:
        async with session.get(url) as response:
            body = await response.text()
            result["status"] = response.status
            result["matched"] = PATTERN.search(body) is not None
            result["up"] = response.ok and result["matched"]
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        result["up"] = False
        result["failure"] = str(error)
    result["response_time"] = time.perf_counter() - started
    return result


async def check_for_ever(session, url):
    while True:
        json.dumps(await check(session, url)).encode()


async def main(url, authority):
    context = ssl.create_default_context(cafile=authority)
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT, force_close=True, ssl=context)
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        await asyncio.gather(*(check_for_ever(session, url) for _ in range(IN_FLIGHT)))


asyncio.run(main(sys.argv[1], sys.argv[2]))
