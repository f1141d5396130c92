"""The dashboard: pages rendered here, one style sheet, one small script, and nothing from elsewhere."""
