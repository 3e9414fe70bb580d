"""The lead's: derived tables, reports, completeness, admissions."""
