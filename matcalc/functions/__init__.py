"""Generated functions of a problem: the modules that are asked for, their certificate, objectives."""
