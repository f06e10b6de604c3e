package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"
)

// Totals is the accounting; its members are in canonical order.
type Totals struct {
	Accepted         int64            `json:"accepted"`
	AcceptedRequests int64            `json:"accepted_requests"`
	Failed           map[string]int64 `json:"failed"`
	Held             int64            `json:"held"`
	MoreThanOnce     int64            `json:"more_than_once"`
	Ready            int64            `json:"ready"`
	ResentByEvidence int64            `json:"resent_by_evidence"`
	ResentByPerson   int64            `json:"resent_by_person"`
	Sending          int64            `json:"sending"`
	Suppressed       map[string]int64 `json:"suppressed"`
	Total            int64            `json:"total"`
	Unconfirmed      int64            `json:"unconfirmed"`
	Unknown          int64            `json:"unknown"`
}

// Sum adds up the parts of the accounting identity.
func (t Totals) Sum() int64 {
	return Sum(t.Suppressed) + t.Ready + t.Sending + t.Held + t.Accepted + Sum(t.Failed) + t.Unknown + t.Unconfirmed
}

// Sum adds up the people of all reasons.
func Sum(reasons map[string]int64) (n int64) {
	for _, v := range reasons {
		n += v
	}
	return n
}

func (c *checker) count(p Person) {
	t := &c.Totals
	t.Total++
	t.AcceptedRequests += int64(p.Accepted)
	if p.Accepted > 1 {
		t.MoreThanOnce++
	}
	for _, s := range p.Steps {
		switch s.Outcome {
		case "resent_by_evidence":
			t.ResentByEvidence++
		case "resent_by_person":
			t.ResentByPerson++
		}
	}
	switch p.State {
	case "suppressed":
		t.Suppressed[p.Reason]++
	case "failed":
		t.Failed[p.Reason]++
	case "ready":
		t.Ready++
	case "sending":
		t.Sending++
	case "held":
		t.Held++
	case "unknown":
		t.Unknown++
	case "unconfirmed":
		t.Unconfirmed++
	case "accepted", "sent", "delivered", "read", "played":
		t.Accepted++
	}
}

// compare holds what the certificate says of itself against what was counted.
func (c *checker) compare(said Totals) {
	got := c.Totals
	for _, f := range []struct {
		name      string
		said, got int64
	}{
		{"total", said.Total, got.Total}, {"ready", said.Ready, got.Ready}, {"sending", said.Sending, got.Sending},
		{"held", said.Held, got.Held}, {"accepted", said.Accepted, got.Accepted}, {"unknown", said.Unknown, got.Unknown},
		{"unconfirmed", said.Unconfirmed, got.Unconfirmed}, {"accepted_requests", said.AcceptedRequests, got.AcceptedRequests},
		{"more_than_once", said.MoreThanOnce, got.MoreThanOnce}, {"resent_by_evidence", said.ResentByEvidence, got.ResentByEvidence},
		{"resent_by_person", said.ResentByPerson, got.ResentByPerson},
	} {
		if f.said != f.got {
			c.fault("The totals say %s %d; the people counted come to %d.", f.name, f.said, f.got)
		}
	}
	if !maps.Equal(said.Suppressed, got.Suppressed) || !maps.Equal(said.Failed, got.Failed) {
		c.fault("The totals by reason are not those of the people counted.")
	}
	if said.Total != said.Sum() {
		c.fault("The accounting does not add up: total %d, its parts %d.", said.Total, said.Sum())
	}
}

// ledgers is the tie to the sealed ledgers; members in canonical order.
type ledgers struct {
	Audit struct {
		Blocks  []block `json:"blocks"`
		Entries []struct {
			Action string    `json:"action"`
			At     time.Time `json:"at"`
			Block  int64     `json:"block"`
			Hash   string    `json:"hash"`
			ID     string    `json:"id"`
		} `json:"entries"`
	} `json:"audit"`
	Consent struct {
		Hash   string `json:"hash"`
		Number int64  `json:"number"`
	} `json:"consent"`
}

type block struct {
	Hash     string   `json:"hash"`
	Number   int64    `json:"number"`
	Previous string   `json:"previous"`
	Rows     []string `json:"rows"`
}

func (c *checker) readLedgers() error {
	var l ledgers
	line, err := c.element(&l)
	if err != nil {
		return err
	}
	c.link(c.digest, line)
	blocks := map[int64]block{}
	for i, b := range l.Audit.Blocks {
		if b.computed() != b.Hash {
			c.fault("Block %d of the audit ledger does not have the hash of its rows.", b.Number)
		}
		if i > 0 && b.Number <= l.Audit.Blocks[i-1].Number {
			c.fault("Block %d of the audit ledger is out of order.", b.Number)
		}
		if before, there := blocks[b.Number-1]; there && before.Hash != b.Previous {
			c.fault("Block %d of the audit ledger does not follow from block %d.", b.Number, b.Number-1)
		}
		blocks[b.Number] = b
		c.Blocks++
	}
	launched := false
	for _, e := range l.Audit.Entries {
		launched = launched || e.Action == "campaign.launched"
		if e.Block != 0 && !slices.Contains(blocks[e.Block].Rows, e.Hash) {
			c.fault("The audit entry %s (%s) is not in block %d, which is said to seal it.", e.ID, e.Action, e.Block)
		}
	}
	if !launched {
		c.fault("No audit entry says who launched the campaign.")
	}
	return nil
}

// computed is SHA-256 over the previous block's hash and those of the rows.
func (b block) computed() string {
	sum := sha256.New()
	for _, text := range append([]string{b.Previous}, b.Rows...) {
		raw, err := hex.DecodeString(text)
		if err != nil {
			return "not hexadecimal"
		}
		sum.Write(raw)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
