"""A second reader of certificates, written from docs/certificate-format.md and docs/theorems.md alone: Python's standard
library, exact integers and fractions, no code in common with certify/check."""
