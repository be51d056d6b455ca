"""`incidents`: what is wrong in the clusters, why, and since when."""
