"""The joint side: vacancies and their feed, recruitment assignments, referrals, job offers, expected supply."""
