"""Figures from arrays: colours, plotly charts, and files a person can take away."""
