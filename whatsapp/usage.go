package whatsapp

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
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
	type share struct {
		Calls int `json:"call_count"`
		CPU   int `json:"total_cputime"`
		Time  int `json:"total_time"`
	}
	var app share
	if json.Unmarshal([]byte(header.Get("X-App-Usage")), &app) == nil {
		m.Percent = max(m.Percent, app.Calls, app.CPU, app.Time)
	}
	var accounts map[string][]share
	if json.Unmarshal([]byte(header.Get("X-Business-Use-Case-Usage")), &accounts) == nil {
		for _, list := range accounts {
			for _, s := range list {
				m.Percent = max(m.Percent, s.Calls, s.CPU, s.Time)
			}
		}
	}
	m.Percent = min(max(m.Percent, 0), 1000)
}

// clip keeps the beginning of a text of Meta's that is kept and shown.
func clip(s string) string {
	const most = 300
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || len(s) > 64<<10 {
		return ""
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
