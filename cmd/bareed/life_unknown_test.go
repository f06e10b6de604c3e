//go:build unix

package main_test

import (
	"bytes"
	"time"

	"github.com/jackc/pgx/v5"

	"bareed/campaigns/certificate/verify"
)

// later moves the clock of the ledger, which is the database's.
func (l *life) later(d time.Duration) {
	l.t.Helper()
	conn, err := pgx.Connect(l.t.Context(), l.DatabaseURL)
	if err != nil {
		l.t.Fatal(err)
	}
	defer conn.Close(l.t.Context())
	if _, err := conn.Exec(l.t.Context(), `set role bareed_owner`); err != nil {
		l.t.Fatal(err)
	}
	if _, err := conn.Exec(l.t.Context(), `update clock_offset set shift = shift + $1`, d); err != nil {
		l.t.Fatal(err)
	}
}

// certificate fetches a campaign's certificate and checks it.
func (l *life) certificate(campaign string) verify.Result {
	l.t.Helper()
	var file bytes.Buffer
	if err := l.Client(l.tenant.Key).GetCertificate(l.t.Context(), campaign, &file); err != nil {
		l.t.Fatal(err)
	}
	r, err := verify.Read(&file)
	if err != nil || !r.Good() {
		l.t.Fatalf("the certificate does not hold: %v\n%s", err, r.Text())
	}
	return r
}

// Answers are lost, of messages that Meta accepted and of such that it did not,
// while no webhook comes for a long time. Nothing is sent again before the
// webhooks are back; then exactly what was not accepted is, and nobody is
// messaged twice.
func (l *life) withoutAnswers() {
	t := l.t
	l.policy = "evidence"
	first, eligible := l.campaign("Before", l.audience("Echo", 20_000, 5), 0)
	run, err := l.launch(first, eligible)
	if err != nil {
		t.Fatal(err)
	}
	l.finish(first, run) // the number is seen to return our mark
	const people, lost, refused = 200, 12, 9
	campaign, eligible := l.campaign("Evidence", l.audience("Evidence", 21_000, people), 0)
	l.control("/sandbox/scenario", map[string]any{"outage": true}, nil)
	l.control("/sandbox/faults", map[string]any{"kind": "cut", "count": lost}, nil)
	l.control("/sandbox/faults", map[string]any{"kind": "html", "count": refused}, nil)
	before := l.summary()
	if run, err = l.launch(campaign, eligible); err != nil {
		t.Fatal(err)
	}
	l.until("every request", func() bool { r := l.report(campaign); return r.Ready+r.Sending == 0 && r.Total == people })
	if r := l.report(campaign); r.Unknown != lost+refused {
		t.Fatalf("without an answer: %+v, want %d", r, lost+refused)
	}
	l.later(16 * time.Minute)
	began := time.Now()
	l.until("the rule to have looked", func() bool { return time.Since(began) > 11*time.Second })
	if s, r := l.summary(), l.report(campaign); s.ByRun[run] != people-refused || r.Unknown != lost+refused {
		t.Errorf("during the outage something was sent again: %d accepted by the journal, %+v", s.ByRun[run], r)
	}
	l.control("/sandbox/scenario", map[string]any{"outage": false}, nil)
	l.until("the end", func() bool { return l.report(campaign).State == "completed" })
	r := l.finish(campaign, run)
	if s := l.summary(); r.Accepted != people || s.ByRun[run] != people || s.DuplicateRecipients+s.DuplicateOrdinals != before.DuplicateRecipients+before.DuplicateOrdinals {
		t.Errorf("at the end: %+v, %d by the journal, %d twice", r, s.ByRun[run], s.DuplicateRecipients)
	}
	if got := l.certificate(campaign).Totals; got.ResentByEvidence != refused || got.AcceptedRequests != people || got.MoreThanOnce != 0 {
		t.Errorf("the certificate says %+v", got)
	}
}

// Under hold nothing is sent again by itself. A day later what has no receipt is
// unconfirmed, none of it was sent, and a person sends it again.
func (l *life) withoutReceipts() {
	t := l.t
	l.policy = "hold"
	const people, lost, refused = 120, 8, 7
	campaign, eligible := l.campaign("Hold", l.audience("Hold", 22_000, people), 0)
	l.control("/sandbox/scenario", map[string]any{"sent_delay_ms": []int{3000, 6000}}, nil) // late, not never
	l.control("/sandbox/faults", map[string]any{"kind": "cut", "count": lost}, nil)
	l.control("/sandbox/faults", map[string]any{"kind": "html", "count": refused}, nil)
	run, err := l.launch(campaign, eligible)
	if err != nil {
		t.Fatal(err)
	}
	l.until("every receipt", func() bool { r := l.report(campaign); return r.Total == people && r.Delivered == people-refused })
	l.later(25 * time.Hour)
	l.until("the end", func() bool { return l.report(campaign).State == "completed" })
	r := l.finish(campaign, run)
	if r.Unconfirmed != refused || r.Accepted != people-refused || l.summary().ByRun[run] != people-refused {
		t.Errorf("a day later: %+v, %d by the journal", r, l.summary().ByRun[run])
	}
	l.certificate(campaign)
	session, err := l.SignIn(t.Context(), l.tenant.Owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Client(session).ResendUnconfirmed(t.Context(), campaign, refused); err != nil {
		t.Fatal(err)
	}
	l.until("the resend", func() bool { r := l.report(campaign); return r.Accepted == people && r.State == "completed" })
	l.finish(campaign, run)
	if got := l.certificate(campaign).Totals; got.ResentByPerson != refused || got.AcceptedRequests != people || got.MoreThanOnce != 0 {
		t.Errorf("the certificate says %+v", got)
	}
}
