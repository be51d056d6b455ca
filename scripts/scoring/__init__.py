"""How well the findings name causes, measured on labelled incidents."""
