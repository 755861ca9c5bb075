"""The moving-average cross of this comparison, run by NautilusTrader."""

from dataclasses import dataclass
from decimal import Decimal

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import SimpleMovingAverage
from nautilus_trader.model.currencies import EUR, USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
PAIR = InstrumentId(Symbol("EUR/USDT"), VENUE)
BARS = BarType.from_str(f"{PAIR}-1-HOUR-LAST-EXTERNAL")


@dataclass(frozen=True)
class Rules:
    """What both programs go by."""

    fast: int
    slow: int
    size: int
    fee_pct: Decimal
    dollars: int


class Cross(Strategy):
    """Long while the fast average is above the slow one, else flat."""

    def __init__(self, rules):
        super().__init__(StrategyConfig())
        self.rules = rules
        self.fast = SimpleMovingAverage(rules.fast)
        self.slow = SimpleMovingAverage(rules.slow)
        self.above = None
        self.fills = []
        self.equity = []

    def on_start(self):
        self.register_indicator_for_bars(BARS, self.fast)
        self.register_indicator_for_bars(BARS, self.slow)
        self.subscribe_bars(BARS)

    def on_bar(self, bar):
        self.note_equity(bar)
        if not self.indicators_initialized():
            return
        above, before = self.fast.value > self.slow.value, self.above
        self.above = above
        if before is None or above == before:
            return
        is_long = self.portfolio.is_net_long(PAIR)
        if above and not is_long:
            self.trade(OrderSide.BUY)
        elif not above and is_long:
            self.trade(OrderSide.SELL)

    def trade(self, side):
        size = Quantity.from_int(self.rules.size)
        self.submit_order(self.order_factory.market(PAIR, side, size))

    def note_equity(self, bar):
        """What the account is worth at the close of a bar, before anything is done at it."""
        account = self.portfolio.account(VENUE)
        dollars = account.balance_total(USDT).as_decimal()
        euros = account.balance_total(EUR)
        euros = euros.as_decimal() if euros else Decimal(0)
        self.equity.append((bar.ts_event, dollars + euros * bar.close.as_decimal()))

    def on_order_filled(self, event):
        self.fills.append(
            {
                "ts": event.ts_event,
                "side": "buy" if event.order_side == OrderSide.BUY else "sell",
                "size": event.last_qty.as_decimal(),
                "price": event.last_px.as_decimal(),
                "fee": event.commission.as_decimal(),
            }
        )


def run(bars, rules):
    """The fills, and what the account was worth at each close."""
    # Account and fills are kept in memory only; nothing is written and nothing is fetched.
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        starting_balances=[Money(rules.dollars, USDT), Money(0, EUR)],
    )
    fee = rules.fee_pct / 100
    engine.add_instrument(
        CurrencyPair(
            instrument_id=PAIR,
            raw_symbol=Symbol("EUR/USDT"),
            base_currency=EUR,
            quote_currency=USDT,
            price_precision=5,
            size_precision=0,
            price_increment=Price.from_str("0.00001"),
            size_increment=Quantity.from_int(1),
            maker_fee=fee,
            taker_fee=fee,
            ts_event=0,
            ts_init=0,
        )
    )
    engine.add_data([bar_of(row) for row in bars.itertuples()])
    strategy = Cross(rules)
    engine.add_strategy(strategy)
    engine.run()
    engine.dispose()
    return strategy.fills, strategy.equity


def bar_of(row):
    # A row is stamped when its hour begins; a bar is known when it closes.
    closes = (row.Index + pd.Timedelta("1h")).value
    price = lambda value: Price(value, 5)
    volume = Quantity(row.volume, 0)
    return Bar(
        BARS,
        price(row.open),
        price(row.high),
        price(row.low),
        price(row.close),
        volume,
        ts_event=closes,
        ts_init=closes,
    )
