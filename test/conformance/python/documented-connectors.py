"""The orchestration that Feldera's documentation shows, through its client: S3 in order, Kafka paused and resumed by hand.

The server at FELDERA_HOST has the bucket, the endpoint and the brokers in its environment; objects and events are there.
"""

import json
import os
import time

from feldera import FelderaClient, PipelineBuilder

CLIENT = FelderaClient(os.environ["FELDERA_HOST"])


def connectors(*entries):
    return json.dumps(list(entries)).replace("'", "''")


def raw_json(name, transport, **keys):
    config = {"name": "json", "config": {"update_format": "raw"}}
    return {"name": name, "transport": transport, "format": config, **keys}


def s3(**config):
    return {"name": "s3_input", "config": config}


def dimension_first():
    users = connectors(raw_json("users", s3(key="users.json"), labels=["dimension"]))
    products = connectors(
        {
            "name": "products",
            "labels": ["dimension"],
            "transport": s3(key="products.csv"),
            "format": {"name": "csv", "config": {"headers": True}},
        }
    )
    orders = connectors(raw_json("orders", s3(prefix="orders/"), start_after=["dimension"]))
    stages = connectors(
        raw_json("stage1", s3(prefix="stage1/"), labels=["stage1"]),
        raw_json("stage2", s3(prefix="stage2/"), labels=["stage2"], start_after="stage1"),
        raw_json("stage3", s3(prefix="stage3/"), start_after="stage2"),
    )
    sql = f"""
CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR) WITH ('connectors' = '{users}');
CREATE TABLE products (id BIGINT NOT NULL PRIMARY KEY, price BIGINT) WITH ('connectors' = '{products}');
CREATE TABLE orders (user_id BIGINT, product_id BIGINT) WITH ('connectors' = '{orders}');
CREATE TABLE staged (id BIGINT NOT NULL PRIMARY KEY, stage INT) WITH ('connectors' = '{stages}');
CREATE MATERIALIZED VIEW spent AS
SELECT u.name, SUM(p.price) AS total
FROM orders o JOIN users u ON o.user_id = u.id JOIN products p ON o.product_id = p.id GROUP BY u.name;
"""
    pipeline = PipelineBuilder(CLIENT, name="documented-s3", sql=sql).create_or_replace()
    pipeline.start()
    pipeline.wait_for_completion(False, timeout_s=150)
    print("spent", json.dumps(list(pipeline.query("SELECT * FROM spent ORDER BY name"))))
    # Every stage overwrites the same key: the last one that was read stays.
    print("staged", json.dumps(list(pipeline.query("SELECT * FROM staged"))))
    remove(pipeline)


def paused_events():
    config = {"topic": "events", "start_from": "earliest", "bootstrap.servers": os.environ["KAFKA"]}
    events = connectors(raw_json("events", {"name": "kafka_input", "config": config}, paused=True))
    sql = f"""
CREATE TABLE events (id BIGINT) WITH ('connectors' = '{events}');
CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS n FROM events;
"""
    pipeline = PipelineBuilder(CLIENT, name="documented-kafka", sql=sql).create_or_replace()
    pipeline.start()
    print("paused", pipeline.input_connector_stats("events", "events").metrics.total_records)
    pipeline.resume_connector("events", "events")
    deadline = time.monotonic() + 150
    while list(pipeline.query("SELECT n FROM total"))[0]["n"] < 100 and time.monotonic() < deadline:
        time.sleep(0.05)
    print("resumed", list(pipeline.query("SELECT n FROM total"))[0]["n"])
    remove(pipeline)


def remove(pipeline):
    pipeline.stop(force=True)
    pipeline.clear_storage()
    pipeline.delete()


dimension_first()
if os.environ.get("KAFKA"):
    paused_events()
