"""An operation with a parameter: the snake activation x + sin(a x)^2 / a. One file, every target."""

import matcalc as mc
from matcalc.extend import Level, Param, Template, anywhere, exact, like, maps, no_facts, op


@op(
    shape=like,
    latex=Template(r"\operatorname{{snake}}\left({0}\right)"),
    numpy=lambda a: Template(f"{{0}} + np.sin({float(a)!r} * {{0}})**2 / {float(a)!r}", Level.SUM, Level.ATOM),
    domain=anywhere,
    source="Ziyin, Hartwig & Ueda, Neural Networks Fail to Learn Periodic Functions (2020)",
    example=("m n", exact("1.5")),
    facts=no_facts,
    params=(Param("a", "number", exact(1)),),
)
def snake(Y, X, a):
    """d snake(X) = (1 + sin(2 a X)) o dX"""
    return (maps.mask(1 + mc.sin(mc.number(2 * a) * X)),)
