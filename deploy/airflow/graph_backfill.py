"""An Airflow DAG (2.4 or newer) that backfills every hour: an example to copy into the folder of DAGs, not a part of the package.

A plain BashOperator, since a backfill is one process with an exit code: 0 done, 1 failed or stopped, 2 wrong usage. Where tasks are to
run in Kubernetes, put the same command into a KubernetesPodOperator with the container of deploy/backfill/cronjob.yaml.
"""

from datetime import UTC, datetime, timedelta

from airflow import DAG
from airflow.operators.bash import BashOperator

# The interval is Airflow's own, so that `airflow dags backfill` and the grid mean what they say. The ledger makes a task that is cleared
# and run again go on after the slices that are done; add --again to have all of it done anew.
COMMAND = (
    "python -m pipelines.backfill run"
    " --from '{{ data_interval_start.isoformat() }}' --to '{{ data_interval_end.isoformat() }}'"
    " --source archive --json"
)

with DAG(
    dag_id="graph_backfill",
    schedule="15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    # Airflow makes up for the intervals that it missed; without it, use --catch_up --every 1h and let the ledger do that.
    catchup=True,
    # Different ranges may run at the same time (only the same one is locked); more than two only share the same Neo4j.
    max_active_runs=2,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=2),
        "retry_exponential_backoff": True,
        "execution_timeout": timedelta(hours=6),
    },
    tags=["graph"],
) as dag:
    BashOperator(
        task_id="backfill",
        bash_command=COMMAND,
        # NEO4J_URI, NEO4J_PASSWORD_FILE, ARCHIVE and so on come from the worker's own environment: a secret in a template or a
        # variable of Airflow's would show in the rendered task.
        append_env=True,
        # SIGTERM goes to the process, which ends after the slice that it is in.
        do_xcom_push=False,
    )
