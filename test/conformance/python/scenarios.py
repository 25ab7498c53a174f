"""What users of the official Feldera client do, against the server at FELDERA_HOST.

    python scenarios.py            every scenario, one line each: `ok NAME` or `not ok NAME: why`

Each scenario makes a pipeline of its own and removes it. Only the public client is used, unmodified; where a call is
missing in an older client its scenario says `skip NAME: why`. Exit code 1 when a scenario fails.
"""

import json
import os
import sys
import tempfile
import time
import traceback
from decimal import Decimal

import pandas as pd
import requests
from feldera import FelderaClient, PipelineBuilder
from feldera.enums import CompletionTokenStatus, PipelineStatus, TransactionStatus

BASE = os.environ.get("FELDERA_HOST", "http://127.0.0.1:8080")
CLIENT = FelderaClient(BASE, api_key=os.environ.get("FELDERA_API_KEY"))
SCENARIOS = []

USERS = """
CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, age INT) WITH ('materialized' = 'true');
CREATE MATERIALIZED VIEW adults AS SELECT id, name FROM users WHERE age >= 18;
CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS n, SUM(age) AS years FROM users;
"""


class Skip(Exception):
    pass


def scenario(function):
    SCENARIOS.append(function)
    return function


def build(name, sql, **options):
    return PipelineBuilder(CLIENT, name=name, sql=sql, **options).create_or_replace()


def remove(pipeline):
    pipeline.stop(force=True)
    pipeline.clear_storage()
    pipeline.delete()


def rows(pipeline, sql):
    return list(pipeline.query(sql))


def until(condition, seconds=100):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("the awaited condition has not come true")
        time.sleep(0.02)


@scenario
def create_start_push_query_delete(name):
    pipeline = PipelineBuilder(CLIENT, name=name, sql=USERS).create()
    assert pipeline.status() == PipelineStatus.STOPPED
    pipeline.start()
    assert pipeline.status() == PipelineStatus.RUNNING
    pipeline.input_json("users", [{"id": 1, "name": "Alice", "age": 30}, {"id": 2, "name": "Bob", "age": 7}])
    assert rows(pipeline, "SELECT * FROM adults") == [{"id": 1, "name": "Alice"}]
    assert rows(pipeline, "SELECT * FROM total") == [{"n": 2, "years": 37}]
    pipeline.stop(force=True)
    assert pipeline.status() == PipelineStatus.STOPPED
    pipeline.clear_storage()
    pipeline.delete()
    assert pipeline.status() == PipelineStatus.NOT_FOUND


@scenario
def creation_to_running_takes_little(name):
    build(name, "CREATE TABLE t (a INT);")
    CLIENT.stop_pipeline(name, force=True)
    # The client polls at once and then sleeps for half a second: one poll has to be enough.
    began = time.monotonic()
    pipeline = PipelineBuilder(CLIENT, name=name, sql=USERS).create_or_replace()
    pipeline.start()
    print(f"# created and running in {1000 * (time.monotonic() - began):.0f} ms", flush=True)
    remove(pipeline)


@scenario
def input_forms(name):
    pipeline = build(name, USERS)
    pipeline.start()
    pipeline.input_json("users", {"id": 1, "name": "A", "age": 20}, update_format="raw")
    pipeline.input_json("users", [{"insert": {"id": 2, "name": "B", "age": 21}}], update_format="insert_delete")
    pipeline.input_json("users", {"delete": {"id": 1}}, update_format="insert_delete")
    pipeline.input_json("users", [])
    assert rows(pipeline, "SELECT id FROM users") == [{"id": 2}]
    remove(pipeline)


@scenario
def force_pushes_into_a_paused_pipeline(name):
    pipeline = build(name, USERS)
    pipeline.start_paused()
    assert pipeline.status() == PipelineStatus.PAUSED
    pipeline.input_json("users", {"id": 5, "name": "E", "age": 50}, force=True)
    assert rows(pipeline, "SELECT id FROM users") == [{"id": 5}]
    pipeline.resume()
    assert pipeline.status() == PipelineStatus.RUNNING
    pipeline.pause()
    assert pipeline.status() == PipelineStatus.PAUSED
    remove(pipeline)


@scenario
def data_frames_in_and_out(name):
    pipeline = build(
        name,
        "CREATE TABLE t (id INT NOT NULL, at TIMESTAMP, x DOUBLE, d DECIMAL(10, 2));"
        "CREATE MATERIALIZED VIEW v AS SELECT * FROM t;",
    )
    pipeline.start()
    out = pipeline.listen("v")
    count = 2500
    frame = pd.DataFrame(
        {
            "id": range(count),
            "at": pd.to_datetime(["2024-01-01 12:00:00"] * count),
            "x": [0.5] * count,
            "d": [1.25] * count,
        }
    )
    pipeline.input_pandas("t", frame)
    assert rows(pipeline, "SELECT COUNT(*) AS n FROM v") == [{"n": count}]
    seen = []
    until(lambda: seen.extend(out.to_dict()) or len(seen) >= count)
    assert len(seen) == count and {row["insert_delete"] for row in seen} == {1}
    assert seen[0]["at"] == pd.Timestamp("2024-01-01 12:00:00"), seen[0]
    remove(pipeline)


@scenario
def listen_sees_deletions_and_every_chunk(name):
    pipeline = build(name, USERS)
    pipeline.start()
    out = pipeline.listen("total")
    chunks = []
    pipeline.foreach_chunk("adults", lambda df, seq: chunks.append((seq, len(df))))
    pipeline.input_json("users", {"id": 1, "name": "A", "age": 20})
    pipeline.input_json("users", {"id": 2, "name": "B", "age": 22})
    seen = []
    until(lambda: seen.extend(out.to_dict()) or any(r["n"] == 2 and r["insert_delete"] == 1 for r in seen))
    assert any(r["n"] == 1 and r["insert_delete"] == -1 for r in seen), seen
    until(lambda: sum(n for _, n in chunks) == 2)
    if hasattr(out, "wait_for_token"):
        token = pipeline.input_json("users", {"id": 3, "name": "C", "age": 1}, wait=False)
        out.wait_for_token(token, timeout_s=100)
        assert any(r["n"] == 3 for r in out.to_dict())
    remove(pipeline)


@scenario
def queries_in_every_format(name):
    pipeline = build(name, USERS)
    pipeline.start()
    pipeline.input_json("users", [{"id": i, "name": f"n{i}", "age": 10 * i} for i in range(1, 4)])
    assert [r["id"] for r in rows(pipeline, "SELECT id FROM users ORDER BY id DESC")] == [3, 2, 1]
    table = "\n".join(pipeline.query_tabular("SELECT id FROM users ORDER BY id LIMIT 1"))
    assert table.splitlines()[:5] == ["+----+", "| id |", "+----+", "| 1  |", "+----+"], table
    batches = [batch.to_pylist() for batch in pipeline.query_arrow("SELECT id, name FROM users ORDER BY id")]
    assert sum(batches, [])[0] == {"id": 1, "name": "n1"}, batches
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "result.parquet")
        pipeline.query_parquet("SELECT id, age FROM users ORDER BY id", path)
        assert pd.read_parquet(path).to_dict("records")[2] == {"id": 3, "age": 30}
    first = pipeline.query_hash("SELECT id FROM users ORDER BY id")
    assert first == pipeline.query_hash("SELECT id FROM users ORDER BY id DESC") and first == first.upper()
    pipeline.execute("INSERT INTO users VALUES (9, 'nine', 99)", wait=True)
    assert rows(pipeline, "SELECT name FROM users WHERE id = 9") == [{"name": "nine"}]
    try:
        rows(pipeline, "SELECT nothing FROM users")
        raise AssertionError("a query over an unknown column must fail")
    except Exception as error:
        assert "nothing" in str(error), error
    remove(pipeline)


CONNECTED = """
CREATE TABLE t (id INT NOT NULL, x DOUBLE) WITH ('materialized' = 'true', 'connectors' = '[
  {"name": "first", "labels": ["a"], "transport": {"name": "datagen", "config": {"plan": [{"limit": 50}]}}},
  {"name": "second", "start_after": "a", "transport": {"name": "datagen", "config": {"plan": [{"limit": 25}]}}},
  {"name": "held", "paused": true, "transport": {"name": "datagen", "config": {"plan": [{"limit": 5}]}}}]');
CREATE MATERIALIZED VIEW v WITH ('connectors' = '[{"name": "sink", "transport": {"name": "null_output"}}]')
  AS SELECT COUNT(*) AS n FROM t;
"""


@scenario
def connectors_wait_pause_and_report(name):
    pipeline = build(name, CONNECTED)
    pipeline.start()
    until(lambda: pipeline.input_connector_stats("t", "second").metrics.end_of_input)
    assert pipeline.input_connector_stats("t", "first").metrics.total_records == 50
    assert pipeline.input_connector_stats("t", "held").paused
    assert rows(pipeline, "SELECT * FROM v") == [{"n": 75}]
    pipeline.resume_connector("t", "held")
    pipeline.wait_for_completion(timeout_s=100)
    assert rows(pipeline, "SELECT * FROM v") == [{"n": 80}]
    assert pipeline.output_connector_stats("v", "sink").metrics.transmitted_records > 0
    pipeline.pause_connector("t", "held")
    assert pipeline.input_connector_stats("t", "held").paused
    if hasattr(pipeline, "pause_output_connector"):
        pipeline.pause_output_connector("v", "sink")
        pipeline.start_output_connector("v", "sink")
    stats = pipeline.stats()
    assert stats.global_metrics.pipeline_complete and stats.global_metrics.total_input_records == 80
    token = pipeline.generate_completion_token("t", "first")
    pipeline.wait_for_token(token)
    assert pipeline.completion_token_status(token) == CompletionTokenStatus.COMPLETE
    remove(pipeline)


@scenario
def completion_tokens(name):
    pipeline = build(name, USERS)
    pipeline.start()
    token = pipeline.input_json("users", {"id": 1, "name": "A", "age": 1}, wait=False)
    pipeline.wait_for_token(token)
    assert pipeline.completion_token_status(token) == CompletionTokenStatus.COMPLETE
    pipeline.wait_for_idle(idle_interval_s=0.3, timeout_s=100)
    remove(pipeline)


@scenario
def transactions_are_one_step(name):
    pipeline = build(name, USERS)
    pipeline.start()
    out = pipeline.listen("total")
    transaction = pipeline.start_transaction()
    assert pipeline.transaction_status() == TransactionStatus.TransactionInProgress
    for i in range(5):
        pipeline.input_json("users", {"id": i, "name": "x", "age": 1}, wait=False)
    assert rows(pipeline, "SELECT n FROM total") == [{"n": 0}]
    pipeline.commit_transaction(transaction)
    until(lambda: rows(pipeline, "SELECT n FROM total") == [{"n": 5}])
    seen = []
    until(lambda: seen.extend(out.to_dict()) or any(r["n"] == 5 for r in seen))
    assert {r["n"] for r in seen} <= {0, 5}, seen
    remove(pipeline)


@scenario
def checkpoint_stop_and_continue(name):
    pipeline = build(name, USERS)
    pipeline.start()
    pipeline.input_json("users", {"id": 1, "name": "A", "age": 20})
    assert pipeline.checkpoint(wait=True) >= 1
    pipeline.input_json("users", {"id": 2, "name": "B", "age": 21})
    pipeline.stop(force=False)
    assert len(pipeline.checkpoints()) >= 1 if pipeline.status() != PipelineStatus.STOPPED else True
    pipeline.start()
    assert [r["id"] for r in rows(pipeline, "SELECT id FROM users ORDER BY id")] == [1, 2]
    pipeline.input_json("users", {"delete": {"id": 1}}, update_format="insert_delete")
    assert rows(pipeline, "SELECT n FROM total") == [{"n": 1}]
    pipeline.restart()
    remove(pipeline)


@scenario
def program_errors_have_their_place(name):
    try:
        build(name, "CREATE TABLE t (a INT);\nCREATE VIEW v AS SELECT b FROM t;")
        raise AssertionError("a program with an unknown column must not compile")
    except RuntimeError as error:
        text = str(error)
        assert "line 2, column 25" in text and '"b"' in text, text
    CLIENT.delete_pipeline(name)


@scenario
def exact_values(name):
    pipeline = build(
        name,
        "CREATE TABLE t (a BIGINT, d DECIMAL(30, 10), at TIMESTAMP, day DATE, clock TIME, b BOOLEAN, u UUID)"
        " WITH ('materialized' = 'true');",
    )
    pipeline.start()
    row = {
        "a": 9007199254740993,
        "d": "12345678901234567890.0123456789",
        "at": "2024-02-29 23:59:59.123456",
        "day": "1969-12-31",
        "clock": "12:34:56",
        "b": None,
        "u": "123e4567-e89b-12d3-a456-426614174000",
    }
    pipeline.input_json("t", row)
    (got,) = rows(pipeline, "SELECT * FROM t")
    assert got["a"] == row["a"] and Decimal(got["d"]) == Decimal(row["d"]) and got["b"] is None, got
    assert got["day"] == row["day"] and got["u"] == row["u"] and got["at"].startswith("2024-02-29T23:59:59.123456"), got
    remove(pipeline)


@scenario
def exact_values_inside_of_others(name):
    sql = """
CREATE TABLE t (id INT NOT NULL PRIMARY KEY, prices DECIMAL(38, 2) ARRAY, rates MAP<VARCHAR, DECIMAL(10, 4)>)
  WITH ('materialized' = 'true');
CREATE MATERIALIZED VIEW v AS SELECT id, prices, rates FROM t;
"""
    pipeline = build(name, sql)
    pipeline.start()
    out = pipeline.listen("v")
    prices = [Decimal("8.00"), Decimal("12345678901234567890.12")]
    # The client's own JSON would make doubles of them.
    body = '{"id": 1, "prices": [8, 12345678901234567890.12], "rates": {"a": 0.1}}'
    requests.post(f"{BASE}/v0/pipelines/{name}/ingress/t?format=json&update_format=raw&wait=processed", data=body).raise_for_status()
    (row,) = rows(pipeline, "SELECT * FROM v")
    assert row["prices"] == prices and row["rates"] == {"a": Decimal("0.1000")}, row
    until(lambda: len(out.to_dict(clear_buffer=False)) == 1)
    (seen,) = out.to_dict()
    assert seen["prices"] == prices, seen
    remove(pipeline)


@scenario
def calls_without_the_client(name):
    """What documentation does with plain requests: batches in, a stream of changes, tokens, orchestration."""
    connector = {
        "name": "ten",
        "transport": {"name": "datagen", "config": {"plan": [{"limit": 10, "fields": {"pid": {"range": [1000, 1010]}}}]}},
    }
    sql = f"""
CREATE TABLE product (pid BIGINT NOT NULL PRIMARY KEY, name VARCHAR, price DOUBLE)
  WITH ('connectors' = '{json.dumps([connector])}');
CREATE MATERIALIZED VIEW average_price AS SELECT name, COUNT(*) AS n FROM product WHERE pid < 1000 GROUP BY name;
"""
    pipeline = build(name, sql)
    pipeline.start()
    url = f"{BASE}/v0/pipelines/{name}"
    headers = {"authorization": "Bearer none"}
    with requests.post(f"{url}/egress/AVERAGE_PRICE?format=json", stream=True, headers=headers) as stream:
        lines = (json.loads(line) for line in stream.iter_lines() if line)
        assert "sequence_number" in next(lines)
        tokens = []
        for first in range(0, 200, 50):
            batch = [{"insert": {"pid": pid, "name": "hammer", "price": 1.5}} for pid in range(first, first + 50)]
            reply = requests.post(f"{url}/ingress/product?format=json&array=true", json=batch, headers=headers)
            reply.raise_for_status()
            tokens.append(reply.json()["token"])
        one_a_line = '{"insert": {"pid": 200, "name": "nail", "price": 0.02}}\n{"delete": {"pid": 199}}'
        requests.post(f"{url}/ingress/PRODUCT?format=json", data=one_a_line, headers=headers).raise_for_status()
        connector_token = requests.get(f"{url}/tables/PRODUCT/connectors/ten/completion_token").json()["token"]
        for token in [*tokens, connector_token]:
            done = lambda: requests.get(f"{url}/completion_status", params={"token": token}).json()["status"] == "complete"
            until(done)
        counts = {}
        for chunk in lines:
            for change in chunk.get("json_data", []):
                sign = 1 if "insert" in change else -1
                row = change.get("insert") or change.get("delete")
                key = (row["name"], row["n"])
                counts[key] = counts.get(key, 0) + sign
            if {k for k, n in counts.items() if n != 0} == {("hammer", 199), ("nail", 1)}:
                break
    for action, paused in (("pause", True), ("start", False)):
        requests.post(f"{url}/tables/product/connectors/ten/{action}").raise_for_status()
        stats = requests.get(f"{url}/tables/product/connectors/ten/stats").json()
        assert stats["paused"] is paused and stats["metrics"]["total_records"] == 10, stats
    assert requests.get(f"{url}/events/latest").json()["deployment_runtime_status"] == "Running"
    assert requests.get(f"{url}/time_series").json()["samples"] is not None
    remove(pipeline)


@scenario
def logs_and_errors(name):
    pipeline = build(name, USERS)
    pipeline.start()
    assert "Fresh start of pipeline log" in next(iter(pipeline.logs()))
    try:
        pipeline.input_json("users", {"id": "not a number"})
        raise AssertionError("a row that does not fit must be refused")
    except Exception as error:
        assert "id" in str(error), error
    stats = pipeline.stats()
    assert sum(i.metrics.num_parse_errors for i in stats.inputs) == 1
    remove(pipeline)


def main():
    failed = 0
    wanted = sys.argv[1:]
    for function in SCENARIOS:
        name = function.__name__
        if wanted and name not in wanted:
            continue
        try:
            function(f"py_{name}")
            print(f"ok {name}", flush=True)
        except Skip as reason:
            print(f"skip {name}: {reason}", flush=True)
        except BaseException as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)
            place = [f.lineno for f in where if f.filename.endswith("scenarios.py")][-1:]
            text = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"not ok {name}: line {place}: {text[:600]}", flush=True)
    sys.exit(1 if failed else 0)


main()
