"""Dagster's storage beside the ledger: what it keeps of runs holds no secret."""

import dagster as dg
from sqlalchemy import Engine, text

from fb_qbo_pipeline.oauth import TokenPair
from fb_qbo_pipeline_tests.pipeline.world import World

TOKEN = "an-access-token/of+today"
JSON_TOKEN = 'refresh"token\\of today'


@dg.op
def quotes_secrets(context: dg.OpExecutionContext) -> None:
    """A library that quotes what it was given, in a log, in metadata and in an error with a cause."""
    TokenPair(TOKEN, JSON_TOKEN)
    context.log.info("sending %s", TOKEN)
    context.log.info(f"{JSON_TOKEN}")
    context.add_output_metadata({"sent": TOKEN, "also": {"nested": JSON_TOKEN}})
    try:
        raise ValueError(JSON_TOKEN)
    except ValueError as error:
        raise dg.Failure(f"refused: {TOKEN}", metadata={"answer": TOKEN}) from error


@dg.job
def leaks() -> None:
    """One step."""
    quotes_secrets()


def test_no_event_of_a_run_holds_a_secret_in_use(hourly_world: World, instance: dg.DagsterInstance, engine: Engine) -> None:
    result = leaks.execute_in_process(instance=instance, raise_on_error=False, tags={"quoted": TOKEN})
    assert not result.success
    with engine.connect() as connection:
        events = connection.execute(text("SELECT event FROM event_logs WHERE run_id = :run"), {"run": result.run_id}).scalars().all()
        runs = connection.execute(text("SELECT run_body FROM runs WHERE run_id = :run"), {"run": result.run_id}).scalars().all()
    stored = "\n".join([*events, *runs])
    assert "refused: [hidden]" in stored
    assert TOKEN not in stored
    assert "token\\\\of today" not in stored
    assert "token\\of today" not in stored
    read = instance.all_logs(result.run_id)
    assert any(entry.dagster_event and entry.dagster_event.is_step_failure for entry in read)
