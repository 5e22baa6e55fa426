"""A job that takes as long as it is let, and tells who carries it out."""

import os
import time
from pathlib import Path

import dagster as dg


@dg.op
def work(context: dg.OpExecutionContext) -> None:
    folder = Path(os.environ["TINY_FOLDER"])
    with (folder / "begun").open("a") as begun:
        begun.write(f"{context.run_id} {os.getpid()}\n")
    until = time.monotonic() + 300
    while not (folder / "go").exists() and time.monotonic() < until:
        time.sleep(0.05)
    with (folder / "ended").open("a") as ended:
        ended.write(f"{context.run_id} {os.getpid()}\n")


@dg.job(executor_def=dg.in_process_executor)
def tiny() -> None:
    work()


defs = dg.Definitions(jobs=[tiny])
