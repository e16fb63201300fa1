"""Streamlit blocks shared by the pages."""
