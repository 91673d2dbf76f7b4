"""report.html: one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from reports.findings import Findings
from reports.plots.style import VARIABLES, Plot, for_page
from reports.render import chronicle, closed_loop, facts, generator, tables, units, wording

TEMPLATES = Path(__file__).parent / "templates"

DARK = {
    "--paper": "#14181d",
    "--ink": "#e8ebee",
    "--muted": "#a3adb8",
    "--rule": "#2c333b",
    "--grey": "#69737e",
    "--night": "#000000",
    "--blue": "#4ba3dc",
    "--sky": "#7cc4ee",
    "--green": "#2fb98c",
    "--orange": "#e9a820",
    "--vermillion": "#ee7a2c",
    "--purple": "#d98bb5",
    "--yellow": "#f0e442",
    "--blue-text": "#74b9e6",
    "--sky-text": "#8fcdf2",
    "--green-text": "#55cfa6",
    "--orange-text": "#f0bb4e",
    "--vermillion-text": "#f79a5d",
    "--purple-text": "#e6a6c8",
}
"""The palette on a dark page: the hues of ``plots.style``, lighter."""


def html_of(findings: Findings, plots: Mapping[str, Plot], refuge: str) -> str:
    """The whole page.

    Args:
        findings: What the drill found.
        plots: Figures by name; ``X-narrow`` stands in for ``X`` on a phone.
        refuge: The gateway that took the traffic of the first fault, for the headline.
    """
    return (
        environment(
            tables=tables,
            facts=facts,
            closed_loop=closed_loop,
            generator=generator,
            wording=wording,
            chronicle=chronicle.chronicle,
        )
        .get_template("report.html")
        .render(
            found=findings,
            headline=wording.headline(findings, refuge),
            figures=figures_of(plots),
        )
    )


def environment(**names: object) -> jinja2.Environment:
    """What every page is rendered by; ``names`` are what its template uses."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: units.glued(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.update(
        units=units,
        light=_variables({name: colour for colour, name in VARIABLES.items()}),
        dark=_variables(DARK),
        **names,
    )
    return made


def figures_of(plots: Mapping[str, Plot]) -> dict[str, Sequence[tuple[str, str, Markup]]]:
    """The figures of a page by name, each in its shapes."""
    return {name: _figure(name, plots) for name in plots if not name.endswith("-narrow")}


def _figure(name: str, plots: Mapping[str, Plot]) -> Sequence[tuple[str, str, Markup]]:
    """(class, alt text, SVG) for a wide screen and for a phone."""
    shapes = [("wide-plot", plots[name])]
    if f"{name}-narrow" in plots:
        shapes.append(("narrow-plot", plots[f"{name}-narrow"]))
    # The SVG is drawn by our own code; matplotlib turns text into paths, so nothing of a run is markup in it.
    return [(shape, plot.alt, Markup(for_page(plot.svg, f"{plot.name}-"))) for shape, plot in shapes]  # noqa: S704


def _variables(colours: Mapping[str, str]) -> str:
    return " ".join(f"{name}: {colour};" for name, colour in sorted(colours.items()))
