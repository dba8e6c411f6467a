"""Verdicts on claims: proofs by normal form, counterexamples, diagnoses of hand derivations."""
