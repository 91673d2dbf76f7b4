"""The Chaos Toolkit runs the example experiment; ``make chaos-toolkit`` installs it into ``venv`` here."""
