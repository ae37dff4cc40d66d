"""Placement (julkinen työnvälitys): one vacancy, three jobseeker pools, named gaps."""
