"""The views of the money, combination by combination: where they agree, and where they do not."""

from __future__ import annotations

from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from reports.findings import Money
from reports.plots import style
from reports.render import units, wording
from reports.render.wording import Concord

MOST_ROWS = 12

_LOOKS: dict[Concord, tuple[str, str]] = {
    "agree": (style.GREEN, ""),
    "resolved": (style.ORANGE, "//"),
    "disagree": (style.VERMILLION, "xx"),
}


def money(found: Money, narrow: bool = False) -> style.Plot:
    """Bars of the number of orders per combination of views, on a log axis: 1 order in 200,000 shows."""
    rows = sorted(found.agreements, key=lambda row: (-row.orders, row.client, row.platform, row.captures))
    rows = rows[:MOST_ROWS]
    with style.styled():
        figure = style.new_figure(
            style.NARROW if narrow else style.WIDE * 0.8, 1.35 + 0.36 * max(len(rows), 1)
        )
        axes = figure.subplots()
        style.headline(figure, finding(found), 11 if narrow else 12.5)
        axes.set_xscale("log")
        most = max([row.orders for row in rows] or [1])
        axes.set_xlim(0.7, most * 2)
        axes.set_ylim(max(len(rows), 1) - 0.4, -0.6)
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        axes.xaxis.set_major_locator(FixedLocator([10.0**p for p in range(9) if 10**p <= most * 2]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: units.count(x)))
        axes.set_xlabel("orders, on a log axis", size=9)
        for at, row in enumerate(rows):
            colour, hatch = _LOOKS[wording.concord(row)]
            axes.barh(
                at,
                row.orders - 0.7,
                left=0.7,
                height=0.62,
                fc=colour,
                alpha=0.6,
                hatch=hatch,
                ec=style.PAPER,
                lw=0,
            )
            axes.annotate(
                units.count(row.orders),
                (row.orders, at),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                size=9,
                weight="bold",
                color=style.TEXT_OF[colour],
                annotation_clip=False,
            )
        axes.yaxis.set_major_locator(FixedLocator(list(range(len(rows)))))
        axes.set_yticklabels([wording.combination(row, narrow) for row in rows])
        if not rows:
            style.empty(axes, "no order")
        return style.save(figure, "money-narrow" if narrow else "money", alt_text(found), png=not narrow)


def finding(found: Money) -> str:
    """What the views say together, in a sentence."""
    orders = {
        concord: sum(row.orders for row in found.agreements if wording.concord(row) == concord)
        for concord in ("disagree", "resolved")
    }
    if not found.orders:
        return "No order, so no money to compare"
    if orders["disagree"]:
        whole = units.count(found.orders)
        return f"The views do not agree on {units.plural(orders['disagree'], 'order')} of {whole}"
    if orders["resolved"]:
        learned = f"the client never learned the outcome of {units.count(orders['resolved'])}"
        return f"Ledger and gateways agree on all {units.plural(found.orders, 'order')}; {learned}"
    return f"Client, ledger and gateways agree on all {units.plural(found.orders, 'order')}"


def alt_text(found: Money) -> str:
    """The figure in words."""
    rows = [f"{wording.combination(row)}: {units.plural(row.orders, 'order')}." for row in found.agreements]
    return " ".join([finding(found) + ".", *rows[:MOST_ROWS]])
