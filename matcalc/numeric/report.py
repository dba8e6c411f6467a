"""The report of a numeric check."""

from __future__ import annotations

from dataclasses import dataclass

from matcalc.languages import ENGLISH, Message
from matcalc.languages import language as language_of


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found; true where everything agreed.

    Attributes:
        ok: whether every derivative agreed within a relative error of 1e-6, and at least one point was checked.
        worst: the worst relative error.
        errors: the worst relative error by name.
        trials: how many points were checked.
        seed: of the random numbers; the same seed gives the same report.
        sizes: the sizes of the dimensions at each point.
        reason: why it is not ok, or empty.
        notice: what undeclared names were taken for, if there are any.
    """

    ok: bool
    worst: float
    errors: dict[str, float]
    trials: int
    seed: int
    sizes: tuple[dict[str, int], ...] = ()
    reason: str = ""
    notice: Message | None = None

    def __bool__(self) -> bool:
        return self.ok

    def _repr_markdown_(self) -> str:
        first, *rest = str(self).splitlines()
        return "\n".join([f"{'✓' if self.ok else '✗'} {first}", *(f"- {line.strip()}" for line in rest)])

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = ENGLISH) -> str:
        """The report in plain text; the reason of a failure stays in English."""
        t = language_of(language).filled
        if not self.trials:
            lines = [t("The generated derivative was not compared with finite differences")]
        else:
            agrees = "The generated derivative agrees with finite differences"
            differs = "The generated derivative DISAGREES with finite differences"
            worst = t(
                "worst relative error {0} at {1} random points (seed {2})",
                *(f"{self.worst:.1e}", str(self.trials), str(self.seed)),
            )
            lines = [f"{t(agrees if self.ok else differs)}: {worst}"]
            lines += [f"  {name}: {error:.1e}" for name, error in self.errors.items()]
            for sizes in self.sizes[:1]:
                if sizes:
                    lines.append("  " + t("sizes: {0}", ", ".join(f"{k} = {v}" for k, v in sizes.items())))
        if self.reason:
            lines.append(f"  {self.reason}")
        if self.notice is not None:
            lines.append(f"  {self.notice.text(language)}")
        return "\n".join(lines)
