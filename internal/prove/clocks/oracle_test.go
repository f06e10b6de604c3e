//go:build unix

package clocks

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// The oracle itself, by instants that are written down: clocks in Berlin went
// forward on 29 March 2026 at 01:00 UTC.
func TestOracle(t *testing.T) {
	t.Parallel()
	from, list, err := plans(time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if got := from.UTC().Format(time.RFC3339); got != "2026-03-27T23:00:00Z" {
		t.Errorf("begins at %s", got)
	}
	wants := map[string][]string{
		"morning": {"2026-03-28T08:30:00Z", "2026-03-29T07:30:00Z", "2026-03-30T07:30:00Z"},
		"night":   {"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		"evening": {"2026-03-28T12:15:00Z", "2026-03-29T12:15:00Z"},
	}
	for _, s := range list {
		var got []string
		for _, at := range s.Due {
			got = append(got, at.UTC().Format(time.RFC3339))
		}
		if !slices.Equal(got, wants[s.Name]) || len(s.People) != people {
			t.Errorf("%s: due at %q, want %q", s.Name, got, wants[s.Name])
		}
	}
	all := inOrder(list)
	if len(all) != 8 || !slices.IsSortedFunc(all, func(a, b firing) int { return a.at.Compare(b.at) }) {
		t.Errorf("firings %v", all)
	}
}

// perfect is what the sandbox sees when everything is right.
func perfect(list []Schedule) (sent []Sent) {
	for _, f := range inOrder(list) {
		for _, phone := range list[f.schedule].People {
			sent = append(sent, Sent{To: phone, At: f.at.Add(2 * time.Second), Accepted: true})
		}
	}
	return sent
}

func TestJudge(t *testing.T) {
	t.Parallel()
	_, list, err := plans(time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(sent []Sent) []Sent
		want   string
	}{
		"good":                {func(s []Sent) []Sent { return s }, ""},
		"refused for now":     {func(s []Sent) []Sent { return append(s, Sent{To: s[0].To, At: s[0].At}) }, ""},
		"an hour early":       {func(s []Sent) []Sent { s[5].At = s[5].At.Add(-time.Hour); return s }, "sent -59m58s later"},
		"an hour late":        {func(s []Sent) []Sent { s[5].At = s[5].At.Add(time.Hour); return s }, "sent 1h0m2s later"},
		"not at all":          {func(s []Sent) []Sent { return s[1:] }, "somebody got 2 messages, due were 3"},
		"twice":               {func(s []Sent) []Sent { return append(s, s[len(s)-1]) }, "somebody got 4 messages, due were 3"},
		"somebody unheard of": {func(s []Sent) []Sent { return append(s, Sent{To: "+1", At: s[0].At, Accepted: true}) }, "1 messages to nobody's number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(Judge(list, c.change(perfect(list)), 8), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("judged %q, want %q", got, c.want)
			}
		})
	}
}

func TestShiftAt(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	moves := []move{{at, time.Hour}, {at.Add(time.Minute), 2 * time.Hour}}
	for after, want := range map[time.Duration]time.Duration{-time.Second: 0, 0: time.Hour, 59 * time.Second: time.Hour, time.Minute: 2 * time.Hour, time.Hour: 2 * time.Hour} {
		if got := shiftAt(moves, at.Add(after)); got != want {
			t.Errorf("%s later: %s, want %s", after, got, want)
		}
	}
}
