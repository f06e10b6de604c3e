//go:build unix

package main_test

import (
	"slices"
	"strings"
)

// After a restore an operator holds everything: nothing leaves, the report says
// why, and a release lets it go on.
func (l *life) heldByAnOperator() {
	t := l.t
	l.admin("hold", `"held":1`)
	l.admin("hold", `"held":0`) // again is harmless
	campaign, eligible := l.campaign("Held", l.audience("People", 10_000, 30), 0)
	run, err := l.launch(campaign, eligible)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	l.until("the plan", func() bool { r = l.report(campaign); return r.Planned && r.Ready == 30 })
	if !slices.ContainsFunc(r.Stops, func(s struct{ Scope, Reason, Measured string }) bool {
		return s.Scope == "workspace" && s.Reason == "restored"
	}) {
		t.Errorf("the report does not say why: %+v", r.Stops)
	}
	l.admin("release -reason another", `"released":0`)
	if n := l.summary().ByRun[run]; n != 0 {
		t.Errorf("%d messages left while everything was held", n)
	}
	l.admin("release", `"released":1`)
	if r := l.finish(campaign, run); r.Accepted != 30 {
		t.Errorf("after the release: %+v", r)
	}
	l.admin("rewrap", `"rewrapped":0`) // one master key: nothing is sealed by an older one
}

func (l *life) admin(args, want string) {
	l.t.Helper()
	out, err := l.Command(l.t.Context(), append([]string{"admin"}, strings.Fields(args)...)...)
	if err != nil || !strings.Contains(out, want) {
		l.t.Fatalf("bareed admin %s: %v, %s", args, err, out)
	}
}
