class Lemma:
    pass
RULES = {}
