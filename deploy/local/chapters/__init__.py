"""The chapters of the demonstration: eight about one change-situation notice, then one for each other service."""
