"""A document on paper size A4, as PDF: a title, named values, tables and paragraphs, in any of Europe's letters."""

from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from typing import Final

_GREY: Final = (232, 238, 244)


class Paper:
    """A document that is written from top to bottom. The same content and time give the same file."""

    def __init__(self, title: str, lang: str, made_at: datetime) -> None:
        from fpdf import FPDF  # noqa: PLC0415 - brings numpy: 35 MB and a third of a second, for few requests

        self._page = FPDF(format="A4")
        self._page.set_creation_date(made_at)
        self._page.set_lang(lang)
        self._page.set_title(title)
        # The built-in fonts lack what stands outside Latin-1, such as a dash; this one comes with the plots.
        fonts = files("matplotlib").joinpath("mpl-data/fonts/ttf")
        self._page.add_font("dejavu", "", str(fonts.joinpath("DejaVuSans.ttf")))
        self._page.add_font("dejavu", "B", str(fonts.joinpath("DejaVuSans-Bold.ttf")))
        self._page.add_page()
        self._write(title, 15, 8, style="B")
        self._page.ln(2)

    def values(self, named: Sequence[tuple[str, str]]) -> None:
        """Write values with their names."""
        for name, value in named:
            self._write(f"{name}: {value}", 10, 6)
        self._page.ln(2)

    def heading(self, text: str) -> None:
        """Write a heading."""
        self._write(text, 11, 7, style="B")

    def paragraph(self, text: str) -> None:
        """Write a paragraph."""
        self._write(text, 10, 5.5)
        self._page.ln(2)

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Write a table; the first row is its heading."""
        from fpdf.fonts import FontFace  # noqa: PLC0415 - as above

        self._page.set_font("dejavu", "", 8)
        headings = FontFace(emphasis="BOLD", fill_color=_GREY)
        with self._page.table(headings_style=headings, text_align="LEFT", line_height=5) as table:
            for row in rows:
                table.row(list(row))
        self._page.ln(2)

    def pdf(self) -> bytes:
        """Return the document."""
        return bytes(self._page.output())

    def _write(self, text: str, size: float, height: float, style: str = "") -> None:
        self._page.set_font("dejavu", style, size)
        self._page.multi_cell(0, height, text, new_x="LMARGIN", new_y="NEXT")
