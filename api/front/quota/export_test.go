package quota

// Buckets is how many callers are remembered.
func (r *Rates) Buckets() int { return len(r.buckets) }
