"""The rewriting engine: patterns, rules, tidying and the measure that rules decrease."""
