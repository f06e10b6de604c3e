package places_test

import (
	"bytes"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// check compares the rows with what they must be.
func (w *world) check() {
	w.t.Helper()
	live := w.live()
	for person, list := range w.reached {
		list = slices.DeleteFunc(list, func(m *message) bool { return !m.arrived.After(w.now.Add(-24 * time.Hour)) })
		if w.reached[person] = list; len(list) == 0 {
			delete(w.reached, person)
			continue
		}
		if live[person] {
			continue
		}
		w.stats.gaps++
		for _, m := range list {
			if w.promised(m) {
				w.t.Fatalf("person %d is counted by Meta since %v, for a message claimed at %v and heard of at %v, and has no place at %v",
					person, m.arrived, m.claimed, m.heard, w.now)
			}
		}
	}
	w.counts()
}

// promised tells whether the ledger must know a counted person by now: for a day
// from the claim, and from the moment it hears that the message arrived.
func (w *world) promised(m *message) bool {
	const tolerance = time.Minute
	if w.now.Before(m.claimed.Add(24*time.Hour - tolerance)) {
		return true
	}
	return !m.heard.IsZero() && w.now.Before(m.arrived.Add(24*time.Hour-tolerance))
}

// live are the people who have a place now.
func (w *world) live() map[int]bool {
	w.t.Helper()
	rows, err := w.pool.Engine().Query(w.t.Context(), `select recipient_hash from place where portfolio_id = $1 and over_at > bareed_now() and freed_at is null`, w.id)
	if err != nil {
		w.t.Fatal(err)
	}
	hashes, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		w.t.Fatal(err)
	}
	live := map[int]bool{}
	for p := range people {
		live[p] = slices.ContainsFunc(hashes, func(h []byte) bool { return bytes.Equal(h, hashOf(p)) })
	}
	return live
}

// counts checks that what is kept as a number is the number of rows, and that
// only those who name the share stand in it.
func (w *world) counts() {
	w.t.Helper()
	var kept, rows, shareKept, shareRows, strangers int
	err := w.pool.Engine().QueryRow(w.t.Context(), `
		select p.places, (select count(*) from place l where l.portfolio_id = p.id),
			coalesce((select s.used from portfolio_share s where s.portfolio_id = p.id), 0),
			(select count(*) from place l where l.portfolio_id = p.id and l.share is not null),
			(select count(*) from place_use u where u.portfolio_id = p.id and u.places < 0)
		from portfolio p where p.id = $1`, w.id).Scan(&kept, &rows, &shareKept, &shareRows, &strangers)
	if err != nil {
		w.t.Fatal(err)
	}
	if kept != rows || shareKept != shareRows {
		w.t.Fatalf("the portfolio counts %d places of %d, its share %d of %d", kept, rows, shareKept, shareRows)
	}
	if shareRows > w.share || strangers > 0 {
		w.t.Fatalf("%d places in a share of %d; %d quarters below zero", shareRows, w.share, strangers)
	}
}

// finish lets everybody be reached: whoever waited gets a place one day, and a
// day after the last all places are free.
func (w *world) finish() {
	w.t.Helper()
	left := func() (n int) {
		for _, r := range w.runs {
			n += len(r.waiting)
		}
		return n + len(w.tasks)
	}
	w.newLimit(16) // one open place a day would take weeks
	for days := 0; left() > 0; days++ {
		if days > 60 {
			w.t.Fatalf("%d wait for ever", left())
		}
		w.sweep()
		for _, r := range slices.Clone(w.runs) {
			for before := -1; before != len(r.waiting) && len(r.waiting) > 0; {
				before = len(r.waiting)
				w.feed(r, people)
			}
		}
		for n := 0; len(w.tasks) > 0 && n < 300; n++ {
			w.work()
		}
		w.check()
		w.pass(25*time.Hour + time.Minute)
	}
	w.pass(200 * time.Hour)
	w.sweep()
	if w.counts(); len(w.live()) > 0 {
		for p, has := range w.live() {
			if has {
				w.t.Fatalf("person %d has a place days after everything", p)
			}
		}
	}
}
