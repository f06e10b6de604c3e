package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Counts is the judge's count since the journal began.
type Counts struct {
	Requests  int64 `json:"requests"`
	Accepted  int64 `json:"accepted"`
	Refused   int64 `json:"refused"`
	Undecided int64 `json:"undecided"`
	Held      int64 `json:"held"`
	// DuplicateOrdinals counts acceptances beyond the first of one run and
	// ordinal, DuplicateRecipients of one run and person, whatever the endpoints:
	// a message accepted once at each is accepted twice. Requests that did not
	// carry callback data of the form v1.<run>.<ordinal>.<attempt>.<mac> are
	// compared by the whole text.
	DuplicateOrdinals   int64            `json:"duplicate_ordinals"`
	DuplicateRecipients int64            `json:"duplicate_recipients"`
	Duplicates          []Duplicate      `json:"duplicates"` // the first 20
	WithoutCallback     int64            `json:"without_callback_data"`
	ByCode              map[string]int64 `json:"by_code"`
	ByFate              map[string]int64 `json:"by_fate"`
	ByRun               map[string]int64 `json:"accepted_by_run"`
	ByEndpoint          map[string]int64 `json:"accepted_by_endpoint"`
}

// Duplicate points at the two entries; Kind is ordinal or recipient.
type Duplicate struct {
	Kind   string `json:"kind"`
	First  int64  `json:"first_seq"`
	Second int64  `json:"second_seq"`
}

// tally is kept while entries are decided, so a summary of a million entries is
// as quick as one of ten.
type tally struct {
	sum        Counts
	ordinals   map[accept]int64 // to the first entry's sequence
	recipients map[accept]int64
}

type accept struct{ run, item [16]byte }

func newTally() tally {
	return tally{
		sum:        Counts{ByCode: map[string]int64{}, ByFate: map[string]int64{}, ByRun: map[string]int64{}, ByEndpoint: map[string]int64{}},
		ordinals:   map[accept]int64{},
		recipients: map[accept]int64{},
	}
}

func (c *tally) add(e *Entry) {
	c.sum.ByFate[e.Fate]++
	if !e.Accepted {
		c.sum.Refused++
		c.sum.ByCode[strconv.Itoa(e.Code)]++
		return
	}
	c.sum.Accepted++
	c.sum.ByEndpoint[e.Endpoint]++
	if e.Held {
		c.sum.Held++
	}
	if e.CallbackData == "" {
		c.sum.WithoutCallback++
		return
	}
	run, ordinal := splitCallback(e.CallbackData)
	if ordinal != "" { // foreign texts would make the summary grow with every one
		c.sum.ByRun[run]++
	}
	if c.seen(c.ordinals, "ordinal", accept{short(run), short(ordinal)}, e.Seq) {
		c.sum.DuplicateOrdinals++
	}
	if c.seen(c.recipients, "recipient", accept{short(run), short(e.Recipient)}, e.Seq) {
		c.sum.DuplicateRecipients++
	}
}

func (c *tally) seen(m map[accept]int64, kind string, key accept, seq int64) bool {
	first, ok := m[key]
	if !ok {
		m[key] = seq
		return false
	}
	if len(c.sum.Duplicates) < 20 {
		c.sum.Duplicates = append(c.sum.Duplicates, Duplicate{Kind: kind, First: first, Second: seq})
	}
	return true
}

func short(s string) (out [16]byte) {
	sum := sha256.Sum256([]byte(s))
	copy(out[:], sum[:])
	return out
}

// splitCallback reads v1.<run>.<ordinal>.<attempt>.<mac>; any other text is a run
// of its own.
func splitCallback(data string) (run, ordinal string) {
	p := strings.Split(data, ".")
	if len(p) != 5 || p[0] != "v1" || len(p[1]) != 32 {
		return data, ""
	}
	if _, err := hex.DecodeString(p[1]); err != nil {
		return data, ""
	}
	return p[1], p[2]
}
