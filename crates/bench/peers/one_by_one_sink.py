"""A sink as a first version has it: one consumer, and for each message one INSERT and one commit.
The offsets are committed as the client library does it by default.

    one_by_one_sink.py BROKERS TOPIC GROUP DATABASE_URL
"""

import json
import sys

import psycopg
from confluent_kafka import Consumer

TABLE = """
CREATE TABLE IF NOT EXISTS check_results (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url TEXT,
    checked_at TIMESTAMPTZ NOT NULL,
    outcome TEXT NOT NULL,
    status_code INTEGER,
    response_time DOUBLE PRECISION,
    matched BOOLEAN,
    error TEXT
)
"""
INSERT = """
INSERT INTO check_results (url, checked_at, outcome, status_code, response_time, matched, error)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def row(event):
    http = event.get("http") or {}
    failure = event.get("failure") or {}
    total = event["timings_us"].get("total")
    return (
        http.get("final_url"),
        event["scheduled_at"],
        event["outcome"],
        event.get("status_code"),
        total / 1e6 if total is not None else None,
        event["content"] == "matched",
        failure.get("detail"),
    )


def main(brokers, topic, group, url):
    connection = psycopg.connect(url)
    connection.execute(TABLE)
    connection.commit()
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([topic])
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise SystemExit(str(message.error()))
        with connection.cursor() as cursor:
            cursor.execute(INSERT, row(json.loads(message.value())))
        connection.commit()


main(*sys.argv[1:])
