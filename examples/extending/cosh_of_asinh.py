import matcalc as mc
from matcalc.extend import rule


@rule(A="m n", source="Abramowitz & Stegun (1964), 4.5")
def cosh_of_asinh(A):
    """cosh(asinh(X)) = sqrt(1 + X.^2)"""
    return mc.cosh(mc.asinh(A)), mc.sqrt(1 + mc.power(A, 2))
