"""Reports: sections of SQL run over a selection, one model of what they found, and its forms.

Knows neither corpus nor selection: it asks an engine about a relation of images.
"""
