"""pandera schemas of the raw, staged and posted tables."""
