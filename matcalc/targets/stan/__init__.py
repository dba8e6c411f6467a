"""Stan."""

from matcalc.targets.registry import Target
from matcalc.targets.stan.module import stan_text
from matcalc.targets.stan.run import stan_functions

TARGET = Target(
    "stan",
    stan_text,
    language="the functions block of a Stan program",
    suffix=".stan",
    runner=stan_functions,
    three_axes=False,
)
