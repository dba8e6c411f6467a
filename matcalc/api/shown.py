"""What can be looked at: one page, as text, LaTeX and Markdown."""

from __future__ import annotations

from abc import ABC, abstractmethod

from matcalc.printing.style import STANDARD, Notation


class Shown(ABC):
    """The pages of a derivation; what is on them is written by `_page`."""

    @abstractmethod
    def _page(self, medium: str, style: str, layout: str, notation: Notation, language: str, *, hessian: bool) -> str:
        """The page as `text`, `latex` or `markdown`."""

    def text(
        self, style: str = "steps", layout: str = "denominator", *, language: str = "en", hessian: bool = False
    ) -> str:
        """The derivation as plain text.

        Args:
            style: `steps`, `jacobians`, `differential` or `result`; of programs with loops `steps` or `result`.
            layout: `denominator`, or `numerator`: gradients are transposed.
            language: of the words.
            hessian: the Hessians by the variables follow, as the differential of the gradient.

        Raises:
            MatcalcError: another style, layout or language.
            NoRuleError: what is asked for is not available for programs with loops.
        """
        return self._page("text", style, layout, STANDARD, language, hessian=hessian)

    def latex(
        self,
        style: str = "steps",
        layout: str = "denominator",
        notation: Notation = STANDARD,
        *,
        language: str = "en",
        hessian: bool = False,
    ) -> str:
        """The same as LaTeX that JupyterLab, VS Code and pdflatex render, with the symbols of `notation`."""
        return self._page("latex", style, layout, notation, language, hessian=hessian)

    def markdown(
        self,
        style: str = "steps",
        layout: str = "denominator",
        notation: Notation = STANDARD,
        *,
        language: str = "en",
        hessian: bool = False,
    ) -> str:
        """The same as Markdown with LaTeX formulas, with the symbols of `notation`."""
        return self._page("markdown", style, layout, notation, language, hessian=hessian)

    def __str__(self) -> str:
        return self.text()
