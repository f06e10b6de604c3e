package errs

import "sync"

// Entry is one code of the catalogue. EN and AR are full sentences that say
// what is wrong and what to do; {name} is filled from the parameters.
type Entry struct {
	Code   string
	Status int
	EN     string
	AR     string
}

// All returns the whole catalogue, noun by noun.
func All() []Entry {
	var all []Entry
	for _, part := range [][]Entry{
		catalogueAPI, catalogueAccounts, catalogueContacts, catalogueNumbers, catalogueCampaigns, catalogueMessages, cataloguePortfolios,
		catalogueBreaker, catalogueBilling, catalogueTransport, catalogueCaps,
	} {
		all = append(all, part...)
	}
	return all
}

// Lookup finds a code's entry.
func Lookup(code string) (Entry, bool) {
	e, ok := byCode()[code]
	return e, ok
}

var byCode = sync.OnceValue(func() map[string]Entry {
	m := make(map[string]Entry)
	for _, e := range All() {
		m[e.Code] = e
	}
	return m
})
