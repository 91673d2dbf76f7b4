"""How every figure looks: the palette, the type, and the two files that are made of one figure.

The palette is Okabe and Ito's (2008), chosen to be told apart by colour-blind readers; what matters is
hatched as well. Text takes darker shades of the same hues, for contrast of at least 4.5 on white.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from reports.render import units

PAPER = "#ffffff"
INK = "#1c2127"
MUTED = "#59636e"
RULE = "#dfe3e8"
GREY = "#b4bac2"
NIGHT = "#1d2228"
ON_NIGHT = "#fdfdfd"

BLUE = "#0072b2"
SKY = "#56b4e9"
GREEN = "#009e73"
ORANGE = "#e69f00"
VERMILLION = "#d55e00"
PURPLE = "#cc79a7"
YELLOW = "#f0e442"

BLUE_TEXT = "#005e94"
GREEN_TEXT = "#006b4f"
ORANGE_TEXT = "#8a5a00"
VERMILLION_TEXT = "#a94700"
PURPLE_TEXT = "#94406e"
SKY_TEXT = "#1f6c9c"

TEXT_OF = {
    BLUE: BLUE_TEXT,
    SKY: SKY_TEXT,
    GREEN: GREEN_TEXT,
    ORANGE: ORANGE_TEXT,
    VERMILLION: VERMILLION_TEXT,
    PURPLE: PURPLE_TEXT,
    GREY: MUTED,
}
"""Colour of a mark -> colour of the words about it."""

SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, YELLOW)
"""Colours of gateways and phases, in this order."""

VARIABLES = {
    PAPER: "--paper",
    INK: "--ink",
    MUTED: "--muted",
    RULE: "--rule",
    GREY: "--grey",
    NIGHT: "--night",
    BLUE: "--blue",
    SKY: "--sky",
    GREEN: "--green",
    ORANGE: "--orange",
    VERMILLION: "--vermillion",
    PURPLE: "--purple",
    YELLOW: "--yellow",
    BLUE_TEXT: "--blue-text",
    SKY_TEXT: "--sky-text",
    GREEN_TEXT: "--green-text",
    ORANGE_TEXT: "--orange-text",
    VERMILLION_TEXT: "--vermillion-text",
    PURPLE_TEXT: "--purple-text",
}
"""Colour -> the CSS variable that a page may set to recolour a figure (see ``for_page``)."""

WIDE = 10.0
"""Width in inches of a figure for a screen; 1600 px at ``DPI``."""

NARROW = 4.4
"""Width in inches of the same figure for a phone."""

DPI = 160

_RC: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so a figure is the same on every machine
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": MUTED,
    "axes.facecolor": PAPER,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
    "xtick.major.size": 3.5,
    "xtick.minor.size": 0,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "hatch.linewidth": 0.8,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.hashsalt": "paydrill",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "svg.fonttype": "path",
    "path.simplify": True,
    "axes.formatter.useoffset": False,
}


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished figure.

    Attributes:
        name: File name without ending.
        alt: What it shows, in words, for those who do not see it.
        svg: The file's text.
        png: The file's bytes; empty for a figure that only the page shows.
    """

    name: str
    alt: str
    svg: str
    png: bytes


@contextmanager
def styled() -> Iterator[None]:
    """matplotlib with the settings of this house, whatever the reader's own are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(cast(Any, _RC))
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, without pyplot and its global state."""
    layout = ConstrainedLayoutEngine(h_pad=0.06, w_pad=0.08, hspace=0.02)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def headline(figure: Figure, text: str, size: float = 13.0) -> None:
    """Set the finding as the title, from the left edge, wrapped to the figure's width."""
    width, _ = figure.get_size_inches()
    # DejaVu Sans bold is 0.65 em wide on average; a point is 1/72 inch.
    characters = int((width - 0.3) * 72 / (size * 0.65))
    figure.suptitle(
        "\n".join(textwrap.wrap(units.glued(text), characters)),
        x=0.012,
        ha="left",
        size=size,
        weight="bold",
        color=INK,
    )


def footer(figure: Figure, text: str) -> None:
    """Where the figure comes from, in small type below it: it travels without its report."""
    figure.supxlabel(text, x=0.012, ha="left", size=8, color=MUTED)


def caption(axes: Axes, text: str, note: str = "", size: float = 9.5) -> None:
    """What a panel shows, above it, from the left: bold, then a lighter note."""
    axes.set_title(text, loc="left", size=size, weight="bold", color=INK, pad=5)
    if note:
        axes.set_title(note, loc="right", size=size - 1, color=MUTED, pad=5)


def label(text: str, most: int = 18) -> str:
    """A name of any length and content as a label: on one line, cut where it would push the plot aside."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


def empty(axes: Axes, text: str) -> None:
    """Say in the middle of a panel why nothing is drawn in it."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=MUTED)


def save(figure: Figure, name: str, alt: str, png: bool = True) -> Plot:
    """Both files of a figure; the same bytes for the same figure."""
    # Where everything goes is worked out once, for both files.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        # The layout's solver adds its constraints up in the order of memory addresses: the last digits of
        # what it finds differ from process to process, and so would the ids that are hashed from them.
        left, bottom, width, height = (round(edge, 6) for edge in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))
    pixels = io.BytesIO()
    if png:
        figure.savefig(pixels, format="png", dpi=DPI, metadata={"Software": None})
    vector = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(vector, format="svg", metadata=metadata)
    return Plot(name, alt, vector.getvalue(), pixels.getvalue())


_COLOUR = re.compile(r"#[0-9a-f]{6}(?=[;\"])")
_ID = re.compile(r'(\bid="|href="#|url\(#)')


def for_page(svg: str, prefix: str) -> str:
    """The ``<svg>`` element alone, to stand in an HTML page beside others.

    Its colours become the CSS variables of ``VARIABLES`` (with the colour itself as fallback), so that the
    page can go dark; its ids get ``prefix``, so that two figures never share one; its size is left to the
    page. The element is hidden from screen readers: the page says its alt text.
    """
    body = svg[svg.index("<svg") :]
    head, rest = body.split(">", 1)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    rest = re.sub(r"\s*<metadata>.*?</metadata>", "", rest, flags=re.DOTALL)
    # Texts are drawn as paths, and repeated in comments; in HTML the namespaces go without saying.
    head = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", head)
    rest = re.sub(r"\s*<!--.*?-->", "", rest, flags=re.DOTALL).replace("xlink:href=", "href=")
    body = f'{head} aria-hidden="true" focusable="false">{rest}'
    body = _COLOUR.sub(lambda m: f"var({VARIABLES[m[0]]}, {m[0]})" if m[0] in VARIABLES else m[0], body)
    return _ID.sub(lambda m: m[1] + prefix, body).strip()
