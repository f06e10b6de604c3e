package whatsapp

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Meter counts the calls other than messages that one caller makes, and keeps what
// Meta's headers said of the budget: X-Business-Use-Case-Usage for the account,
// X-App-Usage for the app. Not for use by several goroutines.
type Meter struct {
	Calls   int
	Percent int           // the highest share of a budget that was named, in percent
	Wait    time.Duration // until access is regained, as the last answer said
}

// Metered is the same client with its calls counted by m.
func (c *Client) Metered(m *Meter) *Client {
	metered := *c
	metered.meter = m
	return &metered
}

// count takes a call that was made; header is nil for one without an answer.
func (m *Meter) count(header http.Header, now time.Time) {
	if m == nil {
		return
	}
	m.Calls++
	if header == nil {
		return
	}
	m.Wait = retryAfter(header, now)
	shares := []json.RawMessage{json.RawMessage(header.Get("X-App-Usage"))}
	for _, list := range fields(json.RawMessage(header.Get("X-Business-Use-Case-Usage"))) {
		shares = append(shares, elements(list)...)
	}
	for _, s := range shares {
		for _, name := range []string{"call_count", "total_cputime", "total_time"} {
			if n := number(fields(s), name); n != nil {
				m.Percent = max(m.Percent, min(*n, 1000))
			}
		}
	}
}

// clip keeps the beginning of a text of Meta's that is kept and shown.
func clip(s string) string {
	r := []rune(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), ""))
	return string(r[:min(len(r), 300)])
}
