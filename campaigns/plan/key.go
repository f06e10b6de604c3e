package plan

// RecipientKey is the person's address in its one written form, which the keyed
// hash of a place and of a service window is made of.
func (p Person) RecipientKey() string { return p.recipientKey() }
