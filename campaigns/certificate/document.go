package certificate

// Document is the form of a certificate as a whole, for its description alone:
// it is written and checked piece by piece. Certificate, Totals and Ledgers have
// the members that docs/UNKNOWN.md lists.
type Document struct {
	Certificate map[string]any   `json:"certificate" doc:"What it is about: campaign, run, policy, times"`
	Recipients  []map[string]any `json:"recipients" doc:"Everybody, in the order of sending, by keyed hash: never a phone number"`
	Totals      map[string]any   `json:"totals" doc:"The accounting, counted from the recipients"`
	Ledgers     map[string]any   `json:"ledgers" doc:"The audit entries of the campaign with the sealed blocks that hold them; the head of the consent ledger"`
	Seal        struct {
		Method string `json:"method" doc:"sha256-chain"`
		Value  string `json:"value" doc:"The last link; the audit holds it too"`
	} `json:"seal"`
}
