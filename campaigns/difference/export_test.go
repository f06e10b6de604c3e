package difference

// Pages lets one statement look at n people.
func (p *Pair) Pages(n int) { p.page = n }
