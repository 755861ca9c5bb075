"""Runs every line of Python in docs/export.md and docs/backtesting.md on real exports.

    python3 -m venv v && v/bin/pip install -r requirements.txt
    cargo build --release --features parquet && v/bin/python read_back.py --dacapo ../../../target/release/dacapo

Each page's blocks are run one after the other, in a folder with what the page says is there. Ends with an error at
the first line that does not run, and checks that all forms of a log say the same. A program without Parquet is tried
on everything but Parquet.
"""

import argparse
import re
import subprocess
import tempfile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[3]


def blocks(page):
    """The blocks of Python of a page."""
    text = (ROOT / "docs" / page).read_text()
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run_page(page, prepare, without=(), known=(), afterwards=None):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        prepare(folder)
        known = dict(known)
        for number, block in enumerate(blocks(page), 1):
            if any(word in block for word in without):
                print(f"{page}: block {number} left out")
                continue
            code = compile(block, f"{page}, block {number}", "exec")
            with working_in(folder):
                exec(code, known)
            print(f"{page}: block {number} runs")
        if afterwards:
            afterwards(folder)
        return known


class working_in:
    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        import os

        self.before = os.getcwd()
        os.chdir(self.folder)

    def __exit__(self, *_):
        import os

        os.chdir(self.before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dacapo", required=True, type=Path)
    program = parser.parse_args().dacapo.resolve()

    def call(folder, *words, check=True):
        return subprocess.run([program, *words, "-q"], cwd=folder, check=check, capture_output=True, text=True)

    missing = []

    def exports(folder):
        # As after `dacapo run scenarios/eurusd.toml` in the folder of the project.
        call(folder, "run", ROOT / "scenarios/eurusd.toml", "--out", "runs/eurusd-7e1.dlog")
        for form in ("jsonl", "csv", "sqlite", "parquet"):
            done = call(folder, "export", "runs/eurusd-7e1.dlog", "--to", form, check=False)
            if form == "parquet" and "was built without" in done.stderr:
                missing.append("parquet")
            elif done.returncode != 0:
                raise SystemExit(done.stderr)

    with tempfile.TemporaryDirectory() as folder:
        exports(Path(folder))
    known = run_page("export.md", exports, without=missing)
    same(known["from_csv"], known["from_sqlite"], "CSV and SQLite")
    if not missing:
        same(known["from_csv"], known["from_parquet"], "CSV and Parquet")
    assert len(known["events"]) > 10_000, len(known["events"])

    hours = pd.read_csv(
        ROOT / "scenarios/data/eurusd-hourly-2017.csv.gz", index_col="time", parse_dates=True
    )
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    days = hours.resample("1D").agg(rules).dropna()

    def run_on_what_was_written(folder):
        """What the page does with the two files."""
        call(folder, "init", "--data", "btcusd.csv", "--stamped", "open")
        call(folder, "run", "btcusd.toml", "--out", "a.dlog")
        toml = [block for block in re.findall(r"^```toml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)]
        agents = next(block for block in toml if "signals.csv" in block)
        scenario = (folder / "btcusd.toml").read_text()
        # The page's schedule stands in a table of its own.
        scenario = scenario.replace("trading_decision.interval_bars = 1\n", "")
        (folder / "btcusd.toml").write_text(scenario + "\n" + agents)
        call(folder, "run", "btcusd.toml", "--out", "b.dlog")
        call(folder, "export", "b.dlog", "--to", "csv")
        orders = pd.read_csv(folder / "b-csv/orders.csv")
        assert len(orders) > 2, "the signals were traded"
        print(f"backtesting.md: the program made {len(orders)} lines of orders of the signals")

    text = (ROOT / "docs/backtesting.md").read_text()
    known = {"pd": pd, "bars": days}
    run_page("backtesting.md", lambda folder: None, known=known, afterwards=run_on_what_was_written)
    print("everything runs" + (", but for Parquet" if missing else ""))


def same(one, other, what):
    """Two frames of executions: the same events, times and amounts."""
    assert len(one) > 20, len(one)
    for name in one.columns:
        # What is a number with gaps, a frame out of CSV has as 1.0.
        plain = lambda column: column.astype(str).str.removesuffix(".0")
        left, right = plain(one[name]), plain(other[name])
        if name == "time":
            left, right = one[name], other[name]
        if name in ("size", "price", "fee"):
            left, right = left.astype(float), right.astype(float)
        blank = {"nan", "None", ""}
        assert all(a == b or {str(a), str(b)} <= blank for a, b in zip(left, right)), (what, name)
    print(f"{what} say the same of {len(one)} executions")


if __name__ == "__main__":
    main()
