"""Runs the same moving-average cross in Dacapo and in NautilusTrader, and compares trades, fees and equity.

    python3 -m venv v && v/bin/pip install -r requirements.txt
    cargo build --release && v/bin/python compare.py --dacapo ../../../target/release/dacapo

Ends with 0 if everything is the same to the cent, else with 1 and the first differences.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import pandas as pd

from nautilus import Rules, run

HERE = Path(__file__).resolve().parent
BARS = HERE.parents[2] / "scenarios/data/eurusd-hourly-2017.csv.gz"
RULES = Rules(fast=24, slow=96, size=5000, fee_pct=Decimal("0.002"), dollars=10000)
CENT = Decimal("0.01")


def signals(bars, rules):
    """The same cross worked out in pandas, as the table that Dacapo's agent says."""
    fast, slow = bars.close.rolling(rules.fast).mean(), bars.close.rolling(rules.slow).mean()
    above = (fast > slow)[slow.notna()]
    crosses = above[above != above.shift(fill_value=above.iloc[0])]
    # Nothing is held at first, so there is nothing to sell.
    crosses = crosses[crosses.cummax()]
    close = bars.close[crosses.index]
    return pd.DataFrame(
        {
            "knowable_at": crosses.index + pd.Timedelta("1h"),
            "symbol": "EUR/USDT",
            "action": crosses.map({True: "BUY", False: "SELL"}),
            "confidence": 0.8,
            "entry_price": close,
            # A stake in dollars that comes to the size in euros.
            "size_usd": (close * rules.size).round(5),
            # So far away that they are never met: the strategy has neither.
            "stop_loss": crosses.map({True: 0.01, False: 100.0}),
            "take_profit": crosses.map({True: 100.0, False: 0.01}),
        }
    )


def dacapo(program, bars, rules, broken):
    """The fills, and what the account was worth at each close, out of an export."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        shutil.copy(HERE / "cross.toml", folder)
        shutil.copy(BARS, folder / "bars.csv.gz")
        said = signals(bars, rules).reset_index(drop=True)
        if broken:
            said.loc[10, "knowable_at"] += pd.Timedelta("1h")
        said.to_csv(folder / "signals.csv", index=False)
        call = lambda *words: subprocess.run([program, *words, "-q"], cwd=folder, check=True)
        call("run", "cross.toml", "--out", "cross.dlog")
        call("export", "cross.dlog", "--to", "csv", "--out", "data")
        # Amounts are exact in an export; as text they stay so.
        fills = pd.read_csv(folder / "data/executions.csv", dtype=str)
        worth = pd.read_csv(folder / "data/what_the_account_was_worth.csv")
    fills = [
        {
            # The coordinator looks once a second: the trade belongs to the bar that closed before.
            "ts": pd.Timestamp(row["time"]).floor("1h").value,
            "side": row["side"],
            "size": Decimal(row["size"]),
            "price": Decimal(row["price"]),
            "fee": Decimal(row["fee"]),
        }
        for row in fills.to_dict("records")
    ]
    times = pd.to_datetime(worth.time, format="ISO8601").astype("int64")
    return fills, list(zip(times, (Decimal(str(value)) for value in worth.value)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dacapo", required=True, type=Path)
    parser.add_argument("--break", dest="broken", action="store_true", help="move one signal by a bar; must fail")
    options = parser.parse_args()
    bars = pd.read_csv(BARS, index_col="time", parse_dates=True)
    ours, worth = dacapo(options.dacapo.resolve(), bars, RULES, options.broken)
    theirs, their_worth = run(bars, RULES)
    differences = [
        f"trade {number}: Dacapo {one}, NautilusTrader {other}"
        for number, (one, other) in enumerate(zip(ours, theirs), 1)
        if one != other
    ]
    if len(ours) != len(theirs):
        differences.append(f"Dacapo has {len(ours)} trades, NautilusTrader {len(theirs)}")
    if [at for at, _ in worth] != [at for at, _ in their_worth]:
        differences.append(f"closes at other times: {len(worth)} and {len(their_worth)}")
    gaps = [abs(one - other) for (_, one), (_, other) in zip(worth, their_worth)]
    if max(gaps) >= CENT:
        at = gaps.index(max(gaps))
        differences.append(f"equity at close {at + 1}: {worth[at][1]} and {their_worth[at][1]}")
    fees = sum(fill["fee"] for fill in ours), sum(fill["fee"] for fill in theirs)
    print(f"trades   {len(ours)} and {len(theirs)}")
    print(f"fees     {fees[0]} and {fees[1]}")
    print(f"equity   {worth[-1][1]} and {their_worth[-1][1]} at the end, {len(gaps)} closes")
    print(f"largest difference of equity at a close: {max(gaps)}")
    for difference in differences[:10]:
        print(difference, file=sys.stderr)
    print("the same" if not differences else f"{len(differences)} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
