"""The joint office's side: catalogue, queue and seats, formation, procurement, candidates, supply planning."""
